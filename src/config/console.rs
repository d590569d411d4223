use std::time::Duration;

use serde::Deserialize;

use super::check::{Check, Checked};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConsole {
    session: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsoleSettings {
    /// How long staff stay signed in.
    pub session: Duration,
}

impl RawConsole {
    pub(super) fn validate(&self, check: &mut Check) -> Checked<ConsoleSettings> {
        let session = check.duration("console.session", &self.session, "10m"..="24h")?;
        Ok(ConsoleSettings { session })
    }
}
