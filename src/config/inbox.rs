use serde::Deserialize;

use super::check::{Check, Checked};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInbox {
    max_bytes: i64,
    per_sender_hour: i64,
    receipts_per_sender_hour: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxSettings {
    /// The largest inbound mail, in bytes.
    pub max_bytes: usize,
    /// Messages of one sender looked at in an hour; more wait for staff.
    pub per_sender_hour: u32,
    /// Receipts sent to one sender in an hour (RFC 3834 section 2).
    pub receipts_per_sender_hour: u32,
}

impl RawInbox {
    pub(super) fn validate(&self, check: &mut Check) -> Checked<InboxSettings> {
        let max_bytes = check.number("inbox.max_bytes", self.max_bytes, 65_536..=104_857_600);
        let per_sender_hour =
            check.number("inbox.per_sender_hour", self.per_sender_hour, 1..=10_000);
        let receipts =
            check.number("inbox.receipts_per_sender_hour", self.receipts_per_sender_hour, 1..=100);
        Ok(InboxSettings {
            max_bytes: max_bytes?,
            per_sender_hour: per_sender_hour?,
            receipts_per_sender_hour: receipts?,
        })
    }
}
