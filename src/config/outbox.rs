use std::time::Duration;

use serde::Deserialize;

use super::check::{Check, Checked};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOutbox {
    batch: i64,
    lease: String,
    in_flight: i64,
    max_attempts: i64,
    base_backoff: String,
    max_backoff: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxSettings {
    /// Deliveries claimed at once.
    pub batch: u32,
    /// After this an unsettled claim is anyone's.
    pub lease: Duration,
    /// Deliveries worked on at once in this process, over all channels.
    pub in_flight: usize,
    pub max_attempts: u32,
    /// After the first failure; doubled each time, up to `max_backoff`.
    pub base_backoff: Duration,
    pub max_backoff: Duration,
}

impl RawOutbox {
    pub(super) fn validate(&self, check: &mut Check) -> Checked<OutboxSettings> {
        let batch = check.number("outbox.batch", self.batch, 1..=5000);
        let lease = check.duration("outbox.lease", &self.lease, "10s"..="1h");
        let in_flight = check.number("outbox.in_flight", self.in_flight, 1..=10_000);
        let max_attempts = check.number("outbox.max_attempts", self.max_attempts, 1..=100);
        let base = check.duration("outbox.base_backoff", &self.base_backoff, "100ms"..="1h");
        let longest = check.duration("outbox.max_backoff", &self.max_backoff, "1s"..="24h");
        let (base_backoff, max_backoff) = (base?, longest?);
        if max_backoff < base_backoff {
            let advice = "choose a longest wait above the first";
            return check.fail("outbox.max_backoff", "is below outbox.base_backoff", advice);
        }
        Ok(OutboxSettings {
            batch: batch?,
            lease: lease?,
            in_flight: in_flight?,
            max_attempts: max_attempts?,
            base_backoff,
            max_backoff,
        })
    }
}
