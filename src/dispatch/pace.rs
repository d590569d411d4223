//! A channel's pace, shared by all machines through the database.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Dispatch;
use crate::store::StoreError;

/// Beats as often as messages may go.
#[derive(Debug)]
pub(super) struct Metronome {
    interval: Option<Duration>,
    next: Mutex<Option<Instant>>,
}

/// A reservation covers about this long, so that machines take turns.
const TURN: f64 = 1.0;

impl Metronome {
    pub(super) fn new(per_second: Option<f64>) -> Self {
        let interval =
            per_second.filter(|rate| *rate > 0.0).map(|rate| Duration::from_secs_f64(1.0 / rate));
        Self { interval, next: Mutex::new(None) }
    }

    /// How many to claim at once: no more than go in one turn.
    pub(super) fn batch(&self, most: usize) -> usize {
        self.interval.map_or(most, |interval| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let turn = (TURN / interval.as_secs_f64()).ceil() as usize;
            turn.clamp(1, most)
        })
    }

    /// Reserves the time of `count` messages among all machines.
    pub(super) async fn reserve(
        &self,
        dispatch: &Dispatch,
        count: usize,
    ) -> Result<(), StoreError> {
        let Some(interval) = self.interval else { return Ok(()) };
        let now = dispatch.clock.now_ms();
        let micros = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX);
        let first =
            dispatch.store.reserve_pace(dispatch.channel.name(), count as i64, micros, now).await?;
        let wait = Duration::from_millis(u64::try_from(first - now).unwrap_or_default());
        *self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Some(Instant::now() + wait);
        Ok(())
    }

    /// Waits for the next beat; false where `stop` came first.
    pub(super) async fn beat(&self, stop: &CancellationToken) -> bool {
        let Some(interval) = self.interval else { return !stop.is_cancelled() };
        let at = {
            let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let at = next.unwrap_or_else(Instant::now);
            *next = Some(at + interval);
            at
        };
        tokio::select! {
            () = tokio::time::sleep_until(at) => !stop.is_cancelled(),
            () = stop.cancelled() => false,
        }
    }
}
