use portevoix_contract::{Channel, Fault, Outbound, Outcome};

use crate::samples;

/// What a channel must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    Accepted,
    /// Temporary, whether or not a time is named.
    Later,
    /// Temporary, and not before this many milliseconds from the attempt.
    LaterBy(i64),
    Refused(Fault),
    /// The channel as a whole waits, this many milliseconds from the attempt.
    SlowDown(i64),
}

/// One line of the table: what the provider does, and what the channel must make of it.
pub struct Case<'a> {
    pub name: &'a str,
    /// Makes the (fake) provider behave so for the next send.
    pub provider: Box<dyn Fn() + 'a>,
    pub expect: Expect,
}

impl<'a> Case<'a> {
    pub fn new(name: &'a str, expect: Expect, provider: impl Fn() + 'a) -> Self {
        Self { name, provider: Box::new(provider), expect }
    }
}

/// The attempt's time in every case, epoch milliseconds.
pub const NOW_MS: i64 = 1_795_435_200_000;

/// Name and pace.
///
/// # Panics
/// Where they can't be right.
pub fn limits<C: Channel>(channel: &C) {
    let name = channel.name();
    assert!(
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()),
        "`{name}` is no name of a channel"
    );
    let limits = channel.limits();
    assert!((1..=1_024).contains(&limits.in_flight), "{} sends at once", limits.in_flight);
    if let Some(pace) = limits.per_second {
        assert!(pace.is_finite() && pace > 0.0, "{pace} messages a second");
    }
}

/// Sends one sample for each case, and compares. Reasons must be there and name neither the
/// address nor one of `secrets`. The table itself must hold at least one accepted, one temporary,
/// and one refusal for each fault of the address and of the message.
///
/// # Panics
/// Where an outcome, a reason or the table is wrong.
pub async fn outcomes<C: Channel>(
    channel: &C,
    address: &str,
    secrets: &[&str],
    cases: &[Case<'_>],
) {
    for needed in
        [Expect::Accepted, Expect::Refused(Fault::Address), Expect::Refused(Fault::Message)]
    {
        assert!(cases.iter().any(|case| case.expect == needed), "no case expects {needed:?}");
    }
    assert!(
        cases.iter().any(|case| matches!(case.expect, Expect::Later | Expect::LaterBy(_))),
        "no case expects a second try"
    );
    let recipient = samples::recipient(address);
    for (number, case) in cases.iter().enumerate() {
        let content =
            channel.shape(&samples::launch(), &recipient).unwrap_or_else(|error| panic!("{error}"));
        let outbound = Outbound {
            id: format!("conformance-{number}"),
            to: address.to_owned(),
            content,
            now_ms: NOW_MS,
            deadline_ms: Some(NOW_MS + 3_600_000),
        };
        (case.provider)();
        let outcome = channel.send(&outbound).await;
        let name = case.name;
        assert!(meets(&outcome, case.expect), "{name}: {outcome:?}, not {:?}", case.expect);
        match &outcome {
            Outcome::Accepted { reference } => {
                assert!(!reference.is_empty(), "{name}: no reference");
            }
            Outcome::Later { why, .. }
            | Outcome::Refused { why, .. }
            | Outcome::SlowDown { why, .. } => {
                assert!(!why.trim().is_empty(), "{name}: no reason");
                for secret in secrets.iter().chain([&address]) {
                    assert!(!why.contains(secret), "{name}: the reason holds a secret: {why}");
                }
            }
        }
    }
}

fn meets(outcome: &Outcome, expect: Expect) -> bool {
    match (outcome, expect) {
        (Outcome::Accepted { .. }, Expect::Accepted) | (Outcome::Later { .. }, Expect::Later) => {
            true
        }
        (Outcome::Later { not_before_ms, .. }, Expect::LaterBy(wait)) => {
            not_before_ms.is_some_and(|at| at == NOW_MS + wait)
        }
        (Outcome::Refused { fault, .. }, Expect::Refused(expected)) => *fault == expected,
        (Outcome::SlowDown { until_ms, .. }, Expect::SlowDown(wait)) => *until_ms == NOW_MS + wait,
        _ => false,
    }
}
