//! SMS: segments, transliteration, keywords, and the providers OVHcloud, Twilio and any other that
//! an HTTP request can be described for.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that fails panics"))]

mod channel;
mod config;
mod form;
mod http;
mod http_config;
mod http_hook;
mod number;
mod ovh;
mod ovh_inbound;
mod secret;
mod segments;
mod sentences;
mod shape;
mod transliterate;
mod twilio;
mod twilio_hook;
mod verdict;
mod wire;
mod words;

pub use channel::Sms;
pub use config::{OvhConfig, ProviderConfig, ShapeConfig, SmsConfig, SmsConfigError, TwilioConfig};
pub use http_config::{
    BodyKind, HookAuth, HookFormat, HttpAuth, HttpConfig, HttpInboundConfig, HttpMethod,
    HttpReceiptConfig, HttpRule,
};
pub use http_hook::HttpHook;
pub use ovh_inbound::{OvhIncomingSource, OvhReceiptHook};
pub use secret::SignatureEncoding;
pub use segments::{
    Cost, Encoding, SmsInspection, TransliteratedText, cost, in_gsm7, inspect, split,
};
pub use shape::{SmsContent, SmsShaper};
pub use transliterate::transliterate;
pub use twilio_hook::TwilioHook;
pub use verdict::Verdict;
