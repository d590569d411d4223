//! Claims, waits for the pace, and starts the sends.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use portevoix_contract::Outcome;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Dispatch,
    breaker::Breaker,
    pace::Metronome,
    preparing::{Prepared, Verdict},
    settler::Outcomes,
};
use crate::{
    bus::{Listener, Room, Round, Work, rounds},
    store::{Claim, Claimed, StoreError},
};

/// Longest sleep without looking: a bell may have been missed.
const SLOW_POLL: Duration = Duration::from_secs(2);

pub(super) async fn feed(
    dispatch: &Arc<Dispatch>,
    results: &mpsc::Sender<Outcomes>,
    stop: &CancellationToken,
) {
    let limits = dispatch.channel.limits();
    let in_flight = dispatch.pace.in_flight.min(limits.in_flight).max(1);
    let feeder = Feeder {
        dispatch: Arc::clone(dispatch),
        permits: Arc::new(Semaphore::new(in_flight)),
        tasks: TaskTracker::new(),
        results: results.clone(),
        breaker: Arc::new(Breaker::default()),
        metronome: Metronome::new(dispatch.pace.per_second.or(limits.per_second)),
        stop: stop.clone(),
    };
    let listener: Listener = dispatch.bells.listener(Room::Dispatch);
    rounds(&feeder, listener, stop).await;
    feeder.tasks.close();
    feeder.tasks.wait().await;
}

struct Feeder {
    dispatch: Arc<Dispatch>,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
    results: mpsc::Sender<Outcomes>,
    breaker: Arc<Breaker>,
    metronome: Metronome,
    stop: CancellationToken,
}

#[async_trait]
impl Work for Feeder {
    type Error = StoreError;

    async fn round(&self) -> Result<Round, Self::Error> {
        let (dispatch, name) = (&self.dispatch, self.dispatch.channel.name());
        let now = dispatch.clock.now_ms();
        let paused = dispatch.store.paused_until(name).await?.max(self.breaker.open_until());
        if paused > now {
            return Ok(Round::Wait(milliseconds(paused - now).min(SLOW_POLL)));
        }
        let batch = self.metronome.batch(dispatch.pace.batch);
        let owner = dispatch.owner.to_string();
        let claim = Claim {
            channel: name,
            owner: &owner,
            now,
            lease_until: now + dispatch.lease_ms,
            limit: batch as i64,
        };
        let claimed = dispatch.store.claim(&claim).await?;
        if claimed.is_empty() {
            let next = dispatch.store.next_due(name, now).await?;
            let wait = next.map_or(SLOW_POLL, |due| milliseconds((due - now).max(10)));
            return Ok(Round::Wait(wait.min(SLOW_POLL)));
        }
        self.metronome.reserve(dispatch, claimed.len()).await?;
        let mut waiting = claimed.into_iter();
        while let Some(one) = waiting.next() {
            // a slow provider: the lease could run out while this one is being sent
            let stale = dispatch.clock.now_ms() >= now + dispatch.lease_ms / 2;
            if stale || !self.metronome.beat(&self.stop).await || self.breaker.open_until() > now {
                let mut back = vec![one.id];
                back.extend(waiting.by_ref().map(|one| one.id));
                dispatch.store.release(&owner, &back, dispatch.clock.now_ms()).await?;
                break;
            }
            self.start(one).await;
        }
        Ok(Round::More)
    }
}

impl Feeder {
    /// Waits for a permit, then sends in a task of its own.
    async fn start(&self, claimed: Claimed) {
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
        let (dispatch, results) = (Arc::clone(&self.dispatch), self.results.clone());
        let breaker = Arc::clone(&self.breaker);
        self.tasks.spawn(async move {
            let outcome = attempt(&dispatch, &claimed, &breaker).await;
            // the settler outlives every task: it ends when the last sender is gone
            let _ = results.send(Outcomes { claimed, outcome, permit }).await;
        });
    }
}

async fn attempt(dispatch: &Dispatch, claimed: &Claimed, breaker: &Breaker) -> Verdict {
    let now = dispatch.clock.now_ms();
    let hours = dispatch.pace.hours;
    let prepared = dispatch.preparer.prepare(claimed, dispatch.channel.name(), hours, now).await;
    let Prepared { message, recipient, id } = match prepared {
        Ok(prepared) => prepared,
        Err(verdict) => return verdict,
    };
    let started = dispatch.clock.now_ms();
    let outcome = dispatch.channel.deliver(&message, &recipient, &id, now, claimed.deadline).await;
    let channel = dispatch.channel.name();
    let took = dispatch.clock.now_ms() - started;
    metrics::histogram!("portevoix_send_seconds", "channel" => channel).record(took as f64 / 1e3);
    metrics::counter!("portevoix_outcomes_total", "channel" => channel, "outcome" => name_of(&outcome))
        .increment(1);
    match &outcome {
        Outcome::Accepted { .. } | Outcome::Refused { .. } => breaker.worked(),
        Outcome::Later { why, .. } => {
            metrics::counter!("portevoix_provider_faults_total", "channel" => channel).increment(1);
            if breaker.failed(dispatch.clock.now_ms()) {
                tracing::warn!(channel, why, "the provider does not answer; pausing");
            }
        }
        Outcome::SlowDown { until_ms, why } => {
            metrics::counter!("portevoix_provider_faults_total", "channel" => channel).increment(1);
            tracing::info!(channel, why, "the provider asks to slow down");
            if let Err(error) = dispatch.store.pause(channel, *until_ms).await {
                tracing::warn!(%error, "the pause is not shared");
            }
        }
    }
    Verdict::Tried(outcome)
}

fn name_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Later { .. } => "later",
        Outcome::Refused { .. } => "refused",
        Outcome::SlowDown { .. } => "slow_down",
    }
}

fn milliseconds(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}
