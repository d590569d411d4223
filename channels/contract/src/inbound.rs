use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Something that came in, before anyone has read it. `raw` is exactly what the provider handed
/// over: RFC 5322 bytes for email, the provider's JSON or form for the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    /// `email`, `sms` or `telegram`.
    pub channel: String,
    /// The provider's own id, unique with `channel`: a second copy changes nothing.
    pub provider_id: String,
    /// Address it came from, in the channel's normal form (E.164, chat id, addr-spec).
    pub from: String,
    /// Address it was sent to (envelope recipient, short number, bot name).
    pub to: String,
    /// The words, where the channel knows them without reading MIME (SMS, chat).
    pub text: Option<String>,
    /// The key of the option that was pressed (inline button), if any.
    pub choice: Option<String>,
    /// Reference (as in [`crate::Outcome::Accepted`]) of the message this one answers, if known.
    pub in_reply_to: Option<String>,
    /// Reference of this message itself, so that an edit of it can be recognised.
    pub reference: Option<String>,
    /// This is a later version of `reference`.
    pub edited: bool,
    pub raw: Vec<u8>,
    /// Epoch milliseconds; the provider's time where it gives one.
    pub received_at_ms: i64,
}

/// What a provider says later of a message it had accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub channel: String,
    /// As in [`crate::Outcome::Accepted`].
    pub reference: String,
    pub state: ReceiptState,
    /// The provider's own words or code.
    pub why: String,
    pub at_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    /// On its way; changes nothing.
    Buffered,
    Delivered,
    /// Did not arrive; the address may be fine.
    Failed,
    /// Did not arrive, and writing to this address again is useless or unwelcome.
    AddressDead,
    /// A code that the channel's table doesn't know: kept and counted, never guessed.
    Unknown,
}

/// Whether the row is new. Both mean: safe to acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    New,
    Duplicate,
}

/// The daemon could not commit. The provider must not be told "received", so that it tries again.
#[derive(Debug, thiserror::Error)]
#[error("failed to store what came in: {0}")]
pub struct NotStored(pub String);

/// Where a channel hands over what came in. `Ok` means committed: only then may it acknowledge.
#[async_trait]
pub trait Sink: Send + Sync {
    async fn inbound(&self, inbound: Inbound) -> Result<Stored, NotStored>;
    async fn receipt(&self, receipt: Receipt) -> Result<(), NotStored>;
}

/// A loop that fetches or listens (LMTP, long polling, polling an incoming list) until `stop` is
/// cancelled. A fault of the provider is survived inside; an error means that it can't start.
#[async_trait]
pub trait Source: Send + Sync {
    /// For logs and metrics: `email.lmtp`, `telegram.poll` …
    fn name(&self) -> &'static str;
    async fn run(
        &self,
        sink: std::sync::Arc<dyn Sink>,
        stop: tokio_util::sync::CancellationToken,
    ) -> Result<(), String>;
}
