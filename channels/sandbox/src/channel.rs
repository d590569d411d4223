use std::{fmt, sync::Arc};

use async_trait::async_trait;
use portevoix_contract::{Channel, Limits, Message, Outbound, Outcome, Recipient, Unshapeable};
use serde::Serialize;
use serde_json::Value;

use crate::letterboxes::{Letterboxes, Posted};

/// A real channel's pure shaper, its content as JSON.
pub type ShapeFn =
    Box<dyn Fn(&Message, &Recipient) -> Result<Value, Unshapeable> + Send + Sync + 'static>;

/// What the shaper made. Serialises as that content alone, so a preview through the sandbox is the
/// preview of the real channel; the rest is for the letterbox.
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Enveloped {
    pub content: Value,
    #[serde(skip)]
    pub title: String,
    #[serde(skip)]
    pub token: String,
}

/// Never the words: what is sent to a citizen has no place in a log.
impl fmt::Debug for Enveloped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enveloped").finish_non_exhaustive()
    }
}

/// A channel whose provider is [`Letterboxes`].
pub struct SandboxChannel {
    name: &'static str,
    shape: ShapeFn,
    letterboxes: Arc<Letterboxes>,
    limits: Limits,
}

impl SandboxChannel {
    /// `name` is the channel it stands in for: `email`, `sms`, `telegram`.
    #[must_use]
    pub fn new(name: &'static str, shape: ShapeFn, letterboxes: Arc<Letterboxes>) -> Self {
        let limits = Limits { per_second: None, in_flight: 64 };
        Self { name, shape, letterboxes, limits }
    }

    /// Another pace than "as fast as it goes", to show one.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

#[async_trait]
impl Channel for SandboxChannel {
    type Content = Enveloped;

    fn name(&self) -> &'static str {
        self.name
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn shape(
        &self,
        message: &Message,
        recipient: &Recipient,
    ) -> Result<Self::Content, Unshapeable> {
        Ok(Enveloped {
            content: (self.shape)(message, recipient)?,
            title: message.title.clone(),
            token: recipient.token.clone(),
        })
    }

    async fn send(&self, outbound: &Outbound<Self::Content>) -> Outcome {
        let (latency, trouble) = self.letterboxes.attempt(self.name, &outbound.to);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        if let Some(trouble) = trouble
            && trouble != crate::Trouble::AnswerLost
        {
            return trouble.outcome(outbound.now_ms);
        }
        let posted = self.letterboxes.post(&Posted {
            channel: self.name,
            address: &outbound.to,
            id: &outbound.id,
            at_ms: outbound.now_ms,
            title: &outbound.content.title,
            token: &outbound.content.token,
            content: &outbound.content.content,
        });
        match (posted, trouble) {
            (Ok(_), Some(trouble)) => trouble.outcome(outbound.now_ms),
            (Ok(reference), None) => Outcome::Accepted { reference },
            (Err(error), _) => {
                Outcome::Later { not_before_ms: None, why: format!("letter not kept: {error}") }
            }
        }
    }

    async fn probe(&self) -> Result<String, String> {
        Ok(format!("{}: sandbox, nothing leaves this machine", self.name))
    }
}
