//! Keeps the queue honest: leases of dead processes are taken over, what passed its deadline
//! expires, progress and completion are told.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{
    bus::{Bells, Room, Round, Work, rounds},
    clock::Clock,
    model::{
        balance::Balance,
        outgoing::{BroadcastData, OutgoingKind},
        paris,
    },
    store::{Alive, NewOutgoing, Store, StoreError},
};

/// The room's housekeeping; one runs in every process that dispatches.
#[derive(Debug)]
pub struct Keeper {
    pub store: Store,
    pub bells: Bells,
    pub clock: Clock,
    /// This process, as its leases name it.
    pub owner: i64,
    /// CloudEvents source of what the gateway tells.
    pub source: String,
    /// What was told last, by event.
    pub told: tokio::sync::Mutex<BTreeMap<i64, Told>>,
    /// By which other processes see that this one lives.
    pub life: tokio::sync::Mutex<Life>,
}

/// The last look at an event.
#[derive(Debug, Default)]
pub struct Told {
    balance: Option<Balance>,
    /// It is not counted again before (epoch ms).
    next_at: i64,
}

/// This process' sign of life.
#[derive(Debug, Default)]
pub struct Life {
    alive: Option<Alive>,
    /// Epoch ms before which no other process is called dead.
    benefit_until: i64,
}

#[async_trait]
impl Work for Keeper {
    type Error = StoreError;

    async fn round(&self) -> Result<Round, Self::Error> {
        self.one_round().await
    }
}

const EVERY: Duration = Duration::from_millis(500);
/// Rows expired in one statement.
const EXPIRE_BATCH: i64 = 5_000;
/// The database broke every session when it broke ours: the others get this long (ms) to come back.
const BENEFIT_MS: i64 = 15_000;
/// Progress is told at most this often a broadcast (ms).
const PROGRESS_EVERY: i64 = 1_000;
/// Counting an event takes at most about this part of the time: a million deliveries are counted
/// in a second, and that must not go on all day.
const COUNTING_SHARE: i64 = 10;
/// However long counting takes, it happens this often (ms).
const LONGEST_PAUSE: i64 = 60_000;

impl Keeper {
    /// Until `stop`.
    pub async fn run(&self, stop: &CancellationToken) {
        // a keeper works by the clock: no bell concerns it
        let listener = Bells::default().listener(Room::Dispatch);
        rounds(self, listener, stop).await;
    }

    /// Holds the sign of life, and takes it up again where the database let go of it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn show_life(&self) -> Result<(), StoreError> {
        let mut life = self.life.lock().await;
        if let Some(alive) = &mut life.alive {
            if alive.stands().await {
                return Ok(());
            }
            life.alive = None;
            life.benefit_until = self.clock.now_ms() + BENEFIT_MS;
        }
        life.alive = self.store.hold_alive(self.owner).await?;
        if life.benefit_until > 0 && life.alive.is_some() {
            life.benefit_until = self.clock.now_ms() + BENEFIT_MS;
        }
        Ok(())
    }

    async fn one_round(&self) -> Result<Round, StoreError> {
        self.show_life().await?;
        self.take_over().await?;
        let now = self.clock.now_ms();
        let expired = self.store.expire(now, EXPIRE_BATCH).await?;
        if expired > 0 {
            metrics::counter!("portevoix_expired_total").increment(expired);
        }
        self.tell_progress().await?;
        Ok(if expired == EXPIRE_BATCH.cast_unsigned() { Round::More } else { Round::Wait(EVERY) })
    }

    /// Leases whose process is gone are free again at once.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn take_over(&self) -> Result<(), StoreError> {
        let mut dead = Vec::new();
        let benefit = self.life.lock().await.benefit_until > self.clock.now_ms();
        for owner in self.store.lease_owners().await? {
            match owner.parse::<i64>() {
                Ok(number) if number == self.owner || benefit => {}
                Ok(number) if !self.store.is_dead(number).await? => {}
                _ => dead.push(owner),
            }
        }
        let taken = self.store.take_over(&dead, self.clock.now_ms()).await?;
        if taken > 0 {
            tracing::warn!(taken, "took deliveries over from a process that ended");
            metrics::counter!("portevoix_taken_over_total").increment(taken);
            self.bells.ring(Room::Dispatch);
        }
        Ok(())
    }

    async fn tell_progress(&self) -> Result<(), StoreError> {
        let mut told = self.told.lock().await;
        let open = self.store.open_broadcasts().await?;
        told.retain(|event, _| open.contains(event));
        for event in open {
            let told = told.entry(event).or_default();
            let began = self.clock.now_ms();
            if began < told.next_at {
                continue;
            }
            let Some(balance) = self.store.balance(event).await? else { continue };
            let now = self.clock.now_ms();
            told.next_at = now + pause(now - began);
            if !balance.holds() {
                // a statement sees one instant: this would be a fault of ours
                tracing::error!(event = %balance.id, planned = balance.planned,
                    sum = balance.states.sum(), "the balance does not hold");
                metrics::counter!("portevoix_balance_faults_total").increment(1);
            }
            let completed = balance.is_complete();
            if !completed && told.balance.as_ref() == Some(&balance) {
                continue;
            }
            let Some(row) = self.store.event(event).await? else { continue };
            let out = progress(&balance, &row.consultation, completed, &self.source, now);
            let every = if completed { 0 } else { PROGRESS_EVERY };
            if self.store.tell_progress(event, completed, every, now, &out).await? {
                if completed {
                    tracing::info!(event = %balance.id, planned = balance.planned,
                        sent = balance.states.sent + balance.states.delivered, "broadcast completed");
                }
                self.bells.ring(Room::Relay);
                told.balance = Some(balance);
            }
        }
        Ok(())
    }
}

/// How long to leave an event alone that took `took` ms to count.
fn pause(took: i64) -> i64 {
    (took * COUNTING_SHARE).min(LONGEST_PAUSE)
}

fn progress(
    balance: &Balance,
    consultation: &str,
    completed: bool,
    source: &str,
    now: i64,
) -> NewOutgoing {
    let kind =
        if completed { OutgoingKind::BroadcastCompleted } else { OutgoingKind::BroadcastProgress };
    let data = BroadcastData {
        event_id: balance.id.clone(),
        consultation_id: consultation.to_owned(),
        planned: balance.planned,
        states: balance.states,
        by_channel: balance.by_channel.clone(),
    };
    let id = format!("{}:{}:{now}", kind.name(), balance.id);
    NewOutgoing::event(kind, &id, source, paris::instant(now), &data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_to_count_is_counted_seldom() {
        assert_eq!(pause(0), 0);
        assert_eq!(pause(800), 8_000);
        assert_eq!(pause(3_600_000), LONGEST_PAUSE);
    }
}
