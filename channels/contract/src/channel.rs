use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{message::Message, outcome::Outcome};

/// What is one citizen's own in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The opened address in the channel's form: addr-spec, E.164, chat id.
    pub address: String,
    pub name: Option<String>,
    /// Opaque authenticated token of this delivery: `r+<token>@`, `b+<token>@`, callback data.
    /// Lower-case base32, at most 40 characters.
    pub token: String,
    /// Absolute address of the one-click unsubscribe endpoint; none for a service message.
    pub unsubscribe: Option<String>,
    /// Absolute address of the citizen's own page.
    pub preferences: Option<String>,
    /// Message-ID of the mail this one answers, in angle brackets.
    pub in_reply_to: Option<String>,
}

/// One attempt at one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbound<C> {
    /// Stable over attempts: what a provider that knows idempotency keys is given.
    pub id: String,
    pub to: String,
    pub content: C,
    /// Epoch milliseconds of the attempt.
    pub now_ms: i64,
    /// Epoch milliseconds after which the message is worthless; a provider that takes a validity
    /// period is told.
    pub deadline_ms: Option<i64>,
}

/// This message can't be made for this channel; trying again would not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("message can't be shaped for {channel}: {why}")]
pub struct Unshapeable {
    pub channel: &'static str,
    pub why: String,
}

/// The pace a channel bears.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Messages a second over all; none: as fast as `in_flight` allows.
    pub per_second: Option<f64>,
    /// Sends at once.
    pub in_flight: usize,
}

/// A way to reach people. `shape` is pure; `send` does the I/O and classifies what happens.
#[async_trait]
pub trait Channel: Send + Sync + 'static {
    type Content: Serialize + Send + Sync + Clone + std::fmt::Debug + 'static;

    /// `email`, `sms`, `telegram`.
    fn name(&self) -> &'static str;

    fn limits(&self) -> Limits;

    /// # Errors
    /// [`Unshapeable`] where no content can be made, with the reason.
    fn shape(&self, message: &Message, recipient: &Recipient)
    -> Result<Self::Content, Unshapeable>;

    async fn send(&self, outbound: &Outbound<Self::Content>) -> Outcome;

    /// One line for `check`: reaches the provider without sending anything.
    ///
    /// # Errors
    /// What is wrong and what to do.
    async fn probe(&self) -> Result<String, String>;
}

/// What a channel made of a message, as anything that shows it needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shaped {
    pub channel: String,
    pub content: serde_json::Value,
}

/// [`Channel`] with its content type hidden: what the daemon holds one of per channel.
#[async_trait]
pub trait Deliver: Send + Sync {
    fn name(&self) -> &'static str;
    fn limits(&self) -> Limits;

    /// # Errors
    /// As [`Channel::shape`].
    fn preview(&self, message: &Message, recipient: &Recipient) -> Result<Shaped, Unshapeable>;

    /// Shapes and sends. What can't be shaped is refused as the message's fault.
    async fn deliver(
        &self,
        message: &Message,
        recipient: &Recipient,
        id: &str,
        now_ms: i64,
        deadline_ms: Option<i64>,
    ) -> Outcome;

    /// As [`Channel::probe`].
    ///
    /// # Errors
    /// What is wrong and what to do.
    async fn probe(&self) -> Result<String, String>;
}

#[async_trait]
impl<T: Channel> Deliver for T {
    fn name(&self) -> &'static str {
        Channel::name(self)
    }

    fn limits(&self) -> Limits {
        Channel::limits(self)
    }

    fn preview(&self, message: &Message, recipient: &Recipient) -> Result<Shaped, Unshapeable> {
        let content = self.shape(message, recipient)?;
        let content = serde_json::to_value(&content).map_err(|error| Unshapeable {
            channel: Channel::name(self),
            why: error.to_string(),
        })?;
        Ok(Shaped { channel: Channel::name(self).to_owned(), content })
    }

    async fn deliver(
        &self,
        message: &Message,
        recipient: &Recipient,
        id: &str,
        now_ms: i64,
        deadline_ms: Option<i64>,
    ) -> Outcome {
        match self.shape(message, recipient) {
            Ok(content) => {
                self.send(&Outbound {
                    id: id.to_owned(),
                    to: recipient.address.clone(),
                    content,
                    now_ms,
                    deadline_ms,
                })
                .await
            }
            Err(error) => {
                Outcome::Refused { fault: crate::outcome::Fault::Message, why: error.why }
            }
        }
    }

    async fn probe(&self) -> Result<String, String> {
        Channel::probe(self).await
    }
}
