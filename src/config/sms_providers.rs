use std::{collections::BTreeMap, time::Duration};

use secrecy::SecretString;
use serde::Deserialize;
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
    /// Part of the receipts' callback address.
    pub callback_secret: SecretString,
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

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttpSms {
    url: String,
    method: String,
    sender: String,
    token: SecretString,
    content_type: String,
    headers: BTreeMap<String, SecretString>,
    body: String,
    reference: String,
    inbound_secret: SecretString,
    inbound_id: String,
    inbound_from: String,
    inbound_to: String,
    inbound_text: String,
}

#[derive(Debug, Clone)]
pub struct HttpSmsSettings {
    /// A template, as are `headers` and `body`: `{to}`, `{text}`, `{id}`, `{sender}`, `{token}`.
    pub url: String,
    pub method: HttpSmsMethod,
    pub sender: Option<String>,
    pub token: Option<SecretString>,
    pub content_type: String,
    pub headers: BTreeMap<String, SecretString>,
    pub body: String,
    /// JSON Pointer (RFC 6901) to the provider's id in its answer; none: it gives none.
    pub reference: Option<String>,
    /// None: nothing is taken in.
    pub inbound: Option<HttpSmsInbound>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpSmsMethod {
    Get,
    Post,
    Put,
}

/// How an inbound message is recognised; the others are JSON Pointers.
#[derive(Debug, Clone)]
pub struct HttpSmsInbound {
    pub secret: SecretString,
    pub id: String,
    pub from: String,
    pub to: String,
    pub text: String,
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
        let callback_secret =
            check.needed_secret("sms.ovh.callback_secret", &self.callback_secret, 16);
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

impl RawHttpSms {
    pub(super) fn is_remote(&self) -> bool {
        leaves_this_machine(&self.url)
    }

    pub(super) fn validate(&self, check: &mut Check) -> Checked<HttpSmsSettings> {
        let url = provider_url(check, "sms.http.url", &self.url);
        let methods = [
            ("POST", HttpSmsMethod::Post),
            ("PUT", HttpSmsMethod::Put),
            ("GET", HttpSmsMethod::Get),
        ];
        let method = check.choice("sms.http.method", &self.method, &methods);
        let sender = match given(&self.sender) {
            Some(text) => sender(check, "sms.http.sender", &text).map(Some),
            None => Ok(None),
        };
        let templates = format!("{}{}", self.url, self.body);
        let filled = if ["{to}", "{text}"].iter().all(|name| templates.contains(name)) {
            Ok(())
        } else {
            check.fail("sms.http.body", "lacks {to} or {text}", "say where they go, here or in url")
        };
        let reference = match given(&self.reference) {
            Some(text) => pointer(check, "sms.http.reference", &text).map(Some),
            None => Ok(None),
        };
        let inbound = match given_secret(&self.inbound_secret) {
            Some(_) => self.inbound(check).map(Some),
            None => Ok(None),
        };
        url?;
        filled?;
        Ok(HttpSmsSettings {
            url: self.url.trim().to_owned(),
            method: method?,
            sender: sender?,
            token: given_secret(&self.token),
            content_type: self.content_type.trim().to_owned(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            reference: reference?,
            inbound: inbound?,
        })
    }

    fn inbound(&self, check: &mut Check) -> Checked<HttpSmsInbound> {
        let secret = check.needed_secret("sms.http.inbound_secret", &self.inbound_secret, 16);
        let id = pointer(check, "sms.http.inbound_id", &self.inbound_id);
        let from = pointer(check, "sms.http.inbound_from", &self.inbound_from);
        let to = pointer(check, "sms.http.inbound_to", &self.inbound_to);
        let text = pointer(check, "sms.http.inbound_text", &self.inbound_text);
        Ok(HttpSmsInbound { secret: secret?, id: id?, from: from?, to: to?, text: text? })
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

fn pointer(check: &mut Check, key: &str, text: &str) -> Checked<String> {
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    check.fail(key, format!("\"{text}\" is not a JSON Pointer"), "start it with a slash: \"/id\"")
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
