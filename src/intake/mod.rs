//! An event comes in: checked against its schema, stored once, then acknowledged.
//!
//! What can't be used goes to the dead letters with every problem's path; a second copy changes
//! nothing; a database that is away makes the bus wait.

mod accept;
pub mod schema;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use accept::{Verdict, consultation_row, deadline, rejected};

use crate::{
    bus::{Bells, Bus, Received, Room, Round, Work, rounds},
    clock::Clock,
    store::{Store, StoreError},
};

/// The room that takes events from the bus.
#[derive(Clone)]
pub struct Intake {
    pub store: Store,
    pub bus: Arc<dyn Bus>,
    pub bells: Bells,
    pub clock: Clock,
}

#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bus(#[from] crate::bus::BusError),
}

/// Events fetched at once.
const BATCH: usize = 100;
/// How long one fetch waits: the longest a stop has to wait for this room.
const PATIENCE: Duration = Duration::from_secs(1);

#[async_trait]
impl Work for Intake {
    type Error = IntakeError;

    async fn round(&self) -> Result<Round, Self::Error> {
        for received in self.bus.fetch(BATCH, PATIENCE).await? {
            match self.take(&received).await {
                Ok(()) => self.bus.ack(&received).await?,
                Err(error) => {
                    let delay = Duration::from_secs((1_u64 << received.tries.min(6)).min(60));
                    self.bus.nak(&received, delay).await?;
                    return Err(error.into());
                }
            }
        }
        Ok(Round::More)
    }
}

impl Intake {
    /// Until `stop`.
    pub async fn run(&self, stop: &CancellationToken) {
        let listener = self.bells.listener(Room::Intake);
        rounds(self, listener, stop).await;
    }

    /// Commits what becomes of one message; only then may it be acknowledged.
    async fn take(&self, received: &Received) -> Result<(), StoreError> {
        let message = &received.message;
        match schema::parse(&message.headers, &message.payload) {
            Ok(event) => {
                let verdict = accept::accept(&self.store, &self.clock, &event).await?;
                if verdict == Verdict::Accepted {
                    tracing::info!(event = %event.id, kind = %event.kind, "event accepted");
                    self.bells.ring(Room::Audience);
                }
                metrics::counter!("portevoix_events_total", "result" => verdict.as_str())
                    .increment(1);
            }
            Err(problems) => {
                let row = rejected(message, &problems, self.clock.now_ms());
                tracing::warn!(subject = %message.subject, problems = problems.len(),
                    first = %problems.first().map(ToString::to_string).unwrap_or_default(),
                    "event rejected");
                self.store.queue_outgoing(&row).await?;
                metrics::counter!("portevoix_events_total", "result" => "rejected").increment(1);
                self.bells.ring(Room::Relay);
            }
        }
        Ok(())
    }
}
