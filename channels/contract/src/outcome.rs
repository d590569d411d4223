use serde::{Deserialize, Serialize};

/// Whose fault a final refusal is. Decides what happens next: an `Address` fault may suppress the
/// address, a `Message` fault concerns this message only, an `Us` fault alerts the operator and
/// never costs a person their subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    Address,
    Message,
    Us,
}

/// What became of one attempt. Channels classify; the outbox alone decides about retries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The provider took charge. `reference`: its own id of the message, by which receipts and
    /// replies will name it (for Telegram `chat_id:message_id`).
    Accepted { reference: String },
    /// Temporary; may be tried again, not before `not_before_ms` (epoch ms) where the provider said so.
    Later { not_before_ms: Option<i64>, why: String },
    /// For good.
    Refused { fault: Fault, why: String },
    /// The provider asks the whole channel to wait until `until_ms` (epoch ms). This attempt did
    /// not happen and does not count.
    SlowDown { until_ms: i64, why: String },
}
