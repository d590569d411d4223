//! Rows for the bus go to the bus, each once: published under its message id, and marked only when
//! the bus has confirmed.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    bus::{Bells, Bus, BusMessage, Room, Round, from_text, rounds},
    clock::Clock,
    store::{OutgoingRow, Store, StoreError},
};

/// The room that publishes.
#[derive(Clone)]
pub struct Relay {
    pub store: Store,
    pub bus: Arc<dyn Bus>,
    pub bells: Bells,
    pub clock: Clock,
}

#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bus(#[from] crate::bus::BusError),
}

/// Publications in flight together: one at a time is twenty times slower.
const WINDOW: i64 = 256;
/// Published rows are kept this long for people to look at.
const KEPT_MS: i64 = 7 * 24 * 3_600_000;

impl Relay {
    /// Until `stop`.
    pub async fn run(&self, stop: &CancellationToken) {
        let listener = self.bells.listener(Room::Relay);
        rounds(listener, stop, async || self.round().await).await;
    }

    async fn round(&self) -> Result<Round, RelayError> {
        let rows = self.store.unsent(WINDOW).await?;
        metrics::gauge!("portevoix_relay_pending").set(rows.len() as f64);
        if rows.is_empty() {
            self.store.forget_sent(self.clock.now_ms() - KEPT_MS).await?;
            return Ok(Round::Wait(Duration::from_secs(2)));
        }
        let messages: Vec<BusMessage> = rows.iter().map(message).collect();
        let mut sent = Vec::with_capacity(rows.len());
        let mut fault = None;
        for (row, result) in rows.iter().zip(self.bus.publish(&messages).await) {
            match result {
                Ok(_new) => sent.push(row.id),
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        if !sent.is_empty() {
            self.store.mark_sent(&sent, self.clock.now_ms()).await?;
        }
        match fault {
            Some(error) => Err(error.into()),
            None => Ok(Round::More),
        }
    }
}

fn message(row: &OutgoingRow) -> BusMessage {
    let (headers, payload) = from_text(&row.headers, &row.payload);
    BusMessage {
        subject: row.subject.clone(),
        message_id: row.message_id.clone(),
        headers,
        payload,
    }
}
