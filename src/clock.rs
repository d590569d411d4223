//! Time and randomness, passed in: nobody else asks the system (clippy.toml sees to it).

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use ring::rand::{SecureRandom, SystemRandom};

/// Cheap to clone; the system's, or one that tests move by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    fixed: Option<Arc<AtomicI64>>,
}

impl Clock {
    #[must_use]
    pub fn system() -> Self {
        Self { fixed: None }
    }

    /// A clock that stands still at `ms` until [`Clock::advance`].
    #[must_use]
    pub fn fixed(ms: i64) -> Self {
        Self { fixed: Some(Arc::new(AtomicI64::new(ms))) }
    }

    /// Moves a fixed clock; the system's is left alone.
    pub fn advance(&self, ms: i64) {
        if let Some(fixed) = &self.fixed {
            fixed.fetch_add(ms, Ordering::SeqCst);
        }
    }

    /// Milliseconds since 1970-01-01T00:00Z.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn now_ms(&self) -> i64 {
        match &self.fixed {
            Some(fixed) => fixed.load(Ordering::SeqCst),
            None => jiff::Timestamp::now().as_millisecond(),
        }
    }

    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.now_ms()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// Fills from the system's secure random generator.
    ///
    /// # Panics
    /// Where the system has no randomness to give: nothing safe can be done without.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0_u8; N];
        #[expect(clippy::expect_used, reason = "without randomness no token or seal is safe")]
        SystemRandom::new().fill(&mut bytes).expect("the system gives random bytes");
        bytes
    }

    /// A random id of 26 lower-case base32 characters (128 bits and a little).
    #[must_use]
    pub fn id(&self) -> String {
        base32(&self.random::<16>())
    }

    /// Uniform in 0.0..1.0, for jitter.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        f64::from(u32::from_le_bytes(self.random::<4>())) / f64::from(u32::MAX)
    }
}

/// RFC 4648 base32 in lower case without padding: survives mail servers that fold case.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut out = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(ALPHABET[(buffer >> bits) as usize & 31] as char);
        }
    }
    if bits > 0 {
        out.push(ALPHABET[(buffer << (5 - bits)) as usize & 31] as char);
    }
    out
}

/// The inverse of [`base32`], in any case; none where a character is foreign.
#[must_use]
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 5 / 8);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte {
            b'a'..=b'z' => byte - b'a',
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        buffer = ((buffer << 5) | u32::from(value)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((buffer >> bits) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_comes_back_in_any_case() {
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 37 + 11) as u8).collect();
            let text = base32(&bytes).to_uppercase();
            assert_eq!(from_base32(&text).unwrap(), bytes);
        }
        assert_eq!(from_base32("a-b"), None);
    }
}
