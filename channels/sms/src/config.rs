//! What an operator sets. Reading it touches nothing; [`SmsConfig::validate`] is pure.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::http_config::HttpConfig;

/// How messages are made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShapeConfig {
    /// Takes off accents and marks that GSM-7 lacks where that saves segments.
    pub transliterate: bool,
    /// Segments that a message may take at most, 1 to 10.
    pub max_segments: usize,
    /// The sender receives replies; an alphanumeric one cannot, and then no answer is asked for.
    pub two_way: bool,
    /// "STOP au …"; none: "répondez STOP".
    pub stop_number: Option<String>,
    /// Who writes, at the beginning of each message ("MEL :").
    pub signature: Option<String>,
}

impl Default for ShapeConfig {
    fn default() -> Self {
        Self {
            transliterate: true,
            max_segments: 3,
            two_way: true,
            stop_number: None,
            signature: None,
        }
    }
}

/// The SMS channel.
#[derive(Debug, Clone)]
pub struct SmsConfig {
    pub provider: ProviderConfig,
    pub shape: ShapeConfig,
    /// Messages a second; none: as fast as `in_flight` allows.
    pub per_second: Option<f64>,
    /// Requests at once.
    pub in_flight: usize,
    /// For one whole request.
    pub timeout: Duration,
}

impl SmsConfig {
    /// With the default pace (10 a second, 8 at once) and time-out (20 s).
    #[must_use]
    pub fn new(provider: ProviderConfig, shape: ShapeConfig) -> Self {
        Self {
            provider,
            shape,
            per_second: Some(10.0),
            in_flight: 8,
            timeout: Duration::from_secs(20),
        }
    }

    /// # Errors
    /// The first setting that can't work.
    pub fn validate(&self) -> Result<(), SmsConfigError> {
        let wrong =
            |setting: &'static str, why: &str| Err(SmsConfigError { setting, why: why.to_owned() });
        if !(1..=10).contains(&self.shape.max_segments) {
            return wrong("max_segments", "must lie between 1 and 10");
        }
        if !self.shape.two_way && self.shape.stop_number.is_none() {
            return wrong(
                "stop_number",
                "is needed where the sender receives no reply: a citizen must be able to object",
            );
        }
        if self.in_flight == 0 || self.per_second.is_some_and(|pace| pace <= 0.0) {
            return wrong("per_second, in_flight", "must be above zero");
        }
        match &self.provider {
            ProviderConfig::Ovh(ovh) => ovh.validate(self.shape.two_way),
            ProviderConfig::Twilio(twilio) => twilio.validate(),
            ProviderConfig::Http(http) => http.validate(),
        }
    }
}

/// Who carries the messages.
#[derive(Debug, Clone)]
pub enum ProviderConfig {
    Ovh(OvhConfig),
    Twilio(TwilioConfig),
    Http(Box<HttpConfig>),
}

/// OVHcloud's API, `/sms/{service}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OvhConfig {
    #[serde(default = "ovh_endpoint")]
    pub endpoint: String,
    pub application_key: String,
    pub application_secret: SecretString,
    pub consumer_key: SecretString,
    /// `sms-xx00000-1`.
    pub service: String,
    /// Alphanumeric sender or short number; not used with `sender_for_response`.
    #[serde(default)]
    pub sender: Option<String>,
    /// Sends from OVHcloud's shared two-way number, so that citizens can answer.
    #[serde(default)]
    pub sender_for_response: bool,
    /// Milliseconds between two looks at the incoming list; 0: never looks.
    #[serde(default = "ovh_poll_ms")]
    pub poll_ms: u64,
    /// OVHcloud doesn't sign receipts: the `token` of the callback address
    /// (`…/hooks/sms/ovh?token=…`), at least 16 characters. None: no hook.
    #[serde(default)]
    pub receipt_token: Option<SecretString>,
}

fn ovh_endpoint() -> String {
    "https://eu.api.ovh.com/1.0".to_owned()
}

fn ovh_poll_ms() -> u64 {
    15_000
}

impl OvhConfig {
    fn validate(&self, two_way: bool) -> Result<(), SmsConfigError> {
        check_url("ovh.endpoint", &self.endpoint)?;
        check_filled("ovh.application_key", &self.application_key)?;
        check_filled("ovh.application_secret", self.application_secret.expose_secret())?;
        check_filled("ovh.consumer_key", self.consumer_key.expose_secret())?;
        check_filled("ovh.service", &self.service)?;
        if !self.service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(SmsConfigError::new("ovh.service", "holds letters, digits and - only"));
        }
        match (&self.sender, self.sender_for_response) {
            (None, false) => {
                let why = "is needed unless ovh.sender_for_response is true";
                return Err(SmsConfigError::new("ovh.sender", why));
            }
            (Some(sender), false) => check_sender("ovh.sender", sender, two_way)?,
            _ => {}
        }
        if let Some(token) = &self.receipt_token {
            check_secret("ovh.receipt_token", token)?;
        }
        Ok(())
    }
}

/// Twilio's Messages API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioConfig {
    #[serde(default = "twilio_api_url")]
    pub api_url: String,
    pub account_sid: String,
    pub auth_token: SecretString,
    /// Number (E.164), short number or alphanumeric sender.
    #[serde(default)]
    pub from: Option<String>,
    /// Instead of `from`.
    #[serde(default)]
    pub messaging_service_sid: Option<String>,
    /// Public address of `…/hooks/sms/twilio`, told to Twilio for receipts. None: no receipts.
    #[serde(default)]
    pub status_callback: Option<String>,
}

fn twilio_api_url() -> String {
    "https://api.twilio.com".to_owned()
}

impl TwilioConfig {
    fn validate(&self) -> Result<(), SmsConfigError> {
        check_url("twilio.api_url", &self.api_url)?;
        check_filled("twilio.account_sid", &self.account_sid)?;
        if !self.account_sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(SmsConfigError::new("twilio.account_sid", "holds letters and digits only"));
        }
        check_filled("twilio.auth_token", self.auth_token.expose_secret())?;
        match (&self.from, &self.messaging_service_sid) {
            (Some(from), None) => check_sender("twilio.from", from, false)?,
            (None, Some(_)) => {}
            _ => {
                let why = "either this or twilio.messaging_service_sid is needed, not both";
                return Err(SmsConfigError::new("twilio.from", why));
            }
        }
        self.status_callback
            .as_deref()
            .map_or(Ok(()), |url| check_url("twilio.status_callback", url))
    }
}

/// A setting that can't work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`sms.{setting}` {why}")]
pub struct SmsConfigError {
    pub setting: &'static str,
    pub why: String,
}

impl SmsConfigError {
    pub(crate) fn new(setting: &'static str, why: &str) -> Self {
        Self { setting, why: why.to_owned() }
    }
}

pub(crate) fn check_filled(setting: &'static str, value: &str) -> Result<(), SmsConfigError> {
    let sound = !value.is_empty() && !value.chars().any(|c| c.is_control() || c.is_whitespace());
    if sound { Ok(()) } else { Err(SmsConfigError::new(setting, "is empty or holds white space")) }
}

pub(crate) fn check_secret(
    setting: &'static str,
    value: &SecretString,
) -> Result<(), SmsConfigError> {
    check_filled(setting, value.expose_secret())?;
    if value.expose_secret().len() < 16 {
        return Err(SmsConfigError::new(setting, "must hold at least 16 characters"));
    }
    Ok(())
}

/// Secrets travel only over TLS, or to this machine itself.
pub(crate) fn check_url(setting: &'static str, url: &str) -> Result<(), SmsConfigError> {
    let parsed = reqwest::Url::parse(url)
        .map_err(|_| SmsConfigError::new(setting, "is not an absolute address"))?;
    let local = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if local => Ok(()),
        _ => Err(SmsConfigError::new(setting, "must begin with https://")),
    }
}

/// The operators' rules for France: at most 11 letters and digits with a letter among them, or a
/// number, which may not be a mobile one (06, 07).
fn check_sender(setting: &'static str, sender: &str, two_way: bool) -> Result<(), SmsConfigError> {
    let wrong = |why| Err(SmsConfigError::new(setting, why));
    let digits = sender.strip_prefix('+').unwrap_or(sender);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let mobile = ["+336", "+337", "00336", "00337", "336", "337", "06", "07"];
        if sender.len() > 6 && mobile.iter().any(|prefix| sender.starts_with(prefix)) {
            return wrong("is a French mobile number: sending from 06 and 07 is forbidden");
        }
        if sender.starts_with('+') || (3..=6).contains(&digits.len()) {
            return Ok(());
        }
        return wrong("is neither a short number nor a number in E.164 form");
    }
    if sender.is_empty()
        || sender.len() > 11
        || !sender.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return wrong("must hold 1 to 11 letters and digits, no space and no punctuation");
    }
    if two_way {
        return wrong(
            "is alphanumeric and receives no reply: set sms.two_way = false, or a short number",
        );
    }
    Ok(())
}
