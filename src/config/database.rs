use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::check::{Check, Checked};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDatabase {
    url: SecretString,
    migrate: bool,
    max_connections: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    Sqlite,
    Postgres,
}

#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// As sqlx takes it.
    pub url: SecretString,
    pub kind: DatabaseKind,
    /// Whether `serve` may migrate a PostgreSQL database by itself.
    pub migrate: bool,
    pub max_connections: u32,
}

impl RawDatabase {
    pub(super) fn validate(&self, check: &mut Check) -> Checked<DatabaseSettings> {
        let key = "database.url";
        let text = self.url.expose_secret().trim();
        let kind = if let Some(file) = text.strip_prefix("sqlite:") {
            if file.trim_start_matches('/').is_empty() {
                check.fail(key, "names no file", "write sqlite://FILE")
            } else {
                Ok(DatabaseKind::Sqlite)
            }
        } else {
            check
                .url(key, text, &["postgres", "postgresql", "sqlite"])
                .map(|_| DatabaseKind::Postgres)
        };
        let max_connections =
            check.number("database.max_connections", self.max_connections, 2..=200);
        Ok(DatabaseSettings {
            url: text.to_owned().into(),
            kind: kind?,
            migrate: self.migrate,
            max_connections: max_connections?,
        })
    }
}
