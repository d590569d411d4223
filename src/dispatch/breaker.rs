//! A provider that fails every time is left alone for a while, rather than having the whole queue
//! go through one failed attempt each.

use std::sync::Mutex;

/// Failures in a row before a pause.
const PATIENCE: u32 = 20;
const FIRST_PAUSE_MS: i64 = 500;
const LONGEST_PAUSE_MS: i64 = 30_000;

#[derive(Debug, Default)]
struct State {
    in_a_row: u32,
    pauses: u32,
    open_until: i64,
}

#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

impl Breaker {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn worked(&self) {
        *self.state() = State::default();
    }

    /// True where this failure begins a pause.
    pub(super) fn failed(&self, now: i64) -> bool {
        let mut state = self.state();
        state.in_a_row += 1;
        if state.in_a_row < PATIENCE || now < state.open_until {
            return false;
        }
        let pause = FIRST_PAUSE_MS.saturating_mul(1 << state.pauses.min(10)).min(LONGEST_PAUSE_MS);
        state.open_until = now + pause;
        state.pauses += 1;
        // after the pause one more failure is enough for the next one
        state.in_a_row = PATIENCE - 1;
        true
    }

    /// Epoch ms; 0: closed, messages may go.
    pub(super) fn open_until(&self) -> i64 {
        self.state().open_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_something_works() {
        let breaker = Breaker::default();
        for _ in 1..PATIENCE {
            assert!(!breaker.failed(0));
        }
        assert!(breaker.failed(0));
        assert_eq!(breaker.open_until(), 500);
        assert!(breaker.failed(500));
        assert_eq!(breaker.open_until(), 1_500);
        breaker.worked();
        assert_eq!(breaker.open_until(), 0);
        assert!(!breaker.failed(2_000));
    }
}
