//! What the gateway tells the bus: CloudEvents 1.0 of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{balance::States, event::TYPE_PREFIX};

/// CloudEvents `source` of everything that the gateway tells.
pub const SOURCE: &str = "/portevoix";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutgoingKind {
    ContributionReceived,
    ContributionAmended,
    ContributionWithdrawn,
    BroadcastProgress,
    BroadcastCompleted,
    CitizenJoined,
    CitizenLeft,
}

impl OutgoingKind {
    pub const ALL: [Self; 7] = [
        Self::ContributionReceived,
        Self::ContributionAmended,
        Self::ContributionWithdrawn,
        Self::BroadcastProgress,
        Self::BroadcastCompleted,
        Self::CitizenJoined,
        Self::CitizenLeft,
    ];

    /// The short name: `contribution.received`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ContributionReceived => "contribution.received",
            Self::ContributionAmended => "contribution.amended",
            Self::ContributionWithdrawn => "contribution.withdrawn",
            Self::BroadcastProgress => "broadcast.progress",
            Self::BroadcastCompleted => "broadcast.completed",
            Self::CitizenJoined => "citizen.joined",
            Self::CitizenLeft => "citizen.left",
        }
    }

    /// The bus subject it is published on: `participation.contributions.received`.
    #[must_use]
    pub const fn subject(self) -> &'static str {
        match self {
            Self::ContributionReceived => "participation.contributions.received",
            Self::ContributionAmended => "participation.contributions.amended",
            Self::ContributionWithdrawn => "participation.contributions.withdrawn",
            Self::BroadcastProgress => "participation.broadcasts.progress",
            Self::BroadcastCompleted => "participation.broadcasts.completed",
            Self::CitizenJoined => "participation.citizens.joined",
            Self::CitizenLeft => "participation.citizens.left",
        }
    }

    /// The full CloudEvents type.
    #[must_use]
    pub fn ce_type(self) -> String {
        format!("{TYPE_PREFIX}{}", self.name())
    }

    /// A structured CloudEvent of this kind. `source` is a URI reference that names the gateway.
    #[must_use]
    pub fn cloudevent(self, id: &str, source: &str, time: Timestamp, data: &Value) -> Value {
        json!({
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": self.ce_type(),
            "time": time.to_string(),
            "datacontenttype": "application/json",
            "data": data,
        })
    }
}

/// `contribution.received`, `.amended` and `.withdrawn`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContributionData {
    pub contribution_id: String,
    pub consultation_id: String,
    /// The author's random pseudonym in this consultation; never an address or a name.
    pub author: String,
    pub channel: ChannelName,
    /// BCP 47.
    pub language: String,
    /// What the author wrote; empty once withdrawn.
    pub text: String,
    /// Key of the option that was chosen.
    pub answer: Option<String>,
    /// Id of the event that was answered.
    pub in_reply_to: Option<String>,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub received_at: Timestamp,
    pub attachments: Vec<Attachment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ChannelName {
    Email,
    Sms,
    Telegram,
    Web,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    pub name: String,
    pub media_type: String,
    /// Size in bytes.
    pub bytes: u64,
    pub url: String,
}

/// `broadcast.progress` and `.completed`: the balance of one event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BroadcastData {
    pub event_id: String,
    pub consultation_id: String,
    /// Deliveries planned: the sum of all states.
    pub planned: i64,
    pub states: States,
    pub by_channel: BTreeMap<String, States>,
}

/// `citizen.joined` and `.left`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CitizenData {
    pub pseudonym: String,
    pub channel: ChannelName,
    /// INSEE code, where known.
    pub commune: Option<String>,
}
