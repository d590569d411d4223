//! What the metropolis tells its citizens: CloudEvents 1.0 of the participation charter.

mod data;
mod kind;
mod texts;

pub use data::{
    Audience, Consultation, Contact, Decision, EventData, Meeting, MessageText, Outcome, PlainText,
    Proofread, Question, QuestionOption,
};
pub use kind::{AudienceRule, EventKind, TYPE_PREFIX};
pub use texts::Texts;

use jiff::Timestamp;
use portevoix_contract::Language;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A CloudEvent that has been checked. Serialises to its structured JSON form and back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "Envelope", from = "Envelope")]
pub struct Event {
    /// Unique with `source`.
    pub id: String,
    pub source: String,
    pub kind: EventKind,
    pub time: Option<Timestamp>,
    pub data: EventData,
}

impl Event {
    /// The plain text a person wrote for a language: the language's own, else the French one
    /// (the whole message is then French), with the language it is in. Law 8: none means wait.
    #[must_use]
    pub fn plain(&self, language: &Language) -> Option<(Language, &PlainText)> {
        let own =
            |wanted: &str| self.data.message.get(wanted).and_then(|message| message.plain.as_ref());
        own(language.as_str())
            .map(|plain| (language.clone(), plain))
            .or_else(|| own(Language::DEFAULT).map(|plain| (Language::default(), plain)))
    }

    /// By which the bus recognises a second copy: one line of ASCII, whatever source and id hold.
    #[must_use]
    pub fn message_id(&self) -> String {
        super::seal::secret_hash(&format!("{}\n{}", self.source, self.id))
    }

    /// Whether a citizen is asked to answer: the consultation is open, or the event asks a
    /// question before the authority examines the answers.
    #[must_use]
    pub fn takes_answers(&self) -> bool {
        let asks = self.data.question.is_some()
            && self.kind.phase() <= 2
            && self.kind != EventKind::MeetingCancelled;
        self.kind.takes_answers() || asks
    }
}

/// The event as it travels: CloudEvents 1.0, structured mode.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CloudEvent")]
pub(crate) struct Envelope {
    /// Version of the CloudEvents specification.
    #[schemars(extend("const" = "1.0"))]
    specversion: String,
    /// Unique with `source`: a second copy changes nothing.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"\S"))]
    id: String,
    /// Who publishes, as a URI reference.
    #[schemars(length(min = 1, max = 300), regex(pattern = r"^\S+$"))]
    source: String,
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    kind: EventKind,
    /// When it happened (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^application/([\w.+-]+\+)?json\b"))]
    datacontenttype: Option<String>,
    data: EventData,
}

impl From<Event> for Envelope {
    fn from(event: Event) -> Self {
        Self {
            specversion: "1.0".to_owned(),
            id: event.id,
            source: event.source,
            kind: event.kind,
            time: event.time,
            datacontenttype: Some("application/json".to_owned()),
            data: event.data,
        }
    }
}

impl From<Envelope> for Event {
    fn from(envelope: Envelope) -> Self {
        Self {
            id: envelope.id,
            source: envelope.source,
            kind: envelope.kind,
            time: envelope.time,
            data: envelope.data,
        }
    }
}

/// One thing that is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// JSON Pointer (RFC 6901); empty: the whole document.
    pub path: String,
    /// A lowercase fragment that says what is wrong.
    pub problem: String,
}

impl Problem {
    #[must_use]
    pub fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        write!(f, "{path}: {}", self.problem)
    }
}
