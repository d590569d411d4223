//! The hook of the provider that the configuration describes.

use portevoix_contract::{Hook, HookError, HookRead, HookRequest, Inbound, Receipt, ReceiptState};
use ring::hmac::HMAC_SHA256;
use secrecy::ExposeSecret;

use crate::{
    form::Form,
    http::scalar,
    http_config::{HookAuth, HookFormat, HttpInboundConfig},
    number::e164,
    secret::{same, verify},
    verdict::shown,
};

/// `sms/http`.
pub struct HttpHook {
    config: HttpInboundConfig,
}

enum Body {
    Json(serde_json::Value),
    Form(Form),
}

impl Body {
    fn get(&self, name: &str) -> Option<String> {
        match self {
            Self::Json(value) => value.pointer(name).and_then(scalar),
            Self::Form(form) => form.get(name).map(str::to_owned),
        }
    }

    fn need(&self, name: &str) -> Result<String, HookError> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| HookError::NotUnderstood(format!("`{name}` is missing")))
    }
}

impl HttpHook {
    pub(crate) fn new(config: HttpInboundConfig) -> Self {
        Self { config }
    }

    fn signed(&self, request: &HookRequest) -> bool {
        let header = |name: &str| request.header(&name.to_ascii_lowercase());
        match &self.config.auth {
            HookAuth::Header { name, value } => {
                header(name).is_some_and(|given| same(value.expose_secret(), given))
            }
            HookAuth::HmacSha256 { header: name, key, encoding, prefix } => header(name)
                .and_then(|given| given.strip_prefix(prefix.as_str()))
                .is_some_and(|given| {
                    verify(HMAC_SHA256, key.expose_secret(), &request.body, *encoding, given)
                }),
        }
    }

    fn receipt(&self, body: &Body, at_ms: i64) -> Result<Option<Receipt>, HookError> {
        let Some(config) = &self.config.receipt else { return Ok(None) };
        let Some(status) = body.get(&config.status) else { return Ok(None) };
        Ok(Some(Receipt {
            channel: "sms".to_owned(),
            reference: body.need(&config.reference)?,
            state: config.states.get(&status).copied().unwrap_or(ReceiptState::Unknown),
            why: shown(&status),
            at_ms,
        }))
    }
}

impl Hook for HttpHook {
    fn path(&self) -> &'static str {
        "sms/http"
    }

    fn read(&self, request: &HookRequest) -> Result<HookRead, HookError> {
        if !self.signed(request) {
            return Err(HookError::NotSigned);
        }
        let body = match self.config.format {
            HookFormat::Form => Body::Form(Form::parse(&request.body)),
            HookFormat::Json => Body::Json(
                serde_json::from_slice(&request.body)
                    .map_err(|_| HookError::NotUnderstood("the body is not JSON".to_owned()))?,
            ),
        };
        let mut read = HookRead { answer: (String::new(), "text/plain"), ..HookRead::default() };
        if let Some(receipt) = self.receipt(&body, request.received_at_ms)? {
            read.receipts.push(receipt);
            return Ok(read);
        }
        let to = self.config.to.as_deref().and_then(|name| body.get(name)).unwrap_or_default();
        read.inbound.push(Inbound {
            channel: "sms".to_owned(),
            provider_id: body.need(&self.config.id)?,
            from: e164(&body.need(&self.config.from)?),
            to: e164(&to),
            text: Some(body.get(&self.config.text).unwrap_or_default()),
            choice: None,
            in_reply_to: None,
            reference: None,
            edited: false,
            raw: request.body.clone(),
            received_at_ms: request.received_at_ms,
        });
        Ok(read)
    }
}
