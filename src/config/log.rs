use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::check::{Check, Checked};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    format: String,
    level: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One compact line, in colour on a terminal.
    People,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    pub format: LogFormat,
    /// Directives as `tracing_subscriber::EnvFilter` takes them, checked.
    pub level: String,
}

impl RawLog {
    pub(super) fn validate(&self, check: &mut Check) -> Checked<LogSettings> {
        let choices = [("people", LogFormat::People), ("json", LogFormat::Json)];
        let format = check.choice("log.format", &self.format, &choices);
        let level = if self.level.trim().is_empty() {
            check.fail("log.level", "is missing", "write \"info\"")
        } else if EnvFilter::builder().parse(&self.level).is_err() || names_nothing(&self.level) {
            let advice = "write error, warn, info, debug or trace, or info,portevoix::outbox=debug";
            check.fail("log.level", format!("\"{}\" is not a level", self.level), advice)
        } else {
            Ok(self.level.trim().to_owned())
        };
        Ok(LogSettings { format: format?, level: level? })
    }
}

/// A lone word that is no level is read as the name of a part, which then logs everything and the
/// rest nothing: a misspelt level, not a wish.
fn names_nothing(level: &str) -> bool {
    level.split(',').map(str::trim).any(|directive| {
        !directive.contains(['=', ':', '['])
            && !directive.starts_with("portevoix")
            && directive.parse::<tracing::level_filters::LevelFilter>().is_err()
    })
}
