//! An event, or a notice to one citizen, becomes a [`Message`]: template, language, register.
//!
//! Pure: templates are read once, when the [`Renderer`] is made. A template is one Markdown text
//! per event, language and register. What came from outside is a value in it: always escaped,
//! never evaluated; only the event's own Markdown body is parsed, apart from the template, so that
//! nothing in it can swallow or change what stands around it.

mod broadcast;
mod check;
pub(crate) mod dates;
mod escape;
mod notice;
pub mod samples;
mod templates;

use portevoix_contract::{Language, Message, Register};

pub use crate::model::notice::Notice;
pub use templates::Renderer;

/// Whom a broadcast is rendered for: everyone of one variant gets the same words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Variant {
    pub language: Language,
    pub register: Register,
    /// Where plain was asked for and no one has written it: send the standard text, which says so.
    pub standard_instead: bool,
    /// Show the outcomes of these themes only; empty, or none of them decided: all outcomes.
    pub themes: Vec<String>,
}

/// Addresses that the gateway adds to a broadcast.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    /// The broadcast's accessible page.
    pub page: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one lives per variant, for as long as it is sent")]
pub enum Rendered {
    Message(Message),
    /// Plain was asked for and no person has written it yet: the message waits (law 8).
    AwaitsPlain,
}

#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("template folder {path} can't be read: {source}")]
    Read {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("template {name} is not well formed: {why}")]
    Malformed { name: String, why: String },
    #[error("template {name} can't be evaluated: {source}")]
    Template {
        name: String,
        #[source]
        source: minijinja::Error,
    },
    #[error("template {name} does not exist")]
    Missing { name: String },
    #[error("sample of {kind} is no event: {source}")]
    Sample {
        kind: crate::model::event::EventKind,
        #[source]
        source: serde_json::Error,
    },
}

#[cfg(test)]
mod tests;
