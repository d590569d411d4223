//! What a provider says later becomes a guarded change of state.
//!
//! A receipt may come before the result of the sending is committed: it then waits a little. One
//! for a message that is not ours ends without effect.

use tokio_util::sync::CancellationToken;

use crate::{
    bus::{Bells, Room, Round, rounds},
    clock::Clock,
    store::{ReceiptRow, Store, StoreError},
};

/// The room that applies receipts.
#[derive(Debug, Clone)]
pub struct Receipts {
    pub store: Store,
    pub bells: Bells,
    pub clock: Clock,
}

const BATCH: i64 = 200;
/// How often a receipt looks for its delivery before it is given up.
const TRIES: i64 = 8;

impl Receipts {
    /// Until `stop`.
    pub async fn run(&self, stop: &CancellationToken) {
        let listener = self.bells.listener(Room::Receipts);
        rounds(listener, stop, async || self.round().await).await;
    }

    async fn round(&self) -> Result<Round, StoreError> {
        let receipts = self.store.receipts_new(self.clock.now_ms(), BATCH).await?;
        if receipts.is_empty() {
            return Ok(Round::IDLE);
        }
        for receipt in &receipts {
            self.apply(receipt).await?;
        }
        Ok(Round::More)
    }

    async fn apply(&self, receipt: &ReceiptRow) -> Result<(), StoreError> {
        let now = self.clock.now_ms();
        let change = change(&receipt.state);
        if change.is_some() && receipt.tries < TRIES {
            let known = self.store.reference_known(&receipt.channel, &receipt.reference).await?;
            if !known {
                let wait = 250 * (1 << receipt.tries);
                return self.store.defer_receipt(receipt.id, now + wait).await;
            }
        }
        if receipt.state == "unknown" {
            tracing::warn!(channel = %receipt.channel, why = %receipt.why,
                "a provider's status is in no table");
        }
        let (to, dead) = change.map_or((None, false), |(to, dead)| (Some(to), dead));
        if self.store.apply_receipt(receipt, to, dead, now).await? && dead {
            self.bells.ring(Room::Dispatch);
        }
        Ok(())
    }
}

/// The state a receipt leads to, and whether the address is dead; none: it changes nothing.
fn change(state: &str) -> Option<(&'static str, bool)> {
    match state {
        "delivered" => Some(("delivered", false)),
        "failed" => Some(("failed", false)),
        "address_dead" => Some(("failed", true)),
        _ => None,
    }
}
