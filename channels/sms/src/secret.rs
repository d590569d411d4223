//! Comparing and signing, in constant time.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;

/// Whether both are the same, in a time that tells nothing of where they differ.
pub(crate) fn same(expected: &str, given: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, expected.as_bytes());
    let tag = hmac::sign(&key, expected.as_bytes());
    hmac::verify(&key, given.as_bytes(), tag.as_ref()).is_ok()
}

/// How a signature is written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignatureEncoding {
    #[default]
    Hex,
    Base64,
}

/// Checks a signature as it is written in a header. What can't be decoded is wrong.
pub(crate) fn verify(
    algorithm: hmac::Algorithm,
    key: &str,
    message: &[u8],
    encoding: SignatureEncoding,
    given: &str,
) -> bool {
    let bytes = match encoding {
        SignatureEncoding::Hex => from_hex(given),
        SignatureEncoding::Base64 => STANDARD.decode(given).ok(),
    };
    let key = hmac::Key::new(algorithm, key.as_bytes());
    bytes.is_some_and(|bytes| hmac::verify(&key, message, &bytes).is_ok())
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|char| char.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // writing into a String cannot fail
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_is_the_same() {
        assert!(same("a-long-secret", "a-long-secret"));
        assert!(!same("a-long-secret", "a-long-secreT"));
        assert!(!same("a-long-secret", ""));
    }

    #[test]
    fn rfc_4231_case_2_in_both_encodings() {
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let check = |encoding, given: &str| {
            let message = b"what do ya want for nothing?";
            verify(hmac::HMAC_SHA256, "Jefe", message, encoding, given)
        };
        assert!(check(SignatureEncoding::Hex, hex));
        assert!(check(SignatureEncoding::Base64, &STANDARD.encode(from_hex(hex).unwrap())));
        assert!(!check(SignatureEncoding::Hex, &hex.replace('5', "6")));
        assert!(!check(SignatureEncoding::Hex, "zz"));
        assert_eq!(to_hex(&from_hex(hex).unwrap()), hex);
    }
}
