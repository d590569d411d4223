//! OVHcloud's incoming list, polled, and its receipts, which it doesn't sign.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use portevoix_contract::{
    Hook, HookError, HookRead, HookRequest, Inbound, NotStored, Receipt, ReceiptState, Sink, Source,
};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    number::e164,
    ovh::OvhApi,
    secret::same,
    wire::{Answer, WireError},
};

const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What a receipt's `dlr` means. Anything else is [`ReceiptState::Unknown`].
const STATES: &[(&str, ReceiptState)] = &[
    ("1", ReceiptState::Delivered),
    ("2", ReceiptState::Failed),
    ("4", ReceiptState::Buffered),
    ("8", ReceiptState::Buffered),
    ("16", ReceiptState::Failed),
];

/// Looks at `/sms/{service}/incoming` and hands over each message once; a message counts as taken
/// only when the sink has committed it, and a fault of the provider or the sink only delays it.
pub struct OvhIncomingSource {
    api: Arc<OvhApi>,
    every: Duration,
}

#[derive(Debug, thiserror::Error)]
enum PollError {
    #[error("{0}")]
    Wire(#[from] WireError),
    #[error("the provider answered {0}")]
    Status(u16),
    #[error("the incoming list is not one")]
    List,
    #[error(transparent)]
    NotStored(#[from] NotStored),
}

/// Which messages of the list need no more look.
#[derive(Default)]
struct Taken {
    done: HashSet<i64>,
    /// Not what the documentation describes: looked at again from then on.
    unreadable: HashMap<i64, Instant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Incoming {
    creation_datetime: String,
    message: String,
    sender: String,
}

impl OvhIncomingSource {
    pub(crate) fn new(api: Arc<OvhApi>) -> Self {
        let every = Duration::from_millis(api.config.poll_ms.max(10));
        Self { api, every }
    }

    async fn poll(
        &self,
        sink: &dyn Sink,
        taken: &mut Taken,
        stop: &CancellationToken,
    ) -> Result<(), PollError> {
        let listed: Vec<i64> = match self.get("/incoming").await? {
            Answer { status: 200, body, .. } => {
                serde_json::from_slice(&body).map_err(|_| PollError::List)?
            }
            answer => return Err(PollError::Status(answer.status)),
        };
        let still: HashSet<i64> = listed.iter().copied().collect();
        taken.done.retain(|id| still.contains(id));
        taken.unreadable.retain(|id, _| still.contains(id));
        let mut new: Vec<i64> = still
            .into_iter()
            .filter(|id| !taken.done.contains(id))
            .filter(|id| taken.unreadable.get(id).is_none_or(|from| *from <= Instant::now()))
            .collect();
        new.sort_unstable();
        for id in new {
            if stop.is_cancelled() {
                break;
            }
            self.take(id, sink, taken).await?;
        }
        Ok(())
    }

    async fn take(&self, id: i64, sink: &dyn Sink, taken: &mut Taken) -> Result<(), PollError> {
        let answer = self.get(&format!("/incoming/{id}")).await?;
        match answer.status {
            200 => {
                if let Some(inbound) = self.read(id, answer.body) {
                    sink.inbound(inbound).await?;
                    taken.unreadable.remove(&id);
                    taken.done.insert(id);
                } else {
                    tracing::error!(id, "OVHcloud incoming SMS is not understood; it stays there");
                    taken.unreadable.insert(id, Instant::now() + LONGEST_PAUSE);
                }
                Ok(())
            }
            // deleted since it was listed
            404 => {
                taken.done.insert(id);
                Ok(())
            }
            status => Err(PollError::Status(status)),
        }
    }

    fn read(&self, id: i64, raw: Vec<u8>) -> Option<Inbound> {
        let incoming: Incoming = serde_json::from_slice(&raw).ok()?;
        let received: Timestamp = incoming.creation_datetime.parse().ok()?;
        Some(Inbound {
            channel: "sms".to_owned(),
            provider_id: id.to_string(),
            from: e164(&incoming.sender),
            to: self.api.config.sender.clone().unwrap_or_else(|| self.api.config.service.clone()),
            text: Some(incoming.message),
            choice: None,
            in_reply_to: None,
            reference: None,
            edited: false,
            raw,
            received_at_ms: received.as_millisecond(),
        })
    }

    async fn get(&self, path: &str) -> Result<Answer, WireError> {
        self.api.call(Method::GET, path, String::new(), 0).await
    }
}

#[async_trait]
impl Source for OvhIncomingSource {
    fn name(&self) -> &'static str {
        "sms.ovh"
    }

    async fn run(&self, sink: Arc<dyn Sink>, stop: CancellationToken) -> Result<(), String> {
        let mut taken = Taken::default();
        let mut pause = self.every;
        loop {
            match self.poll(sink.as_ref(), &mut taken, &stop).await {
                Ok(()) => pause = self.every,
                Err(error) => {
                    pause = (pause * 2).min(LONGEST_PAUSE).max(self.every);
                    let seconds = pause.as_secs();
                    tracing::warn!(%error, seconds, "failed to take OVHcloud's incoming SMS");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// `GET …/hooks/sms/ovh?token=…&id=…&dlr=…`. OVHcloud signs nothing, so the address itself holds
/// the secret.
pub struct OvhReceiptHook {
    token: SecretString,
}

impl OvhReceiptHook {
    pub(crate) fn new(token: SecretString) -> Self {
        Self { token }
    }
}

impl Hook for OvhReceiptHook {
    fn path(&self) -> &'static str {
        "sms/ovh"
    }

    fn read(&self, request: &HookRequest) -> Result<HookRead, HookError> {
        let value = |name: &str| {
            request.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
        };
        let given = value("token").unwrap_or_default();
        if !same(self.token.expose_secret(), given) {
            return Err(HookError::NotSigned);
        }
        let missing = |name| HookError::NotUnderstood(format!("`{name}` is missing"));
        let reference = value("id").filter(|id| !id.is_empty()).ok_or_else(|| missing("id"))?;
        let code = value("dlr").ok_or_else(|| missing("dlr"))?;
        let state = STATES
            .iter()
            .find(|(known, _)| *known == code)
            .map_or(ReceiptState::Unknown, |(_, state)| *state);
        let receipt = Receipt {
            channel: "sms".to_owned(),
            reference: reference.to_owned(),
            state,
            why: format!("dlr {}", crate::verdict::shown(code)),
            at_ms: request.received_at_ms,
        };
        Ok(HookRead {
            inbound: Vec::new(),
            receipts: vec![receipt],
            answer: ("OK".to_owned(), "text/plain"),
        })
    }
}
