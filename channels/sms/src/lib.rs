//! SMS: segments, transliteration, keywords, and the providers OVHcloud, Twilio and any other that
//! an HTTP request can be described for.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that fails panics"))]

mod config;
mod keywords;
mod segments;
mod sentences;
mod shape;
mod transliterate;
mod words;

pub use config::{OvhConfig, ProviderConfig, ShapeConfig, SmsConfig, SmsConfigError, TwilioConfig};
pub use keywords::{Keyword, keyword, says_more};
pub use segments::{
    Cost, Encoding, SmsInspection, TransliteratedText, cost, in_gsm7, inspect, split,
};
pub use shape::{SmsContent, SmsShaper};
pub use transliterate::transliterate;
