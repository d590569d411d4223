//! Addresses sealed at rest, found by keyed fingerprint; tokens that name a delivery without
//! saying which (law 7).
//!
//! One 32-byte master key; separate keys are derived from it by HKDF-SHA256 for each use.
//! Sealing is ChaCha20-Poly1305 (RFC 8439) with a random nonce.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ring::{aead, hkdf, hmac};

use crate::clock::{Clock, base32, from_base32};

/// Something sealed does not open: another key, or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed value does not open: another key sealed it, or it is damaged")]
pub struct NotOpened;

/// What a token was made for; one made for replies opens nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `r+…@`, `b+…@`, buttons: one delivery.
    Delivery,
    /// `/u/…`: one-click unsubscribe of one delivery's channel.
    Unsubscribe,
    /// `/me/…`: a citizen's own page.
    Citizen,
    /// The console's session; the value is its end in epoch ms.
    Session,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Delivery => b"delivery",
            Self::Unsubscribe => b"unsubscribe",
            Self::Citizen => b"citizen",
            Self::Session => b"session",
        }
    }
}

/// The keys in use. Never printed.
pub struct Sealer {
    seal: aead::LessSafeKey,
    fingerprint: hmac::Key,
    token: hmac::Key,
    mask: hmac::Key,
    check: String,
    clock: Clock,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

const MAC: usize = 10;

impl Sealer {
    #[must_use]
    pub fn new(master: &[u8; 32], clock: Clock) -> Self {
        let fingerprint = hmac::Key::new(hmac::HMAC_SHA256, &derive(master, b"fingerprint"));
        let check = base32(&hmac::sign(&fingerprint, b"key check").as_ref()[..10]);
        #[expect(clippy::expect_used, reason = "the key is 32 bytes by its type")]
        let unbound = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, &derive(master, b"seal"))
            .expect("a 32-byte key");
        Self {
            seal: aead::LessSafeKey::new(unbound),
            fingerprint,
            token: hmac::Key::new(hmac::HMAC_SHA256, &derive(master, b"token")),
            mask: hmac::Key::new(hmac::HMAC_SHA256, &derive(master, b"mask")),
            check,
            clock,
        }
    }

    /// Tells whether a database was sealed with this key, without telling the key.
    #[must_use]
    pub fn check_value(&self) -> &str {
        &self.check
    }

    /// Base64 of nonce, ciphertext and tag.
    #[must_use]
    pub fn seal(&self, plain: &[u8]) -> String {
        let nonce: [u8; 12] = self.clock.random();
        let mut sealed = nonce.to_vec();
        let mut body = plain.to_vec();
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        if self.seal.seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut body).is_err() {
            // only lengths over 256 GB are refused
            body.clear();
        }
        sealed.append(&mut body);
        STANDARD_NO_PAD.encode(sealed)
    }

    /// # Errors
    /// [`NotOpened`] where the key is another one or the value was changed.
    pub fn open(&self, sealed: &str) -> Result<Vec<u8>, NotOpened> {
        let mut bytes = STANDARD_NO_PAD.decode(sealed).map_err(|_| NotOpened)?;
        if bytes.len() < 12 {
            return Err(NotOpened);
        }
        let mut body = bytes.split_off(12);
        let nonce: [u8; 12] = bytes.try_into().map_err(|_| NotOpened)?;
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let opened =
            self.seal.open_in_place(nonce, aead::Aad::empty(), &mut body).map_err(|_| NotOpened)?;
        Ok(opened.to_vec())
    }

    /// # Errors
    /// As [`Sealer::open`], and where the value is not UTF-8.
    pub fn open_text(&self, sealed: &str) -> Result<String, NotOpened> {
        String::from_utf8(self.open(sealed)?).map_err(|_| NotOpened)
    }

    /// By which an address is found again; `address` in its normal form.
    #[must_use]
    pub fn fingerprint(&self, channel: &str, address: &str) -> String {
        let mut context = hmac::Context::with_key(&self.fingerprint);
        context.update(channel.as_bytes());
        context.update(&[0]);
        context.update(address.as_bytes());
        base32(&context.sign().as_ref()[..20])
    }

    /// An opaque, authenticated token of 29 base32 characters that holds `value`. The same value
    /// always gives the same token, so that a retried mail keeps its Message-ID.
    #[must_use]
    pub fn token(&self, purpose: Purpose, value: i64) -> String {
        let value = value.to_be_bytes();
        let mac = self.mac(purpose, value);
        let mask = hmac::sign(&self.mask, &mac);
        let mut bytes = mac.to_vec();
        bytes.extend(value.iter().zip(mask.as_ref()).map(|(byte, mask)| byte ^ mask));
        base32(&bytes)
    }

    /// The value of a token made by [`Sealer::token`] for the same purpose, in any case.
    #[must_use]
    pub fn read_token(&self, purpose: Purpose, token: &str) -> Option<i64> {
        let bytes = from_base32(token)?;
        if bytes.len() != MAC + 8 {
            return None;
        }
        let (mac, hidden) = bytes.split_at(MAC);
        let mask = hmac::sign(&self.mask, mac);
        let mut value = [0_u8; 8];
        for (slot, (byte, mask)) in value.iter_mut().zip(hidden.iter().zip(mask.as_ref())) {
            *slot = byte ^ mask;
        }
        let expected = self.mac(purpose, value);
        let differs = expected.iter().zip(mac).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
        (differs == 0).then(|| i64::from_be_bytes(value))
    }

    fn mac(&self, purpose: Purpose, value: [u8; 8]) -> [u8; MAC] {
        let mut context = hmac::Context::with_key(&self.token);
        context.update(purpose.label());
        context.update(&value);
        let mut mac = [0_u8; MAC];
        mac.copy_from_slice(&context.sign().as_ref()[..MAC]);
        mac
    }
}

/// A secret's fingerprint (API tokens): SHA-256, hex. The secret has 128 random bits of its own,
/// so nothing slower is needed.
#[must_use]
pub fn secret_hash(secret: &str) -> String {
    use std::fmt::Write as _;
    let digest = ring::digest::digest(&ring::digest::SHA256, secret.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn derive(master: &[u8; 32], label: &[u8]) -> [u8; 32] {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"porte-voix 1");
    let mut key = [0_u8; 32];
    let info = [label];
    #[expect(clippy::expect_used, reason = "32 bytes is within HKDF-SHA256's reach")]
    salt.extract(master)
        .expand(&info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .expect("HKDF gives 32 bytes");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&[byte; 32], Clock::system())
    }

    #[test]
    fn only_the_same_key_opens() {
        let sealed = sealer(1).seal(b"marie@lille.example");
        assert_eq!(sealer(1).open_text(&sealed).unwrap(), "marie@lille.example");
        assert_eq!(sealer(2).open_text(&sealed), Err(NotOpened));
        assert_ne!(sealed, sealer(1).seal(b"marie@lille.example"));
    }

    #[test]
    fn a_token_survives_case_and_refuses_everything_else() {
        let sealer = sealer(3);
        let token = sealer.token(Purpose::Delivery, 42);
        assert_eq!(token.len(), 29);
        assert_eq!(sealer.read_token(Purpose::Delivery, &token.to_uppercase()), Some(42));
        assert_eq!(sealer.read_token(Purpose::Citizen, &token), None);
        let mut forged = token.clone();
        let last = if forged.pop() == Some('a') { 'i' } else { 'a' };
        forged.push(last);
        assert_ne!(sealer.read_token(Purpose::Delivery, &forged), Some(43));
        for position in 0..27 {
            let mut bytes = token.clone().into_bytes();
            bytes[position] = if bytes[position] == b'b' { b'c' } else { b'b' };
            let forged = String::from_utf8(bytes).unwrap();
            assert_eq!(sealer.read_token(Purpose::Delivery, &forged), None, "{position}");
        }
    }
}
