use std::{fmt, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::check::{Check, Checked, given, given_secret, is_loopback};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOvh {
    endpoint: String,
    application_key: String,
    application_secret: SecretString,
    consumer_key: SecretString,
    service_name: String,
    sender: String,
    sender_for_response: bool,
    callback_secret: SecretString,
    poll_every: String,
}

#[derive(Debug, Clone)]
pub struct OvhSettings {
    /// Without a slash at its end, as the request signature covers it.
    pub endpoint: String,
    pub application_key: String,
    pub application_secret: SecretString,
    pub consumer_key: SecretString,
    pub service_name: String,
    pub sender: OvhSender,
    /// The `token` of the receipts' callback address (`/hooks/sms/ovh?token=…`); none: no hook.
    pub callback_secret: Option<SecretString>,
    /// Between two looks at the incoming list.
    pub poll_every: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OvhSender {
    /// OVHcloud's short number, which can be answered.
    ForResponse,
    Named(String),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTwilio {
    account_sid: String,
    auth_token: SecretString,
    from: String,
    messaging_service_sid: String,
    api_url: String,
}

#[derive(Debug, Clone)]
pub struct TwilioSettings {
    pub account_sid: String,
    pub auth_token: SecretString,
    pub sender: TwilioSender,
    pub api_url: Url,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TwilioSender {
    From(String),
    MessagingService(String),
}

/// A provider described in TOML. Only the channel's crate knows the words of the description.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct HttpSmsSettings(toml::Table);

impl fmt::Debug for HttpSmsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpSmsSettings([REDACTED])")
    }
}

impl HttpSmsSettings {
    /// Reads the description as the channel's own type (`portevoix_sms::HttpConfig`).
    ///
    /// # Errors
    /// A sentence on what does not fit.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        self.0.clone().try_into().map_err(|error: toml::de::Error| {
            format!("[sms.http] does not fit: {}", error.message().replace('\n', ", "))
        })
    }
}

impl RawOvh {
    pub(super) fn is_remote(&self) -> bool {
        leaves_this_machine(&self.endpoint)
    }

    pub(super) fn validate(&self, check: &mut Check) -> Checked<OvhSettings> {
        let wanted = "OVHcloud's API needs it";
        let endpoint = provider_url(check, "sms.ovh.endpoint", &self.endpoint);
        let application_key =
            check.needed("sms.ovh.application_key", &self.application_key, wanted);
        let application_secret =
            check.needed_secret("sms.ovh.application_secret", &self.application_secret, 1);
        let consumer_key = check.needed_secret("sms.ovh.consumer_key", &self.consumer_key, 1);
        let service_name = check.needed("sms.ovh.service_name", &self.service_name, wanted);
        let callback_secret = match given_secret(&self.callback_secret) {
            Some(secret) => check.needed_secret("sms.ovh.callback_secret", &secret, 16).map(Some),
            None => Ok(None),
        };
        let sender = if self.sender_for_response {
            Ok(OvhSender::ForResponse)
        } else {
            sender(check, "sms.ovh.sender", &self.sender).map(OvhSender::Named)
        };
        let poll_every = check.duration("sms.ovh.poll_every", &self.poll_every, "2s"..="10m");
        Ok(OvhSettings {
            endpoint: endpoint?.as_str().trim_end_matches('/').to_owned(),
            application_key: application_key?,
            application_secret: application_secret?,
            consumer_key: consumer_key?,
            service_name: service_name?,
            sender: sender?,
            callback_secret: callback_secret?,
            poll_every: poll_every?,
        })
    }
}

impl OvhSender {
    /// Whether a citizen can answer.
    pub(super) fn two_way(&self) -> bool {
        match self {
            Self::ForResponse => true,
            Self::Named(name) => is_number(name),
        }
    }
}

impl TwilioSender {
    /// As [`OvhSender::two_way`]; what a messaging service sends from is Twilio's to know.
    pub(super) fn two_way(&self) -> bool {
        match self {
            Self::MessagingService(_) => true,
            Self::From(name) => is_number(name),
        }
    }
}

fn is_number(sender: &str) -> bool {
    sender.bytes().all(|b| b.is_ascii_digit() || b == b'+')
}

impl RawTwilio {
    pub(super) fn is_remote(&self) -> bool {
        leaves_this_machine(&self.api_url)
    }

    pub(super) fn validate(&self, check: &mut Check) -> Checked<TwilioSettings> {
        let account_sid = check.needed(
            "sms.twilio.account_sid",
            &self.account_sid,
            "copy it from Twilio's console: AC and 32 characters",
        );
        let auth_token = check.needed_secret("sms.twilio.auth_token", &self.auth_token, 1);
        let api_url = provider_url(check, "sms.twilio.api_url", &self.api_url);
        let sender = match (given(&self.from), given(&self.messaging_service_sid)) {
            (Some(_), None) => sender(check, "sms.twilio.from", &self.from).map(TwilioSender::From),
            (None, Some(sid)) => Ok(TwilioSender::MessagingService(sid)),
            (None, None) => {
                check.fail("sms.twilio.from", "is missing", "give it, or messaging_service_sid")
            }
            (Some(_), Some(_)) => check.fail(
                "sms.twilio.from",
                "stands beside messaging_service_sid",
                "keep one of them",
            ),
        };
        Ok(TwilioSettings {
            account_sid: account_sid?,
            auth_token: auth_token?,
            sender: sender?,
            api_url: api_url?,
        })
    }
}

impl HttpSmsSettings {
    fn url(&self) -> &str {
        self.0.get("url").and_then(toml::Value::as_str).unwrap_or_default()
    }

    pub(super) fn is_remote(&self) -> bool {
        leaves_this_machine(self.url())
    }

    pub(super) fn validate(&self, check: &mut Check) -> Checked<Self> {
        // a template: {{ … }} in its path or query is no part of an address yet
        let plain = self.url().replace(['{', '}', ' '], "");
        check.needed("sms.http", &plain, "give url, and what else the provider asks for")?;
        provider_url(check, "sms.http", &plain)?;
        Ok(self.clone())
    }
}

fn leaves_this_machine(url: &str) -> bool {
    !Url::parse(url.trim()).is_ok_and(|url| is_loopback(&url))
}

/// An address that secrets and numbers are sent to: https, except on this machine.
fn provider_url(check: &mut Check, key: &str, text: &str) -> Checked<Url> {
    let url = check.url(key, text, &["https", "http"])?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return check.fail(key, "sends secrets and numbers in the clear", "write https://…");
    }
    Ok(url)
}

/// A sender as the French operators take it (AF2M): a name of at most 11 letters and digits, not
/// digits only; a short number, not of the promotional 36xxx; or a number that is no 06 or 07.
fn sender(check: &mut Check, key: &str, text: &str) -> Checked<String> {
    let text = check.needed(key, text, "give a name, a short number or a number")?;
    let digits = text.strip_prefix('+').unwrap_or(&text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let advice = "use a short number (38xxx), or a name";
        let why = if text.starts_with("+336") || text.starts_with("+337") {
            "is a mobile number (06, 07), which operators forbid"
        } else if text.len() == 5 && text.starts_with("36") {
            "is of the promotional range"
        } else if text.len() == 5 || (text.starts_with('+') && (8..=15).contains(&digits.len())) {
            return Ok(text);
        } else {
            "is neither a short number of five digits nor a number in E.164 form"
        };
        return check.fail(key, why, advice);
    }
    if text.len() <= 11 && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(text);
    }
    let what = format!("\"{text}\" is not a sender's name");
    check.fail(key, what, "write at most 11 letters and digits, without accents or spaces")
}
