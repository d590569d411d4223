use serde::{Deserialize, Serialize};

/// What stands before the name in a CloudEvents type.
pub const TYPE_PREFIX: &str = "fr.lillemetropole.participation.";

/// The events of the participation charter. Serialises as the full CloudEvents type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum EventKind {
    ProjectAnnounced,
    ContractPublished,
    ContractAmended,
    StrategyPublished,
    ConsultationOpened,
    ConsultationClosing,
    MeetingScheduled,
    MeetingCancelled,
    InstructionStarted,
    SynthesisPublished,
    OpinionPublished,
    DecisionAdopted,
    ImplementationUpdated,
}

/// Who receives an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AudienceRule {
    /// Subscribers of the area, whatever their themes and groups.
    Area,
    /// Subscribers who fit the event's communes, themes and groups.
    Audience,
    /// The audience, and whoever has already taken part in the consultation.
    AudienceAndParticipants,
    /// The audience without those who have already answered.
    NotAnswered,
    /// Those registered for the meeting.
    Registered,
    /// Those who contributed to the consultation.
    Contributors,
    /// Contributors, and the audience.
    ContributorsAndSubscribers,
    /// Each contributor, with the outcome of their own themes; and followers.
    ContributorsWithOutcomes,
}

impl EventKind {
    /// In the charter's order.
    pub const ALL: [Self; 13] = [
        Self::ProjectAnnounced,
        Self::ContractPublished,
        Self::ContractAmended,
        Self::StrategyPublished,
        Self::ConsultationOpened,
        Self::ConsultationClosing,
        Self::MeetingScheduled,
        Self::MeetingCancelled,
        Self::InstructionStarted,
        Self::SynthesisPublished,
        Self::OpinionPublished,
        Self::DecisionAdopted,
        Self::ImplementationUpdated,
    ];

    /// The short name: `consultation.opened`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProjectAnnounced => "project.announced",
            Self::ContractPublished => "contract.published",
            Self::ContractAmended => "contract.amended",
            Self::StrategyPublished => "strategy.published",
            Self::ConsultationOpened => "consultation.opened",
            Self::ConsultationClosing => "consultation.closing",
            Self::MeetingScheduled => "meeting.scheduled",
            Self::MeetingCancelled => "meeting.cancelled",
            Self::InstructionStarted => "instruction.started",
            Self::SynthesisPublished => "synthesis.published",
            Self::OpinionPublished => "opinion.published",
            Self::DecisionAdopted => "decision.adopted",
            Self::ImplementationUpdated => "implementation.updated",
        }
    }

    /// The kind of a short name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of a full CloudEvents type.
    #[must_use]
    pub fn from_type(ce_type: &str) -> Option<Self> {
        Self::from_name(ce_type.strip_prefix(TYPE_PREFIX)?)
    }

    /// The full CloudEvents type.
    #[must_use]
    pub fn ce_type(self) -> String {
        format!("{TYPE_PREFIX}{}", self.name())
    }

    /// The bus subject a publisher sends it to.
    #[must_use]
    pub fn subject(self) -> String {
        format!("participation.events.{}", self.name())
    }

    /// Phase of the charter, 1 to 4; 0: before it starts.
    #[must_use]
    pub const fn phase(self) -> u8 {
        match self {
            Self::ProjectAnnounced => 0,
            Self::ContractPublished | Self::ContractAmended => 1,
            Self::StrategyPublished
            | Self::ConsultationOpened
            | Self::ConsultationClosing
            | Self::MeetingScheduled
            | Self::MeetingCancelled => 2,
            Self::InstructionStarted | Self::SynthesisPublished => 3,
            Self::OpinionPublished | Self::DecisionAdopted | Self::ImplementationUpdated => 4,
        }
    }

    #[must_use]
    pub const fn audience(self) -> AudienceRule {
        match self {
            Self::ProjectAnnounced => AudienceRule::Area,
            Self::ContractPublished | Self::StrategyPublished | Self::ConsultationOpened => {
                AudienceRule::Audience
            }
            Self::ContractAmended => AudienceRule::AudienceAndParticipants,
            Self::ConsultationClosing => AudienceRule::NotAnswered,
            Self::MeetingScheduled | Self::MeetingCancelled => AudienceRule::Registered,
            Self::InstructionStarted => AudienceRule::Contributors,
            Self::SynthesisPublished => AudienceRule::ContributorsAndSubscribers,
            Self::OpinionPublished | Self::DecisionAdopted | Self::ImplementationUpdated => {
                AudienceRule::ContributorsWithOutcomes
            }
        }
    }

    /// Whether the message asks for an answer: only while the consultation is open.
    #[must_use]
    pub const fn takes_answers(self) -> bool {
        matches!(self, Self::ConsultationOpened | Self::ConsultationClosing)
    }
}

impl std::fmt::Display for EventKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl From<EventKind> for String {
    fn from(kind: EventKind) -> Self {
        kind.ce_type()
    }
}

impl TryFrom<String> for EventKind {
    type Error = String;

    fn try_from(ce_type: String) -> Result<Self, Self::Error> {
        Self::from_type(&ce_type).ok_or_else(|| format!("`{ce_type}` is no type of this gateway"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_types_lead_back_to_their_kind() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_type(&kind.ce_type()), Some(kind));
            assert_eq!(EventKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(EventKind::from_type("consultation.opened"), None);
        assert_eq!(EventKind::from_type("fr.lillemetropole.participation.feast.held"), None);
    }

    #[test]
    fn phases_follow_the_charter_in_order() {
        assert!(EventKind::ALL.is_sorted_by_key(|kind| kind.phase()));
        assert_eq!(EventKind::DecisionAdopted.phase(), 4);
    }
}
