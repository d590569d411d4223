//! The message bus, NATS JetStream or embedded, behind one small trait; and the doorbell that
//! tells a room of new rows.

mod bell;
mod embedded;
mod jetstream;
mod rounds;

use async_trait::async_trait;

pub use bell::{Bells, Listener, Room};
pub use embedded::{Embedded, from_text, to_text};
pub use jetstream::{JetStream, NatsOptions};
pub use rounds::{Round, Work, rounds};

/// What other services publish.
pub const EVENTS: &str = "PARTICIPATION_EVENTS";
/// What the gateway tells.
pub const FEEDBACK: &str = "PARTICIPATION_FEEDBACK";
/// What could not be used, with the reason.
pub const REJECTED: &str = "PARTICIPATION_REJECTED";

/// The streams and their subjects, as the contract names them.
pub const STREAMS: [(&str, &[&str]); 3] = [
    (EVENTS, &["participation.events.>"]),
    (
        FEEDBACK,
        &[
            "participation.contributions.>",
            "participation.broadcasts.>",
            "participation.citizens.>",
        ],
    ),
    (REJECTED, &["participation.rejected.>"]),
];

/// The bus did not do what was asked; it may be asked again.
#[derive(Debug, thiserror::Error)]
#[error("failed to {doing}: {why}")]
pub struct BusError {
    pub doing: &'static str,
    pub why: String,
}

impl BusError {
    fn new(doing: &'static str, why: impl std::fmt::Display) -> Self {
        Self { doing, why: why.to_string() }
    }
}

/// A message as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusMessage {
    pub subject: String,
    /// `Nats-Msg-Id`: a second publication within the bus' window changes nothing.
    pub message_id: String,
    pub headers: Vec<(String, String)>,
    pub payload: Vec<u8>,
}

/// A message that was fetched and waits for its acknowledgement.
#[derive(Debug)]
pub struct Received {
    pub message: BusMessage,
    /// Deliveries so far, this one included.
    pub tries: u64,
    handle: Handle,
}

#[derive(Debug)]
enum Handle {
    Row(i64),
    JetStream(Box<async_nats::jetstream::Message>),
}

#[async_trait]
pub trait Bus: Send + Sync {
    /// Publishes each; true: new, false: the bus had it. In the order given.
    async fn publish(&self, messages: &[BusMessage]) -> Vec<Result<bool, BusError>>;

    /// Up to `max` events; waits up to `wait` for the first.
    ///
    /// # Errors
    /// Where the bus is away.
    async fn fetch(&self, max: usize, wait: std::time::Duration)
    -> Result<Vec<Received>, BusError>;

    /// Done: never again.
    ///
    /// # Errors
    /// Where the bus is away; the event then comes again, which changes nothing.
    async fn ack(&self, received: &Received) -> Result<(), BusError>;

    /// Not now: again after `delay`.
    ///
    /// # Errors
    /// Where the bus is away; the event then comes again by itself.
    async fn nak(&self, received: &Received, delay: std::time::Duration) -> Result<(), BusError>;

    /// One line for `check` and `/readyz`.
    ///
    /// # Errors
    /// What is wrong.
    async fn probe(&self) -> Result<String, BusError>;
}

/// The stream that a subject belongs to.
#[must_use]
pub fn stream_of(subject: &str) -> &'static str {
    STREAMS
        .iter()
        .find(|(_, subjects)| {
            subjects.iter().any(|pattern| subject.starts_with(pattern.trim_end_matches('>')))
        })
        .map_or(REJECTED, |(stream, _)| stream)
}
