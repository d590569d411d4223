//! What follows an attempt.

use portevoix_contract::{Fault, Outcome};

use crate::store::Settlement;

/// How often and how long a delivery is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Before the second attempt, in ms; each later one waits twice as long as the one before.
    pub base_ms: i64,
    /// Longest wait, in ms.
    pub max_ms: i64,
    /// Attempts in all.
    pub max_attempts: i64,
}

/// A delivery's next state after an attempt. Pure: `fraction` (0..1) is the jitter.
///
/// Temporary faults wait exponentially longer, within ±25 %, never before the provider's own time;
/// what would come after the deadline expires at once. An address fault suppresses the address; a
/// fault of our own never does.
#[must_use]
pub fn settle(
    id: i64,
    outcome: &Outcome,
    attempts: i64,
    deadline: Option<i64>,
    backoff: Backoff,
    now: i64,
    fraction: f64,
) -> Settlement {
    let mut settlement = Settlement {
        id,
        state: "pending",
        due_at: None,
        reference: None,
        reason: None,
        uncounted: 0,
        dead_address: None,
    };
    match outcome {
        Outcome::Accepted { reference } => {
            settlement.state = "sent";
            settlement.reference = Some(reference.clone());
        }
        Outcome::Refused { fault, why } => {
            settlement.state = "failed";
            settlement.reason = Some(why.clone());
            if *fault == Fault::Address {
                settlement.dead_address = Some(why.clone());
            }
        }
        Outcome::SlowDown { until_ms, why } => {
            settlement.uncounted = 1;
            settlement.due_at = Some((*until_ms).max(now));
            settlement.reason = Some(why.clone());
        }
        Outcome::Later { not_before_ms, why } => {
            let due = (now + wait(attempts, backoff, fraction)).max(not_before_ms.unwrap_or(0));
            settlement.reason = Some(why.clone());
            if attempts >= backoff.max_attempts {
                settlement.state = "failed";
                settlement.reason = Some(format!("gave up after {attempts} attempts: {why}"));
            } else {
                settlement.due_at = Some(due);
            }
        }
    }
    if settlement.state == "pending"
        && let (Some(due), Some(deadline)) = (settlement.due_at, deadline)
        && due >= deadline
    {
        settlement.state = "expired";
        settlement.due_at = None;
    }
    settlement.reason = settlement.reason.as_deref().map(one_line);
    settlement.dead_address = settlement.dead_address.as_deref().map(one_line);
    settlement.reference = settlement.reference.map(|text| text.replace(char::is_control, ""));
    settlement
}

/// A provider's words as one line: PostgreSQL refuses NUL, and a group of results that can't be
/// written would hold up all that follow.
fn one_line(why: &str) -> String {
    why.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

fn wait(attempts: i64, backoff: Backoff, fraction: f64) -> i64 {
    let doublings = u32::try_from(attempts.clamp(1, 30) - 1).unwrap_or_default();
    let plain = backoff.base_ms.saturating_mul(1 << doublings).min(backoff.max_ms);
    #[expect(clippy::cast_possible_truncation, reason = "hours in ms are far below 2^52")]
    let jittered = (plain as f64 * (0.75 + 0.5 * fraction)) as i64;
    jittered
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { base_ms: 1_000, max_ms: 60_000, max_attempts: 5 };

    fn later() -> Outcome {
        Outcome::Later { not_before_ms: None, why: "451".to_owned() }
    }

    #[test]
    fn waits_double_and_stop_growing() {
        let due = |attempts| settle(1, &later(), attempts, None, BACKOFF, 0, 0.5).due_at;
        assert_eq!(due(1), Some(1_000));
        assert_eq!(due(4), Some(8_000));
        let backoff = Backoff { max_attempts: 100, ..BACKOFF };
        assert_eq!(settle(1, &later(), 60, None, backoff, 0, 0.5).due_at, Some(60_000));
    }

    #[test]
    fn the_last_attempt_fails_and_says_why() {
        let settled = settle(1, &later(), 5, None, BACKOFF, 0, 0.0);
        assert_eq!(settled.state, "failed");
        assert_eq!(settled.reason.as_deref(), Some("gave up after 5 attempts: 451"));
        assert_eq!(settled.dead_address, None);
    }

    #[test]
    fn what_would_come_too_late_expires() {
        let settled = settle(1, &later(), 1, Some(900), BACKOFF, 0, 0.5);
        assert_eq!(settled.state, "expired");
    }

    #[test]
    fn slowing_down_costs_no_attempt() {
        let outcome = Outcome::SlowDown { until_ms: 5_000, why: "429".to_owned() };
        let settled = settle(1, &outcome, 1, None, BACKOFF, 1_000, 0.5);
        assert_eq!((settled.state, settled.due_at, settled.uncounted), ("pending", Some(5_000), 1));
    }

    #[test]
    fn a_reason_is_one_line_that_any_database_takes() {
        let outcome = Outcome::Later { not_before_ms: None, why: "\0500\r\nno".to_owned() };
        let settled = settle(1, &outcome, 1, None, BACKOFF, 0, 0.5);
        assert_eq!(settled.reason.as_deref(), Some(" 500  no"));
    }

    #[test]
    fn only_an_address_fault_costs_the_address() {
        for (fault, dead) in [(Fault::Address, true), (Fault::Message, false), (Fault::Us, false)] {
            let outcome = Outcome::Refused { fault, why: "550".to_owned() };
            let settled = settle(1, &outcome, 1, None, BACKOFF, 0, 0.5);
            assert_eq!((settled.state, settled.dead_address.is_some()), ("failed", dead));
        }
    }
}
