//! What a provider's answer means, from a closed list.

use portevoix_contract::{Fault, Outcome};
use serde::Deserialize;

use crate::wire::{Answer, WireError};

/// The channel waits that long before it tries settings again that the provider refuses.
const MISCONFIGURED_PAUSE_MS: i64 = 60_000;

/// And that long after "too many requests" without a `Retry-After`.
const SLOW_DOWN_MS: i64 = 5_000;

/// How a provider's code is taken. A table maps codes to these; a code that is in no table is
/// [`Verdict::Later`] with the code in the reason, so that it is seen and costs nobody a message
/// before the deadline does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Accepted,
    /// Temporary.
    Later,
    /// The number is wrong, dead, or its owner objected at the provider.
    Address,
    /// This text can't be sent to anyone.
    Message,
    /// We may not send this one (a country that isn't enabled, a filter); others may go.
    Us,
    /// Too fast.
    SlowDown,
    /// Credentials, sender or credit are wrong, for every message alike. The whole channel waits a
    /// minute and tries one again: a deployment with a wrong password must not use up the
    /// deliveries of a broadcast. The operator sees it in the log and in `check`.
    Misconfigured,
}

impl Verdict {
    /// What HTTP itself says, where no table knows better.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Accepted,
            // a redirect is never followed: the configured address is wrong
            300..=399 | 401..=405 => Self::Misconfigured,
            429 => Self::SlowDown,
            _ => Self::Later,
        }
    }

    /// [`Verdict::Accepted`] needs a reference, which its provider knows; without one the answer
    /// counts as not understood.
    pub(crate) fn outcome(self, answer: &Answer, now_ms: i64, code: &str) -> Outcome {
        let why = if code.is_empty() {
            format!("the provider answered {}", answer.status)
        } else {
            format!("the provider answered {} with code {}", answer.status, shown(code))
        };
        let refused = |fault| Outcome::Refused { fault, why: why.clone() };
        match self {
            Self::Accepted => not_understood(answer.status),
            Self::Later => Outcome::Later {
                not_before_ms: answer.retry_after_ms.map(|wait| now_ms + wait),
                why,
            },
            Self::Address => refused(Fault::Address),
            Self::Message => refused(Fault::Message),
            Self::Us => refused(Fault::Us),
            Self::SlowDown => Outcome::SlowDown {
                until_ms: now_ms + answer.retry_after_ms.unwrap_or(SLOW_DOWN_MS),
                why,
            },
            Self::Misconfigured => {
                tracing::error!(
                    status = answer.status,
                    code = %shown(code),
                    "SMS provider refuses our settings; the channel waits"
                );
                Outcome::SlowDown {
                    until_ms: now_ms + answer.retry_after_ms.unwrap_or(MISCONFIGURED_PAUSE_MS),
                    why: format!("{why}: check the sms settings, sender and credit"),
                }
            }
        }
    }
}

/// The answer said yes and is not what the documentation describes. It may have been sent; what is
/// tried again can arrive twice, what is given up on never arrives.
pub(crate) fn not_understood(status: u16) -> Outcome {
    Outcome::Later {
        not_before_ms: None,
        why: format!("the provider answered {status} with something not understood"),
    }
}

pub(crate) fn unreached(error: WireError) -> Outcome {
    Outcome::Later { not_before_ms: None, why: error.to_string() }
}

/// A provider's code, fit for a log: short, and without anything that could be a number to dial.
pub(crate) fn shown(code: &str) -> String {
    let mut digits = 0;
    code.chars()
        .filter(|char| char.is_ascii_alphanumeric() || "_:.-".contains(*char))
        .map(|char| {
            digits = if char.is_ascii_digit() { digits + 1 } else { 0 };
            if digits > 5 { '*' } else { char }
        })
        .take(48)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_shown_without_numbers_to_dial() {
        assert_eq!(shown("21211"), "21211");
        assert_eq!(shown("Client::BadRequest"), "Client::BadRequest");
        assert_eq!(shown("bad +33612345678 \n"), "bad33612******");
    }

    #[test]
    fn wrong_settings_cost_no_delivery() {
        let answer = Answer { status: 401, retry_after_ms: None, body: Vec::new() };
        let outcome = Verdict::of_status(401).outcome(&answer, 1_000, "");
        assert!(matches!(outcome, Outcome::SlowDown { until_ms: 61_000, .. }), "{outcome:?}");
    }
}
