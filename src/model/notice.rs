//! What the gateway says to one person in answer to something they did.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::event::Consultation;

/// A service message to one citizen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// Receipt of a contribution (CRPA L112-11): number, date received, service, what happens next.
    Receipt {
        number: String,
        received_on: Date,
        /// What the citizen wrote; shortened when rendered.
        excerpt: Option<String>,
        /// Label of the option they chose.
        answer: Option<String>,
    },
    /// A contribution was changed by its author.
    Amended { number: String, received_on: Date, excerpt: Option<String>, answer: Option<String> },
    /// A contribution was taken back by its author.
    Withdrawn { number: String, received_on: Date },
    /// STOP was obeyed.
    Stopped,
    /// The citizen came back after a STOP.
    Restarted,
    /// What can be written to us.
    Help,
    /// A channel was confirmed.
    Welcome,
    /// The answer fits several consultations: key to send back, title.
    Choices { items: Vec<(String, String)> },
    /// The answer fits none: a person will read it.
    Held { received_on: Date },
    /// Double opt-in: open this page to confirm.
    Confirm { link: String },
}

impl Notice {
    /// The name of its templates' folder after `notice.`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Receipt { .. } => "receipt",
            Self::Amended { .. } => "amended",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Stopped => "stopped",
            Self::Restarted => "restarted",
            Self::Help => "help",
            Self::Welcome => "welcome",
            Self::Choices { .. } => "choices",
            Self::Held { .. } => "held",
            Self::Confirm { .. } => "confirm",
        }
    }
}

/// A notice as its delivery keeps it, with what it is about and what it answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    pub notice: Notice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consultation: Option<Consultation>,
    /// Message-ID of the mail it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
}
