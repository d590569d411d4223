use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::check::{Check, Checked, given_path, given_secret};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKeys {
    file: String,
    value: SecretString,
}

/// Where the key that seals addresses comes from.
#[derive(Debug, Clone)]
pub enum KeySettings {
    /// A file, made where it may be.
    File(PathBuf),
    /// 32 bytes in base64 (RFC 4648 section 4), checked.
    Value(SecretString),
}

impl RawKeys {
    pub(super) fn validate(&self, check: &mut Check) -> Checked<KeySettings> {
        if let Some(value) = given_secret(&self.value) {
            let bytes = STANDARD.decode(value.expose_secret().trim());
            if bytes.is_ok_and(|bytes| bytes.len() == 32) {
                return Ok(KeySettings::Value(value));
            }
            return check.fail(
                "keys.value",
                "is not 32 bytes in base64",
                "make one with: openssl rand -base64 32",
            );
        }
        match given_path(&self.file) {
            Some(path) => Ok(KeySettings::File(path)),
            None => check.fail("keys.file", "is missing", "give a path, or the key as keys.value"),
        }
    }
}
