use serde::{Deserialize, Serialize};

use crate::markdown::Block;

/// A BCP 47 primary language subtag, lower case (`fr`, `nl`, `en` …).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Language(String);

impl Language {
    /// The language every text exists in, and the one used where a citizen's own is missing.
    pub const DEFAULT: &'static str = "fr";

    /// Keeps the primary subtag of a BCP 47 tag: `nl-BE` becomes `nl`.
    #[must_use]
    pub fn new(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic()) {
            Self(primary.to_ascii_lowercase())
        } else {
            Self::default()
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Language {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a text is written: for everyone, or accessible plain language (FALC).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Register {
    #[default]
    Standard,
    Plain,
}

impl Register {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Plain => "plain",
        }
    }
}

impl std::str::FromStr for Register {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "standard" => Ok(Self::Standard),
            "plain" => Ok(Self::Plain),
            other => Err(format!("`{other}` is neither standard nor plain")),
        }
    }
}

/// What may be claimed of a plain text: only a proofread one carries the label "FALC".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextState {
    /// A standard text: no label.
    #[default]
    Standard,
    /// Plain, not proofread: "version simplifiée".
    Simplified,
    /// Proofread by people with intellectual disability: "FALC".
    Proofread,
    /// The standard text sent to someone who asked for plain, as configured; it says so.
    StandardInstead,
}

/// Words that know no channel, the same for everyone of one variant (event, language, register,
/// outcomes). What is one citizen's own (name, tokens, links) is in [`crate::Recipient`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// One line, no markup.
    pub title: String,
    pub blocks: Vec<Block>,
    /// The text to use where room is scarce (SMS); one paragraph, no markup, no link.
    pub short: Option<String>,
    pub actions: Vec<Action>,
    /// Who writes, why, how to object. Below everything else.
    pub footer: Vec<Block>,
    /// Greeting before the recipient's name ("Bonjour"); none: no greeting.
    pub greeting: Option<String>,
    pub language: Language,
    pub register: Register,
    pub text_state: TextState,
    /// Absolute address of the broadcast's accessible page, `None` for a service message.
    pub page: Option<String>,
    /// A broadcast carries list headers and can be unsubscribed from; a service message
    /// (receipt, confirmation, question back) does not.
    pub broadcast: bool,
    /// Stable name of what the message is about, for `List-Id` and `Feedback-ID`: ASCII letters,
    /// digits, `-` and `.`.
    pub topic: String,
}

/// What a citizen can do with the message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Answer in one's own words, by the channel's own means.
    Answer { label: String },
    /// One option of the question; `key` is what is sent back (`1`, `oui` …).
    Choose { key: String, label: String },
    /// A page to open.
    Link { label: String, url: String },
}
