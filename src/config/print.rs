use toml::{Table, Value};
use url::Url;

use super::{
    Settings,
    tree::{FREE_TABLES, SECRET_URLS, SECRETS},
};

const MASK: &str = "********";

/// The settings in force as TOML, secrets masked.
#[must_use]
pub fn print_config(settings: &Settings) -> String {
    settings.in_force.to_string()
}

/// A copy in which no secret is left.
pub(super) fn masked(table: &Table) -> Table {
    masked_below("", table)
}

fn masked_below(prefix: &str, table: &Table) -> Table {
    let mut copy = Table::new();
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let value = match value {
            // an address, a header or a body of the operator's own may well hold a password
            Value::Table(inner) if FREE_TABLES.contains(&key.as_str()) => {
                Value::Table(inner.iter().map(|(name, _)| (name.clone(), MASK.into())).collect())
            }
            Value::Table(inner) => Value::Table(masked_below(&key, inner)),
            Value::String(text) if text.is_empty() => value.clone(),
            Value::String(_) if SECRETS.contains(&key.as_str()) => MASK.into(),
            Value::String(text) if SECRET_URLS.contains(&key.as_str()) => masked_url(text).into(),
            _ => value.clone(),
        };
        copy.insert(name.clone(), value);
    }
    copy
}

/// Addresses (one, or several separated by commas) without what signs in.
fn masked_url(text: &str) -> String {
    if text.trim_start().starts_with("sqlite:") {
        return text.to_owned();
    }
    match text.split(',').map(masked_server).collect::<Option<Vec<_>>>() {
        Some(servers) => servers.join(","),
        None => MASK.to_owned(),
    }
}

fn masked_server(text: &str) -> Option<String> {
    let mut url = Url::parse(text.trim()).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        url.set_username("").ok()?;
        url.set_password(Some(MASK)).ok()?;
    }
    // PostgreSQL takes a password in the query as well
    if url.query().is_some_and(|query| query.contains("password")) {
        url.set_query(None);
    }
    Some(url.into())
}
