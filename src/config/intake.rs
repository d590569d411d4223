use serde::Deserialize;

use super::check::{Check, Checked};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIntake {
    max_event_bytes: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntakeSettings {
    /// The largest event, in bytes.
    pub max_event_bytes: usize,
}

impl RawIntake {
    pub(super) fn validate(&self, check: &mut Check) -> Checked<IntakeSettings> {
        let max_event_bytes =
            check.number("intake.max_event_bytes", self.max_event_bytes, 1024..=8_388_608)?;
        Ok(IntakeSettings { max_event_bytes })
    }
}
