//! Any provider that an HTTP request can be described for.

use std::{collections::BTreeMap, fmt};

use portevoix_contract::ReceiptState;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    config::{SmsConfigError, check_filled, check_secret, check_url},
    http::Templates,
    secret::SignatureEncoding,
    verdict::Verdict,
};

/// One request that sends one message, and how to read its answer.
///
/// `url` and `body` are templates with `to` (E.164), `text`, `id` (stable over attempts), `from`,
/// `unicode` (the text needs UCS-2), `validity_seconds` (or none) and `secrets.<name>`. What they
/// insert is always escaped: percent-encoded in the URL and in a form, as a quoted JSON value in
/// JSON (`{"to": {{ to }}}`, without quotes of your own), as text in XML.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    pub url: String,
    #[serde(default)]
    pub method: HttpMethod,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub body_kind: BodyKind,
    #[serde(default)]
    pub headers: BTreeMap<String, SecretString>,
    #[serde(default)]
    pub auth: HttpAuth,
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretString>,
    /// Sender, as `from`.
    #[serde(default)]
    pub from: Option<String>,
    /// JSON pointer (RFC 6901) of the provider's id of the message; none: our own `id`, for
    /// providers that quote it in receipts.
    #[serde(default)]
    pub reference: Option<String>,
    /// Statuses that mean accepted.
    #[serde(default = "accepted")]
    pub accepted: Vec<u16>,
    /// JSON pointer of the provider's code, which the rules compare.
    #[serde(default)]
    pub code: Option<String>,
    /// The first that fits decides; without one, the status does.
    #[serde(default)]
    pub rules: Vec<HttpRule>,
    #[serde(default)]
    pub inbound: Option<HttpInboundConfig>,
}

fn accepted() -> Vec<u16> {
    vec![200, 201, 202]
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    Get,
    #[default]
    Post,
    Put,
}

/// Media type and escaping of the body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyKind {
    #[default]
    Json,
    Form,
    Xml,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum HttpAuth {
    #[default]
    None,
    Basic {
        username: String,
        password: SecretString,
    },
    Bearer {
        token: SecretString,
    },
}

/// Fits where all that it names is so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRule {
    #[serde(default)]
    pub status: Option<u16>,
    /// The value at the `code` pointer, numbers in their decimal form.
    #[serde(default)]
    pub code: Option<String>,
    pub verdict: Verdict,
}

/// The hook `sms/http`: messages that come in, and receipts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpInboundConfig {
    pub auth: HookAuth,
    #[serde(default)]
    pub format: HookFormat,
    /// JSON pointers, or names of form fields.
    pub id: String,
    pub from: String,
    #[serde(default)]
    pub to: Option<String>,
    pub text: String,
    #[serde(default)]
    pub receipt: Option<HttpReceiptConfig>,
}

/// Recognised by its status field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpReceiptConfig {
    pub reference: String,
    pub status: String,
    /// The provider's statuses; one that isn't here is unknown.
    pub states: BTreeMap<String, ReceiptState>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HookFormat {
    #[default]
    Json,
    Form,
}

/// How the provider shows that it is the provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum HookAuth {
    /// A secret in a header.
    Header { name: String, value: SecretString },
    /// HMAC-SHA256 of the body in a header, after `prefix` (`sha256=`).
    HmacSha256 {
        header: String,
        key: SecretString,
        #[serde(default)]
        encoding: SignatureEncoding,
        #[serde(default)]
        prefix: String,
    },
}

/// Neither the address nor the headers, for both may hold a key.
impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConfig")
            .field("method", &self.method)
            .field("body_kind", &self.body_kind)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl HttpConfig {
    pub(crate) fn validate(&self) -> Result<(), SmsConfigError> {
        let wrong = |setting, why: &str| Err(SmsConfigError::new(setting, why));
        if self.method == HttpMethod::Get && self.body.is_some() {
            return wrong("http.body", "has no place in a GET");
        }
        for (name, value) in &self.headers {
            let sound = reqwest::header::HeaderName::try_from(name.as_str()).is_ok()
                && reqwest::header::HeaderValue::try_from(value.expose_secret()).is_ok();
            if !sound {
                return wrong("http.headers", "holds a name or value that can't be a header");
            }
        }
        for pointer in [&self.reference, &self.code].into_iter().flatten() {
            check_pointer("http.reference, http.code", pointer)?;
        }
        if self.accepted.iter().any(|status| !(200..300).contains(status)) {
            return wrong("http.accepted", "holds a status that is no success");
        }
        if self.rules.iter().any(|rule| rule.code.is_some()) && self.code.is_none() {
            return wrong("http.rules", "compare a code, and http.code doesn't say where it is");
        }
        if let Some(inbound) = &self.inbound {
            inbound.validate()?;
        }
        self.try_templates()
    }

    /// Renders both templates with a text that would break what isn't escaped.
    fn try_templates(&self) -> Result<(), SmsConfigError> {
        let templates = Templates::new(self)?;
        let sample = templates
            .render(self, "+33612345678", "\"},\\\n&a=b</x>'é🌳", "id", true, Some(60))
            .map_err(|setting| SmsConfigError::new(setting, "names something that isn't there"))?;
        check_url("http.url", &sample.url)?;
        match (self.body_kind, &sample.body) {
            (BodyKind::Json, Some(body))
                if serde_json::from_str::<serde_json::Value>(body).is_err() =>
            {
                let why = "doesn't make JSON: write {{ text }} without quotes around it";
                Err(SmsConfigError::new("http.body", why))
            }
            _ => Ok(()),
        }
    }
}

impl HttpInboundConfig {
    fn validate(&self) -> Result<(), SmsConfigError> {
        match &self.auth {
            HookAuth::Header { name, value } => {
                check_filled("http.inbound.auth.name", name)?;
                check_secret("http.inbound.auth.value", value)?;
            }
            HookAuth::HmacSha256 { header, key, .. } => {
                check_filled("http.inbound.auth.header", header)?;
                check_secret("http.inbound.auth.key", key)?;
            }
        }
        if self.format == HookFormat::Json {
            let receipt = self.receipt.iter().flat_map(|r| [&r.reference, &r.status]);
            for pointer in
                [&self.id, &self.from, &self.text].into_iter().chain(&self.to).chain(receipt)
            {
                check_pointer("http.inbound", pointer)?;
            }
        }
        Ok(())
    }
}

fn check_pointer(setting: &'static str, pointer: &str) -> Result<(), SmsConfigError> {
    if pointer.starts_with('/') {
        Ok(())
    } else {
        Err(SmsConfigError::new(setting, "must be a JSON pointer, which begins with /"))
    }
}
