//! The balance of an event, as `GET /api/v1/events/{id}` and `audit --json` give it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts by state. `claimed` counts as pending outside.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct States {
    pub pending: i64,
    pub sent: i64,
    pub delivered: i64,
    pub failed: i64,
    pub suppressed: i64,
    pub expired: i64,
    pub cancelled: i64,
}

impl States {
    #[must_use]
    pub fn sum(&self) -> i64 {
        self.pending
            + self.sent
            + self.delivered
            + self.failed
            + self.suppressed
            + self.expired
            + self.cancelled
    }

    fn slot(&mut self, state: &str) -> Option<&mut i64> {
        Some(match state {
            "pending" | "claimed" => &mut self.pending,
            "sent" => &mut self.sent,
            "delivered" => &mut self.delivered,
            "failed" => &mut self.failed,
            "suppressed" => &mut self.suppressed,
            "expired" => &mut self.expired,
            "cancelled" => &mut self.cancelled,
            _ => return None,
        })
    }
}

/// One event's balance: `planned` = the sum of `states`, at every instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Balance {
    /// The CloudEvent's id.
    pub id: String,
    /// Its type in full.
    #[serde(rename = "type")]
    pub event_type: String,
    pub planned: i64,
    pub states: States,
    pub by_channel: BTreeMap<String, States>,
    pub contributions: i64,
}

impl Balance {
    /// `kind` is the event's name (`consultation.opened`).
    #[must_use]
    pub fn new(id: &str, kind: &str, planned: i64, contributions: i64) -> Self {
        Self {
            id: id.to_owned(),
            event_type: format!("fr.lillemetropole.participation.{kind}"),
            planned,
            states: States::default(),
            by_channel: BTreeMap::new(),
            contributions,
        }
    }

    pub fn add(&mut self, channel: &str, state: &str, count: i64) {
        if let Some(slot) = self.states.slot(state) {
            *slot += count;
        }
        if let Some(slot) = self.by_channel.entry(channel.to_owned()).or_default().slot(state) {
            *slot += count;
        }
    }

    #[must_use]
    pub fn holds(&self) -> bool {
        self.planned == self.states.sum()
    }

    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.states.pending == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claimed_counts_as_pending_and_a_missing_row_shows() {
        let mut balance = Balance::new("e", "consultation.opened", 3, 0);
        balance.add("email", "claimed", 1);
        balance.add("sms", "pending", 1);
        assert!(!balance.holds());
        balance.add("sms", "sent", 1);
        assert!(balance.holds());
        assert_eq!(balance.states.pending, 2);
        assert!(!balance.is_complete());
    }
}
