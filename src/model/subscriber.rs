//! A subscriber as other services and CSV files write one, checked and brought to normal form.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{communes, event::Problem, paris};

mod address;

pub use address::{normal_chat_id, normal_email, normal_phone};

/// The columns, as the contract names them; the JSON members have the same names.
pub const FIELDS: [&str; 15] = [
    "external_id",
    "email",
    "phone",
    "telegram",
    "first_name",
    "commune",
    "language",
    "register",
    "channels",
    "themes",
    "groups",
    "frequency",
    "age_band",
    "consent_at",
    "consent_source",
];

/// What was given, unchecked. An empty text is an absent one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubscriberRecord {
    pub external_id: String,
    pub email: String,
    pub phone: String,
    pub telegram: String,
    pub first_name: String,
    pub commune: String,
    pub language: String,
    pub register: String,
    /// The person's own order; empty: all addresses given, in the order of the columns.
    pub channels: Vec<String>,
    pub themes: Vec<String>,
    pub groups: Vec<String>,
    pub frequency: String,
    pub age_band: String,
    pub consent_at: String,
    pub consent_source: String,
}

/// A subscriber in normal form: every address is one that its channel can write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSubscriber {
    pub external_id: Option<String>,
    /// Channel and address in its normal form, in the person's order; at least one. An address
    /// whose channel the person left out of `channels` is not among them: they did not choose it.
    pub addresses: Vec<(&'static str, String)>,
    pub first_name: Option<String>,
    /// INSEE code, or empty.
    pub commune: String,
    /// BCP 47 primary subtag.
    pub language: String,
    pub register: &'static str,
    pub frequency: &'static str,
    pub age_band: &'static str,
    pub themes: Vec<String>,
    pub groups: Vec<String>,
    /// Epoch ms.
    pub consent_at: i64,
    pub consent_source: String,
}

/// Longest text of one field, in characters.
const MAX_TEXT: usize = 200;
/// Most entries of one list.
const MAX_ITEMS: usize = 100;
/// Clocks differ: a consent this far (ms) ahead of ours is still believed.
const CLOCK_SKEW_MS: i64 = 300_000;

impl SubscriberRecord {
    /// Sets a column of the CSV; lists are separated by `|`. False where there is no such column.
    pub fn set(&mut self, field: &str, value: &str) -> bool {
        let list = || {
            let parts = value.split('|').map(str::trim).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect::<Vec<_>>()
        };
        match field {
            "channels" => self.channels = list(),
            "themes" => self.themes = list(),
            "groups" => self.groups = list(),
            _ => match self.text(field) {
                Some(slot) => value.trim().clone_into(slot),
                None => return false,
            },
        }
        true
    }

    fn text(&mut self, field: &str) -> Option<&mut String> {
        Some(match field {
            "external_id" => &mut self.external_id,
            "email" => &mut self.email,
            "phone" => &mut self.phone,
            "telegram" => &mut self.telegram,
            "first_name" => &mut self.first_name,
            "commune" => &mut self.commune,
            "language" => &mut self.language,
            "register" => &mut self.register,
            "frequency" => &mut self.frequency,
            "age_band" => &mut self.age_band,
            "consent_at" => &mut self.consent_at,
            "consent_source" => &mut self.consent_source,
            _ => return None,
        })
    }

    /// Reads a JSON object with the CSV's names; a list is an array, or a text as in the CSV.
    ///
    /// # Errors
    /// Members that are unknown or of another type, all of them.
    pub fn from_json(value: &Value) -> Result<Self, Vec<Problem>> {
        let Some(members) = value.as_object() else {
            return Err(vec![Problem::new("", "is not a JSON object")]);
        };
        let mut record = Self::default();
        let mut problems = Vec::new();
        for (name, value) in members {
            let path = pointer(name);
            let listed = matches!(name.as_str(), "channels" | "themes" | "groups");
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Number(number) if !listed => number.to_string(),
                Value::Array(items) if listed && items.iter().all(Value::is_string) => {
                    let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
                    items.join("|")
                }
                _ if !FIELDS.contains(&name.as_str()) => String::new(),
                _ => {
                    let wanted = if listed { "must be a list of texts" } else { "must be text" };
                    problems.push(Problem::new(path, wanted));
                    continue;
                }
            };
            if !record.set(name, &text) {
                let advice =
                    format!("is no field of a subscriber; known are {}", FIELDS.join(", "));
                problems.push(Problem::new(path, advice));
            }
        }
        if problems.is_empty() { Ok(record) } else { Err(problems) }
    }
}

fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Checks a record; `now` in epoch ms.
///
/// # Errors
/// Every problem, with the field it is about as path.
pub fn check(record: &SubscriberRecord, now: i64) -> Result<CheckedSubscriber, Vec<Problem>> {
    let mut found = Findings::default();
    let addresses = found.addresses(record);
    let checked = CheckedSubscriber {
        external_id: found.line("external_id", &record.external_id),
        addresses,
        first_name: found.line("first_name", &record.first_name),
        commune: found.commune(&record.commune),
        language: found.language(&record.language),
        register: found.one_of("register", &record.register, &["standard", "plain"]),
        frequency: found.one_of("frequency", &record.frequency, &["immediate", "daily", "weekly"]),
        age_band: found.age_band(&record.age_band),
        themes: found.list("themes", &record.themes),
        groups: found.list("groups", &record.groups),
        consent_at: found.consent_at(&record.consent_at, now),
        consent_source: found.line("consent_source", &record.consent_source).unwrap_or_default(),
    };
    if checked.consent_source.is_empty() && !found.about("consent_source") {
        found.add("consent_source", "is missing: say where the consent was given");
    }
    if found.0.is_empty() { Ok(checked) } else { Err(found.0) }
}

#[derive(Default)]
struct Findings(Vec<Problem>);

impl Findings {
    fn add(&mut self, field: &str, problem: impl Into<String>) {
        self.0.push(Problem::new(format!("/{field}"), problem));
    }

    fn about(&self, field: &str) -> bool {
        self.0.iter().any(|problem| problem.path == format!("/{field}"))
    }

    /// One line of text; none where it is empty.
    fn line(&mut self, field: &str, text: &str) -> Option<String> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            self.add(field, "holds a control character");
        } else if text.chars().count() > MAX_TEXT {
            self.add(field, format!("has more than {MAX_TEXT} characters"));
        }
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn one_of(&mut self, field: &str, text: &str, allowed: &[&'static str]) -> &'static str {
        let wanted = text.trim().to_lowercase();
        match allowed.iter().find(|one| **one == wanted) {
            Some(one) => one,
            None => {
                if !wanted.is_empty() {
                    let shown = shown(text);
                    self.add(field, format!("`{shown}` is none of {}", allowed.join(", ")));
                }
                allowed[0]
            }
        }
    }

    fn age_band(&mut self, text: &str) -> &'static str {
        if text.trim().is_empty() {
            return "adult";
        }
        self.one_of("age_band", text, &["under15", "15-25", "adult"])
    }

    fn commune(&mut self, text: &str) -> String {
        let text = text.trim();
        if !text.is_empty() && communes::find(text).is_none() {
            let lower = text.to_lowercase();
            let named = communes::all().iter().find(|one| one.name.to_lowercase() == lower);
            self.add(
                "commune",
                match named {
                    Some(commune) => {
                        format!(
                            "`{}` is a name; write its INSEE code {}",
                            shown(text),
                            commune.code
                        )
                    }
                    None => format!(
                        "`{}` is no INSEE code of a commune of the metropolis, such as 59350",
                        shown(text)
                    ),
                },
            );
        }
        text.to_owned()
    }

    fn language(&mut self, text: &str) -> String {
        let text = text.trim();
        if text.is_empty() {
            return "fr".to_owned();
        }
        let mut parts = text.split('-');
        let primary = parts.next().unwrap_or_default();
        let letters = (2..=3).contains(&primary.len())
            && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
        let rest = parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if !(letters && rest) {
            self.add("language", format!("`{}` is no language tag such as fr", shown(text)));
        }
        primary.to_ascii_lowercase()
    }

    fn list(&mut self, field: &str, items: &[String]) -> Vec<String> {
        let items: BTreeSet<String> = items
            .iter()
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect();
        if items.len() > MAX_ITEMS {
            self.add(field, format!("has more than {MAX_ITEMS} entries"));
        }
        if items.iter().any(|item| item.chars().count() > 100 || item.chars().any(char::is_control))
        {
            self.add(field, "has an entry that is no line of at most 100 characters");
        }
        items.into_iter().collect()
    }

    fn consent_at(&mut self, text: &str, now: i64) -> i64 {
        let text = text.trim();
        if text.is_empty() {
            self.add("consent_at", "is missing: nobody is written to without consent");
            return 0;
        }
        let at = text
            .parse::<Timestamp>()
            .map(Timestamp::as_millisecond)
            .or_else(|_| text.parse::<Date>().map(paris::start_of));
        match at {
            Ok(at) if at > now + CLOCK_SKEW_MS => {
                self.add("consent_at", format!("`{}` is in the future", shown(text)));
                0
            }
            Ok(at) => at,
            Err(_) => {
                let advice = "is neither a day (2026-11-20) nor a time with its zone \
                              (2026-11-20T14:00:00+01:00)";
                self.add("consent_at", format!("`{}` {advice}", shown(text)));
                0
            }
        }
    }

    fn addresses(&mut self, record: &SubscriberRecord) -> Vec<(&'static str, String)> {
        let mut given = Vec::new();
        type Normal = fn(&str) -> Result<String, String>;
        let columns: [(&'static str, &str, &str, Normal); 3] = [
            ("email", "email", &record.email, normal_email),
            ("sms", "phone", &record.phone, normal_phone),
            ("telegram", "telegram", &record.telegram, normal_chat_id),
        ];
        for (channel, field, text, normal) in columns {
            if text.trim().is_empty() {
                continue;
            }
            match normal(text) {
                Ok(address) => given.push((channel, address)),
                Err(problem) => self.add(field, problem),
            }
        }
        let had_one = columns.iter().any(|(_, _, text, _)| !text.trim().is_empty());
        if !had_one {
            self.add("", "has no address: give email, phone or telegram");
        }
        if record.channels.is_empty() {
            given
        } else {
            self.ordered(&record.channels, given, columns)
        }
    }

    fn ordered<T>(
        &mut self,
        channels: &[String],
        given: Vec<(&'static str, String)>,
        columns: [(&'static str, &str, &str, T); 3],
    ) -> Vec<(&'static str, String)> {
        let mut ordered: Vec<(&'static str, String)> = Vec::new();
        for (position, name) in channels.iter().enumerate() {
            let field = format!("channels/{position}");
            let wanted = name.trim().to_lowercase();
            let Some((channel, column, text, _)) =
                columns.iter().find(|(channel, ..)| *channel == wanted)
            else {
                self.add(&field, format!("`{}` is none of email, sms, telegram", shown(name)));
                continue;
            };
            if ordered.iter().any(|(known, _)| known == channel) {
                self.add(&field, format!("`{channel}` stands twice"));
            } else if let Some(one) = given.iter().find(|(known, _)| known == channel) {
                ordered.push(one.clone());
            } else if text.trim().is_empty() {
                self.add(&field, format!("`{channel}` is chosen and `{column}` is empty"));
            }
        }
        ordered
    }
}

/// Enough of a text to find it again; a whole one in an error helps nobody.
fn shown(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests;
