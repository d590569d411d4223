//! The layers (defaults ← file ← environment) as one TOML tree. Each value is compared with the
//! default's type on the way in, so that every wrong key and type is found in one go, with the
//! place it came from.

use std::{collections::BTreeMap, path::Path};

use toml::{Table, Value};

use super::problem::ConfigProblem;

pub(super) const DEFAULTS: &str = include_str!("../../config.default.toml");

/// Settings that can be given as `<key>_file` and are masked wherever settings are shown.
pub(super) const SECRETS: &[&str] = &[
    "bus.token",
    "bus.password",
    "keys.value",
    "sms.ovh.application_secret",
    "sms.ovh.consumer_key",
    "sms.ovh.callback_secret",
    "sms.twilio.auth_token",
    "telegram.token",
    "telegram.webhook_secret",
    "metrics.token",
];

/// Secrets that are addresses: shown without their user and password.
pub(super) const SECRET_URLS: &[&str] = &["database.url", "bus.url", "email.smtp_url"];

/// Described in the channel's own words, so anything may stand here; masked as a whole.
pub(super) const FREE_TABLES: &[&str] = &["sms.http"];

/// Inside a free table, where each key can be given as `<key>_file` as well.
const FREE_SECRETS: &str = "sms.http.secrets";

const ENV_PREFIX: &str = "PORTEVOIX_";

/// A secret that stands in a file, not read yet.
#[derive(Debug, Clone)]
struct SecretFile {
    path: String,
    origin: String,
}

#[derive(Debug, Clone)]
pub(super) struct Tree {
    table: Table,
    /// The value of every setting before any layer, by dotted key: tells what exists and its type.
    known: BTreeMap<String, Value>,
    origins: BTreeMap<String, String>,
    files: BTreeMap<String, SecretFile>,
    problems: Vec<ConfigProblem>,
}

impl Tree {
    pub(super) fn defaults() -> Self {
        #[expect(clippy::expect_used, reason = "the text is part of the program, and tested")]
        let table: Table = DEFAULTS.parse().expect("the built-in defaults are TOML");
        let mut known = BTreeMap::new();
        flatten("", &table, &mut known);
        Self {
            table,
            known,
            origins: BTreeMap::new(),
            files: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// Lays a file's text over what is there.
    pub(super) fn merge_text(&mut self, text: &str, origin: &str) {
        match text.parse::<Table>() {
            Ok(table) => {
                let mut values = BTreeMap::new();
                flatten("", &table, &mut values);
                for (key, value) in values {
                    self.set(&key, value, origin);
                }
            }
            Err(error) => {
                // only the message: the error's own display quotes the line, secrets and all
                let line = error.span().map_or(1, |span| {
                    1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
                });
                self.problem(
                    "",
                    Some(origin),
                    format!("line {line} is not TOML: {}", error.message().replace('\n', ", ")),
                    "correct that line",
                );
            }
        }
    }

    /// Lays `PORTEVOIX_<SECTION>__<KEY>` over what is there; other variables are passed over.
    pub(super) fn merge_env(&mut self, vars: impl IntoIterator<Item = (String, String)>) {
        for (name, text) in vars {
            let Some(rest) = name.strip_prefix(ENV_PREFIX) else { continue };
            let key = rest.to_ascii_lowercase().replace("__", ".");
            if !key.contains('.') {
                if let Some(meant) = self.known.keys().find(|known| known.replace('.', "_") == key)
                {
                    let advice = format!("write {}", env_name(meant));
                    let what = "section and key are separated by one underscore".to_owned();
                    self.problem("", Some(&name), what, advice);
                }
                continue;
            }
            match from_env(&text, self.known.get(&key)) {
                Ok(value) => self.set(&key, value, &name),
                Err((what, advice)) => self.problem(&key, Some(&name), what, advice),
            }
        }
    }

    fn set(&mut self, key: &str, value: Value, origin: &str) {
        if let Some(base) = secret_of(key) {
            return self.set_file(base, key, &value, origin);
        }
        let Some(default) = self.known.get(key) else {
            if key.strip_prefix(FREE_SECRETS).is_some_and(|rest| rest.starts_with('.')) {
                return self.store(key, value);
            }
            return self.unknown(key, origin);
        };
        let value = match (default, value) {
            (Value::Float(_), Value::Integer(whole)) => Value::Float(whole as f64),
            (_, value) => value,
        };
        if !all_texts(&value) {
            let what = "has an entry that is not a text".to_owned();
            self.problem(key, Some(origin), what, "write every entry in quotes");
        } else if default.same_type(&value) {
            if self.files.get(key).is_some_and(|file| file.origin == origin) {
                return self.twice(key, origin);
            }
            self.files.remove(key);
            self.store(key, value);
            self.origins.insert(key.to_owned(), origin.to_owned());
        } else {
            let what = format!("is {}, not {}", a_type(&value), a_type(default));
            let advice = format!("write it as in the defaults: {default}");
            self.problem(key, Some(origin), what, advice);
        }
    }

    fn set_file(&mut self, base: &str, key: &str, value: &Value, origin: &str) {
        let Some(path) = value.as_str() else {
            let what = format!("is {}, not a path", a_type(value));
            return self.problem(key, Some(origin), what, "write the path in quotes");
        };
        if path.is_empty() {
            return;
        }
        if self.origins.get(base).is_some_and(|earlier| earlier == origin) {
            return self.twice(base, origin);
        }
        self.files.insert(
            base.to_owned(),
            SecretFile { path: path.to_owned(), origin: origin.to_owned() },
        );
    }

    fn twice(&mut self, key: &str, origin: &str) {
        let what = format!("is given twice, as {key} and as {key}_file");
        self.problem(key, Some(origin), what, "keep one of them");
    }

    fn unknown(&mut self, key: &str, origin: &str) {
        let section = format!("{key}.");
        if self.known.keys().any(|known| known.starts_with(&section)) {
            let advice = format!("write [{key}] and its settings below");
            return self.problem(key, Some(origin), "is a section, not a setting".into(), advice);
        }
        let advice = match self.nearest(key) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => "config.default.toml lists every setting".to_owned(),
        };
        self.problem(key, Some(origin), "there is no such setting".into(), advice);
    }

    fn nearest(&self, key: &str) -> Option<&str> {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let (distance, nearest) = self
            .known
            .keys()
            .map(|known| {
                let moved = if last(known) == last(key) { 1 } else { usize::MAX };
                (strsim::damerau_levenshtein(known, key).min(moved), known)
            })
            .min()?;
        (distance <= 2 + key.len() / 8).then_some(nearest.as_str())
    }

    /// Reads the secrets given as `<key>_file`, with `read` in place of the file system.
    pub(super) fn read_secret_files(&mut self, read: impl Fn(&Path) -> std::io::Result<String>) {
        let files = std::mem::take(&mut self.files);
        for (key, file) in files.into_iter().chain(self.free_secret_files()) {
            match read(Path::new(&file.path)) {
                Ok(text) => {
                    let text = text.strip_suffix('\n').unwrap_or(&text);
                    let text = text.strip_suffix('\r').unwrap_or(text);
                    self.store(&key, Value::String(text.to_owned()));
                    self.origins.insert(key, file.path);
                }
                Err(error) => self.problem(
                    &format!("{key}_file"),
                    Some(&file.origin),
                    format!("{} can't be read: {error}", file.path),
                    "check the path, and that the program's user may read it",
                ),
            }
        }
    }

    /// Takes `<key>_file` out of the free tables' secrets.
    fn free_secret_files(&mut self) -> Vec<(String, SecretFile)> {
        let mut parts = FREE_SECRETS.split('.');
        let Some(first) = parts.next().and_then(|part| self.table.get_mut(part)) else {
            return Vec::new();
        };
        let secrets = parts.try_fold(first, |value, part| value.get_mut(part));
        let Some(Value::Table(secrets)) = secrets else { return Vec::new() };
        let names: Vec<_> =
            secrets.keys().filter(|name| name.ends_with("_file")).cloned().collect();
        let mut files = Vec::new();
        for name in names {
            let base = name.trim_end_matches("_file");
            if let Some(Value::String(path)) = secrets.remove(&name) {
                let origin = format!("[{FREE_SECRETS}]");
                files.push((format!("{FREE_SECRETS}.{base}"), SecretFile { path, origin }));
            }
        }
        files
    }

    fn store(&mut self, key: &str, value: Value) {
        let mut table = &mut self.table;
        let mut path = key.split('.').peekable();
        while let Some(part) = path.next() {
            if path.peek().is_none() {
                table.insert(part.to_owned(), value);
                return;
            }
            let next = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(next) = next else { return };
            table = next;
        }
    }

    pub(super) fn problem(
        &mut self,
        key: &str,
        origin: Option<&str>,
        what: String,
        advice: impl Into<String>,
    ) {
        self.problems.push(ConfigProblem {
            key: key.to_owned(),
            origin: origin.map(ToOwned::to_owned),
            what,
            advice: advice.into(),
        });
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    pub(super) fn into_parts(self) -> (Table, BTreeMap<String, String>, Vec<ConfigProblem>) {
        (self.table, self.origins, self.problems)
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }
}

/// The environment variable of a setting.
pub(super) fn env_name(key: &str) -> String {
    format!("{ENV_PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}

/// `email.smtp_url_file` → `email.smtp_url`, where that is a secret.
fn secret_of(key: &str) -> Option<&'static str> {
    let base = key.strip_suffix("_file")?;
    SECRETS.iter().chain(SECRET_URLS).find(|secret| **secret == base).copied()
}

fn flatten(prefix: &str, table: &Table, into: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) if !FREE_TABLES.contains(&key.as_str()) => {
                flatten(&key, inner, into);
            }
            _ => {
                into.insert(key, value.clone());
            }
        }
    }
}

/// Reads a variable's text as the type the setting has.
fn from_env(text: &str, default: Option<&Value>) -> Result<Value, (String, &'static str)> {
    let bad = |what: &str, advice| Err((what.to_owned(), advice));
    match default {
        Some(Value::Integer(_)) => match text.trim().parse() {
            Ok(number) => Ok(Value::Integer(number)),
            Err(_) => bad("is not a whole number", "write digits only"),
        },
        Some(Value::Float(_)) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => bad("is not a number", "write digits, with a point for the fraction"),
        },
        Some(Value::Boolean(_)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Ok(Value::Boolean(true)),
            "false" | "0" | "no" => Ok(Value::Boolean(false)),
            _ => bad("is neither true nor false", "write true or false"),
        },
        Some(Value::Array(_)) => Ok(Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Value::String(part.to_owned()))
                .collect(),
        )),
        Some(Value::Table(_)) => match format!("value = {text}").parse::<Table>() {
            Ok(mut table) => Ok(table.remove("value").unwrap_or(Value::Table(Table::new()))),
            Err(_) => bad("is not a TOML inline table", "write { name = \"value\" }"),
        },
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// Lists hold texts only.
fn all_texts(value: &Value) -> bool {
    value.as_array().is_none_or(|list| list.iter().all(Value::is_str))
}

fn a_type(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
