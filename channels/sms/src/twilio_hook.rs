//! Twilio's webhook: messages that came in, and receipts.

use portevoix_contract::{Hook, HookError, HookRead, HookRequest, Inbound, Receipt, ReceiptState};
use ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    form::Form,
    number::e164,
    secret::{SignatureEncoding, verify},
    verdict::shown,
};

/// What `MessageStatus` means. Anything else is [`ReceiptState::Unknown`].
const STATES: &[(&str, ReceiptState)] = &[
    ("accepted", ReceiptState::Buffered),
    ("scheduled", ReceiptState::Buffered),
    ("queued", ReceiptState::Buffered),
    ("sending", ReceiptState::Buffered),
    ("sent", ReceiptState::Buffered),
    ("delivered", ReceiptState::Delivered),
    ("read", ReceiptState::Delivered),
    ("undelivered", ReceiptState::Failed),
    ("failed", ReceiptState::Failed),
    ("canceled", ReceiptState::Failed),
];

/// Error codes by which a failed message tells that its number will take no other either.
const DEAD: &[&str] = &[
    "21211", // invalid number
    "21610", // the recipient replied STOP at Twilio
    "21614", // not a mobile number
    "30004", // the recipient blocked us
    "30005", // unknown destination
    "30006", // landline or unreachable carrier
];

/// Inbound messages and receipts come to the same address and are told apart by `MessageStatus`.
pub struct TwilioHook {
    auth_token: SecretString,
}

impl TwilioHook {
    pub(crate) fn new(auth_token: SecretString) -> Self {
        Self { auth_token }
    }

    /// base64(HMAC-SHA1(token, URL + every parameter sorted by name, name and value joined)), as
    /// Twilio's own libraries check it: a name's distinct values in order, and the URL with and
    /// without its standard port, for Twilio isn't of one mind about it.
    fn signed(&self, url: &str, form: &Form, given: &str) -> bool {
        let mut pairs: Vec<&(String, String)> = form.pairs().iter().collect();
        pairs.sort();
        pairs.dedup();
        let parameters: String =
            pairs.into_iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
        url_forms(url).iter().any(|url| {
            verify(
                HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                self.auth_token.expose_secret(),
                format!("{url}{parameters}").as_bytes(),
                SignatureEncoding::Base64,
                given,
            )
        })
    }
}

fn url_forms(url: &str) -> Vec<String> {
    let mut forms = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return forms };
    let port = if scheme == "https" { "443" } else { "80" };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once(':') {
        Some((host, given)) if given == port => forms.push(format!("{scheme}://{host}{path}")),
        Some((_, given)) if given.bytes().all(|byte| byte.is_ascii_digit()) => {}
        _ => forms.push(format!("{scheme}://{authority}:{port}{path}")),
    }
    forms
}

impl Hook for TwilioHook {
    fn path(&self) -> &'static str {
        "sms/twilio"
    }

    fn read(&self, request: &HookRequest) -> Result<HookRead, HookError> {
        let given = request.header("x-twilio-signature").ok_or(HookError::NotSigned)?;
        let form = Form::parse(&request.body);
        if !self.signed(&request.url, &form, given) {
            return Err(HookError::NotSigned);
        }
        let field = |name: &str| {
            form.get(name)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| HookError::NotUnderstood(format!("`{name}` is missing")))
        };
        let sid = field("MessageSid")?.to_owned();
        let mut read = HookRead {
            answer: (
                r#"<?xml version="1.0" encoding="UTF-8"?><Response></Response>"#.to_owned(),
                "text/xml",
            ),
            ..HookRead::default()
        };
        if let Some(status) = form.get("MessageStatus") {
            let error = form.get("ErrorCode").unwrap_or_default();
            read.receipts.push(Receipt {
                channel: "sms".to_owned(),
                reference: sid,
                state: state(status, error),
                why: format!("{} {}", shown(status), shown(error)).trim_end().to_owned(),
                at_ms: request.received_at_ms,
            });
        } else {
            read.inbound.push(Inbound {
                channel: "sms".to_owned(),
                provider_id: sid,
                from: e164(field("From")?),
                to: e164(field("To")?),
                // an empty message is still one
                text: Some(form.get("Body").unwrap_or_default().to_owned()),
                choice: None,
                in_reply_to: None,
                reference: None,
                edited: false,
                raw: request.body.clone(),
                received_at_ms: request.received_at_ms,
            });
        }
        Ok(read)
    }
}

fn state(status: &str, error: &str) -> ReceiptState {
    let known = STATES.iter().find(|(known, _)| *known == status);
    match known.map_or(ReceiptState::Unknown, |(_, state)| *state) {
        ReceiptState::Failed if DEAD.contains(&error) => ReceiptState::AddressDead,
        state => state,
    }
}
