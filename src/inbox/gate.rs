//! The gate: what a channel hands over is sealed and committed before anything else happens.

use std::sync::Arc;

use async_trait::async_trait;
use portevoix_contract::{Inbound, NotStored, Receipt, ReceiptState, Sink, Stored};

use crate::{
    bus::{Bells, Room},
    model::seal::Sealer,
    store::{NewReply, Store},
};

/// The [`Sink`] that every channel and webhook is given.
#[derive(Clone)]
pub struct Gate {
    pub store: Store,
    pub sealer: Arc<Sealer>,
    pub bells: Bells,
}

#[async_trait]
impl Sink for Gate {
    async fn inbound(&self, inbound: Inbound) -> Result<Stored, NotStored> {
        let sealed = serde_json::to_vec(&Packed::from(&inbound))
            .map_err(|error| NotStored(error.to_string()))?;
        let row = NewReply {
            sender: self.sealer.seal(inbound.from.as_bytes()),
            fingerprint: self.sealer.fingerprint(&inbound.channel, &inbound.from),
            recipient: local_part(&inbound.to),
            sealed: self.sealer.seal(&sealed),
            reference: inbound.reference.clone(),
            received_at: inbound.received_at_ms,
            provider_id: inbound.provider_id,
            channel: inbound.channel.clone(),
        };
        let new = self.store.store_reply(&row).await.map_err(|error| {
            tracing::warn!(%error, "what came in is not stored; the sender will try again");
            NotStored(error.to_string())
        })?;
        metrics::counter!("portevoix_inbound_total", "channel" => inbound.channel).increment(1);
        self.bells.ring(Room::Inbox);
        Ok(if new { Stored::New } else { Stored::Duplicate })
    }

    async fn receipt(&self, receipt: Receipt) -> Result<(), NotStored> {
        let state = match receipt.state {
            ReceiptState::Buffered => "buffered",
            ReceiptState::Delivered => "delivered",
            ReceiptState::Failed => "failed",
            ReceiptState::AddressDead => "address_dead",
            ReceiptState::Unknown => "unknown",
        };
        self.store
            .store_receipt(&receipt.channel, &receipt.reference, state, &receipt.why, receipt.at_ms)
            .await
            .map_err(|error| NotStored(error.to_string()))?;
        metrics::counter!("portevoix_receipts_total", "channel" => receipt.channel, "state" => state)
            .increment(1);
        self.bells.ring(Room::Receipts);
        Ok(())
    }
}

/// Our own address' local part tells which token was written to; a person's address is never kept
/// in clear.
fn local_part(to: &str) -> String {
    to.split('@').next().unwrap_or_default().to_owned()
}

/// An [`Inbound`] as it is sealed: raw bytes as base64, not as a JSON array of numbers.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Packed {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) text: Option<String>,
    pub(super) choice: Option<String>,
    pub(super) in_reply_to: Option<String>,
    pub(super) edited: bool,
    raw: String,
}

impl From<&Inbound> for Packed {
    fn from(inbound: &Inbound) -> Self {
        use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
        Self {
            from: inbound.from.clone(),
            to: inbound.to.clone(),
            text: inbound.text.clone(),
            choice: inbound.choice.clone(),
            in_reply_to: inbound.in_reply_to.clone(),
            edited: inbound.edited,
            raw: STANDARD_NO_PAD.encode(&inbound.raw),
        }
    }
}

impl Packed {
    pub(super) fn raw(&self) -> Vec<u8> {
        use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
        STANDARD_NO_PAD.decode(&self.raw).unwrap_or_default()
    }
}
