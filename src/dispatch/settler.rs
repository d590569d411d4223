//! Results of attempts are committed in groups: while one group is being written, the next one
//! gathers.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::{Dispatch, preparing::Verdict};
use crate::{
    bus::Room,
    outbox::settle,
    store::{Claimed, Settlement},
};

/// A result on its way; the permit is held until it is committed.
pub(super) struct Outcomes {
    pub(super) claimed: Claimed,
    pub(super) outcome: Verdict,
    pub(super) permit: OwnedSemaphorePermit,
}

/// Most results in one transaction.
const GROUP: usize = 500;

pub(super) struct Settler {
    dispatch: Arc<Dispatch>,
    results: mpsc::Receiver<Outcomes>,
}

impl Settler {
    pub(super) fn new(dispatch: &Arc<Dispatch>) -> (Self, mpsc::Sender<Outcomes>) {
        let (sender, results) = mpsc::channel(GROUP * 2);
        (Self { dispatch: Arc::clone(dispatch), results }, sender)
    }

    /// Until every sender is gone and all is written.
    pub(super) async fn run(mut self) {
        let mut group = Vec::with_capacity(GROUP);
        while self.results.recv_many(&mut group, GROUP).await > 0 {
            self.write(&group).await;
            for one in group.drain(..) {
                // only now may another message take its place in flight
                drop(one.permit);
            }
        }
    }

    async fn write(&self, group: &[Outcomes]) {
        let dispatch = &self.dispatch;
        let now = dispatch.clock.now_ms();
        let settlements: Vec<Settlement> =
            group.iter().map(|one| self.settlement(one, now)).collect();
        let owner = dispatch.owner.to_string();
        let mut pause = std::time::Duration::from_millis(100);
        loop {
            match dispatch.store.settle(&owner, &settlements, now).await {
                Ok(settled) => {
                    if settled.moved < settlements.len() as u64 {
                        let lost = settlements.len() as u64 - settled.moved;
                        tracing::warn!(lost, "results came after their lease was taken over");
                        metrics::counter!("portevoix_leases_lost_total").increment(lost);
                    }
                    if settled.next_steps > 0 {
                        dispatch.bells.ring(Room::Dispatch);
                    }
                    break;
                }
                Err(error) => {
                    // the messages have gone out: their results must not be given up
                    tracing::warn!(%error, results = settlements.len(), "results wait for the database");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(std::time::Duration::from_secs(5));
                }
            }
        }
        for settlement in &settlements {
            metrics::counter!("portevoix_deliveries_total", "channel" => dispatch.channel.name(),
                "state" => settlement.state)
            .increment(1);
        }
    }

    fn settlement(&self, one: &Outcomes, now: i64) -> Settlement {
        let dispatch = &self.dispatch;
        match &one.outcome {
            Verdict::Tried(outcome) => settle(
                one.claimed.id,
                outcome,
                one.claimed.attempts,
                one.claimed.deadline,
                dispatch.backoff,
                now,
                dispatch.clock.fraction(),
            ),
            Verdict::Decided { state, reason } => Settlement {
                id: one.claimed.id,
                state,
                due_at: None,
                reference: None,
                reason: Some(reason.clone()),
                uncounted: 1,
                dead_address: None,
            },
            Verdict::Deferred { until, reason } => Settlement {
                id: one.claimed.id,
                state: "pending",
                due_at: Some(*until),
                reference: None,
                reason: Some(reason.clone()),
                uncounted: 1,
                dead_address: None,
            },
        }
    }
}
