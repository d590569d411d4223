use secrecy::SecretString;
use serde::Deserialize;

use super::check::given_secret;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMetrics {
    enabled: bool,
    token: SecretString,
}

#[derive(Debug, Clone)]
pub struct MetricsSettings {
    pub enabled: bool,
    /// The bearer token `/metrics` asks for; none: anyone who reaches it reads it.
    pub token: Option<SecretString>,
}

impl RawMetrics {
    pub(super) fn validate(&self) -> MetricsSettings {
        MetricsSettings { enabled: self.enabled, token: given_secret(&self.token) }
    }
}
