use std::time::Duration;

use serde::Deserialize;

use super::check::{Check, Checked};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlain {
    fallback: String,
    fallback_before: String,
}

/// What happens where someone asked for plain language and no plain text exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainFallback {
    /// Wait until the event's end, and tell staff.
    Hold,
    /// Send the standard text, saying so, this long before the event's end.
    Standard { before: Duration },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainSettings {
    pub fallback: PlainFallback,
}

impl RawPlain {
    pub(super) fn validate(&self, check: &mut Check) -> Checked<PlainSettings> {
        let choices = [("hold", false), ("standard", true)];
        let standard = check.choice("plain.fallback", &self.fallback, &choices);
        let before = check.duration("plain.fallback_before", &self.fallback_before, "0s"..="60d");
        let (standard, before) = (standard?, before?);
        let fallback =
            if standard { PlainFallback::Standard { before } } else { PlainFallback::Hold };
        Ok(PlainSettings { fallback })
    }
}
