//! The provider that the configuration describes.

use std::collections::BTreeMap;

use minijinja::{
    AutoEscape, Environment, UndefinedBehavior, Value, context, escape_formatter, value::ValueKind,
};
use portevoix_contract::{Fault, Outbound, Outcome};
use reqwest::Method;
use secrecy::ExposeSecret;

use crate::{
    config::SmsConfigError,
    http_config::{BodyKind, HttpAuth, HttpConfig, HttpMethod, HttpRule},
    segments::Encoding,
    shape::SmsContent,
    verdict::{Verdict, not_understood, unreached},
    wire::{Answer, Wire},
};

const URL: &str = "url";
const BODY: &str = "body";

/// Percent-encoding, for URLs and forms.
const PERCENT: &str = "percent";

/// The request's templates, parsed once.
pub(crate) struct Templates {
    environment: Environment<'static>,
}

pub(crate) struct Rendered {
    pub url: String,
    pub body: Option<String>,
}

impl Templates {
    pub(crate) fn new(config: &HttpConfig) -> Result<Self, SmsConfigError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let body_kind = config.body_kind;
        environment.set_auto_escape_callback(move |name| match (name, body_kind) {
            (BODY, BodyKind::Json) => AutoEscape::Json,
            (BODY, BodyKind::Xml) => AutoEscape::Html,
            _ => AutoEscape::Custom(PERCENT.into()),
        });
        environment.set_formatter(|out, state, value| match state.auto_escape() {
            AutoEscape::Custom(_) if value.kind() != ValueKind::None => {
                let text = value.to_string();
                for piece in form_urlencoded::byte_serialize(text.as_bytes()) {
                    out.write_str(piece)?;
                }
                Ok(())
            }
            AutoEscape::Custom(_) => Ok(()),
            _ => escape_formatter(out, state, value),
        });
        let mut add = |name, setting, source: &str| {
            environment.add_template_owned(name, source.to_owned()).map_err(|error| {
                let why = format!("is no template: {:?}", error.kind());
                SmsConfigError { setting, why }
            })
        };
        add(URL, "http.url", &config.url)?;
        if let Some(body) = &config.body {
            add(BODY, "http.body", body)?;
        }
        Ok(Self { environment })
    }

    /// # Errors
    /// The setting whose template names something that isn't there; never the words.
    pub(crate) fn render(
        &self,
        config: &HttpConfig,
        to: &str,
        text: &str,
        id: &str,
        unicode: bool,
        validity_seconds: Option<i64>,
    ) -> Result<Rendered, &'static str> {
        let secrets: BTreeMap<String, String> = config
            .secrets
            .iter()
            .map(|(name, secret)| (name.clone(), secret.expose_secret().to_owned()))
            .collect();
        let words: Value = context! {
            to => to, text => text, id => id, unicode => unicode,
            from => config.from.as_deref(),
            validity_seconds => validity_seconds,
            secrets => Value::from(secrets),
        };
        let render = |name: &str, setting| {
            let template = self.environment.get_template(name).map_err(|_| setting)?;
            template.render(words.clone()).map_err(|_| setting)
        };
        Ok(Rendered {
            url: render(URL, "http.url")?,
            body: config.body.as_ref().map(|_| render(BODY, "http.body")).transpose()?,
        })
    }
}

pub(crate) struct HttpProvider {
    config: HttpConfig,
    templates: Templates,
    wire: Wire,
}

impl HttpProvider {
    pub(crate) fn new(config: HttpConfig, wire: Wire) -> Result<Self, SmsConfigError> {
        let templates = Templates::new(&config)?;
        Ok(Self { config, templates, wire })
    }

    pub(crate) async fn send(&self, outbound: &Outbound<SmsContent>) -> Outcome {
        let now_ms = outbound.now_ms;
        let rendered = self.templates.render(
            &self.config,
            &outbound.to,
            &outbound.content.text,
            &outbound.id,
            outbound.content.encoding == Encoding::Ucs2,
            outbound.deadline_ms.map(|deadline| ((deadline - now_ms) / 1000).max(1)),
        );
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(setting) => {
                let why = format!("`sms.{setting}` can't be filled in for this message");
                return Outcome::Refused { fault: Fault::Us, why };
            }
        };
        match self.wire.exchange(self.request(rendered), now_ms).await {
            Ok(answer) => self.classify(&answer, &outbound.id, now_ms),
            Err(error) => unreached(error),
        }
    }

    fn request(&self, rendered: Rendered) -> reqwest::RequestBuilder {
        let method = match self.config.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
        };
        let mut request = self.wire.request(method, &rendered.url);
        if let Some(body) = rendered.body {
            let media_type = match self.config.body_kind {
                BodyKind::Json => "application/json",
                BodyKind::Form => "application/x-www-form-urlencoded",
                BodyKind::Xml => "application/xml; charset=utf-8",
            };
            request = request.header("Content-Type", media_type).body(body);
        }
        for (name, value) in &self.config.headers {
            request = request.header(name, value.expose_secret());
        }
        match &self.config.auth {
            HttpAuth::None => request,
            HttpAuth::Basic { username, password } => {
                request.basic_auth(username, Some(password.expose_secret()))
            }
            HttpAuth::Bearer { token } => request.bearer_auth(token.expose_secret()),
        }
    }

    fn classify(&self, answer: &Answer, id: &str, now_ms: i64) -> Outcome {
        let body: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
        let at = |pointer: &Option<String>| {
            let value = body.as_ref()?.pointer(pointer.as_deref()?)?;
            scalar(value)
        };
        let code = at(&self.config.code);
        let fits = |rule: &&HttpRule| {
            rule.status.is_none_or(|status| status == answer.status)
                && (rule.code.is_none() || rule.code == code)
        };
        let verdict = match self.config.rules.iter().find(fits) {
            Some(rule) => rule.verdict,
            None if self.config.accepted.contains(&answer.status) => Verdict::Accepted,
            None => match Verdict::of_status(answer.status) {
                // a success that isn't listed is none that we know
                Verdict::Accepted => Verdict::Later,
                verdict => verdict,
            },
        };
        if verdict == Verdict::Accepted {
            return match &self.config.reference {
                None => Outcome::Accepted { reference: id.to_owned() },
                pointer => at(pointer).filter(|reference| !reference.is_empty()).map_or_else(
                    || not_understood(answer.status),
                    |reference| Outcome::Accepted { reference },
                ),
            };
        }
        verdict.outcome(answer, now_ms, code.as_deref().unwrap_or_default())
    }

    /// Whether the provider's machine can be reached; a request would send something.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        let rendered = self
            .templates
            .render(&self.config, "+33600000000", "", "", false, Some(60))
            .map_err(|setting| format!("`sms.{setting}` can't be filled in"))?;
        let url = reqwest::Url::parse(&rendered.url)
            .map_err(|_| "`sms.http.url` is not an absolute address".to_owned())?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = url.port_or_known_default().unwrap_or(443);
        tokio::time::timeout(
            std::time::Duration::from_secs(10),
            tokio::net::TcpStream::connect((host, port)),
        )
        .await
        .ok()
        .and_then(Result::ok)
        .map(|_| format!("HTTP provider: {host}:{port} can be reached; nothing was sent"))
        .ok_or_else(|| format!("HTTP provider: {host}:{port} can't be reached; check sms.http.url"))
    }
}

/// A string, number or boolean as text.
pub(crate) fn scalar(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
