//! Claimed deliveries go to their channel, at the channel's pace.
//!
//! Each channel has a feeder that claims in batches, tasks that send, and a settler that writes
//! results in groups. A delivery holds one of the channel's permits from before it is sent until
//! its result is committed, so that a kill can repeat at most as many messages as there are permits.

mod breaker;
mod feeder;
mod pace;
mod preparing;
mod settler;

use std::sync::Arc;

use portevoix_contract::Deliver;
use tokio_util::sync::CancellationToken;

pub use preparing::{Addresses, Prepared, Preparer};

use crate::{
    bus::Bells,
    clock::Clock,
    outbox::{Backoff, Hours},
    store::Store,
};

/// How a channel is used.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Deliveries claimed at once.
    pub batch: usize,
    /// Sent at once; no more than the channel's own limit.
    pub in_flight: usize,
    /// Messages a second; none: the channel's own limit.
    pub per_second: Option<f64>,
    /// When information messages may go; none: at any time.
    pub hours: Option<Hours>,
}

/// The room that sends. One for each channel.
pub struct Dispatch {
    pub store: Store,
    pub bells: Bells,
    pub clock: Clock,
    pub channel: Arc<dyn Deliver>,
    pub preparer: Arc<Preparer>,
    pub pace: Pace,
    pub backoff: Backoff,
    /// This process, as its leases name it.
    pub owner: i64,
    /// How long a lease holds (ms).
    pub lease_ms: i64,
}

impl Dispatch {
    /// Until `stop`: then nothing more is claimed, what was claimed and not begun is given back,
    /// and what is in flight is settled.
    pub async fn run(self: Arc<Self>, stop: &CancellationToken) {
        let (settler, results) = settler::Settler::new(&self);
        let settling = tokio::spawn(settler.run());
        feeder::feed(&self, &results, stop).await;
        drop(results);
        if let Err(error) = settling.await {
            tracing::error!(%error, "the settler ended badly; its leases will be taken over");
        }
    }
}
