use std::time::Duration;

use portevoix_contract::{Fault, Outcome};

/// What goes wrong with a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The provider is out of order for a moment.
    Later,
    /// The address is dead.
    RefusedAddress,
    /// The provider does not take this message.
    RefusedMessage,
    /// Our own settings are wrong.
    RefusedUs,
    /// The provider asks to wait that many milliseconds.
    SlowDown { wait_ms: i64 },
    /// The letter arrives, yet the provider's answer is lost: a retry must not show it twice.
    AnswerLost,
}

impl Trouble {
    pub(crate) fn outcome(self, now_ms: i64) -> Outcome {
        let refused = |fault, why: &str| Outcome::Refused { fault, why: why.to_owned() };
        match self {
            Self::Later => Outcome::Later {
                not_before_ms: None,
                why: "the sandbox is out of order for a moment".to_owned(),
            },
            Self::AnswerLost => Outcome::Later {
                not_before_ms: None,
                why: "the sandbox's answer was lost".to_owned(),
            },
            Self::RefusedAddress => refused(Fault::Address, "nobody lives at this address"),
            Self::RefusedMessage => refused(Fault::Message, "the sandbox does not take this"),
            Self::RefusedUs => refused(Fault::Us, "the sandbox does not know this sender"),
            Self::SlowDown { wait_ms } => Outcome::SlowDown {
                until_ms: now_ms.saturating_add(wait_ms),
                why: "too many letters at once".to_owned(),
            },
        }
    }
}

/// How a channel's made-up provider behaves. Fair by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weather {
    /// Every nth attempt meets this trouble; `1` is every attempt, `0` none.
    pub every: Option<(u64, Trouble)>,
    /// What the provider takes to answer.
    pub latency: Duration,
}

/// Addresses that always meet the same trouble, so that a refusal can be shown in the demo without
/// touching anything: `+refuse` and `+later` in a mail address, the last six figures `999404` and
/// `999503` of a number or chat id.
pub(crate) fn trouble_of_address(address: &str) -> Option<Trouble> {
    let local = address.split('@').next().unwrap_or_default();
    if local.ends_with("+refuse") || address.ends_with("999404") {
        Some(Trouble::RefusedAddress)
    } else if local.ends_with("+later") || address.ends_with("999503") {
        Some(Trouble::Later)
    } else {
        None
    }
}
