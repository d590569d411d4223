//! The channel itself: one shaper, one provider.

use std::sync::Arc;

use async_trait::async_trait;
use portevoix_contract::{
    Channel, Fault, Hook, Limits, Message, Outbound, Outcome, Recipient, Source, Unshapeable,
};

use crate::{
    config::{ProviderConfig, SmsConfig, SmsConfigError},
    http::HttpProvider,
    http_hook::HttpHook,
    number::is_e164,
    ovh::OvhApi,
    ovh_inbound::{OvhIncomingSource, OvhReceiptHook},
    shape::{SmsContent, SmsShaper},
    twilio::Twilio,
    twilio_hook::TwilioHook,
    wire::Wire,
};

/// Sends by one provider and hands over what comes in.
pub struct Sms {
    config: SmsConfig,
    shaper: SmsShaper,
    provider: Provider,
}

enum Provider {
    Ovh(Arc<OvhApi>),
    Twilio(Twilio),
    Http(Box<HttpProvider>),
}

impl Sms {
    /// Validates and builds; touches no network. A TLS provider must have been installed for the
    /// process (`rustls::crypto::ring::default_provider().install_default()`).
    ///
    /// # Errors
    /// The first setting that can't work.
    pub fn new(config: SmsConfig) -> Result<Self, SmsConfigError> {
        config.validate()?;
        let wire = Wire::new(config.timeout).map_err(|_| SmsConfigError {
            setting: "provider",
            why: "can't be used: no TLS provider or no certificates on this machine".to_owned(),
        })?;
        let provider = match &config.provider {
            ProviderConfig::Ovh(ovh) => Provider::Ovh(Arc::new(OvhApi::new(ovh.clone(), wire))),
            ProviderConfig::Twilio(twilio) => Provider::Twilio(Twilio::new(twilio.clone(), wire)),
            ProviderConfig::Http(http) => {
                Provider::Http(Box::new(HttpProvider::new(http.as_ref().clone(), wire)?))
            }
        };
        Ok(Self { shaper: SmsShaper::new(config.shape.clone()), config, provider })
    }

    /// The webhooks that this provider calls.
    #[must_use]
    pub fn hooks(&self) -> Vec<Arc<dyn Hook>> {
        let hook: Option<Arc<dyn Hook>> = match &self.config.provider {
            ProviderConfig::Ovh(ovh) => ovh
                .receipt_token
                .clone()
                .map(|token| Arc::new(OvhReceiptHook::new(token)) as Arc<dyn Hook>),
            ProviderConfig::Twilio(twilio) => {
                Some(Arc::new(TwilioHook::new(twilio.auth_token.clone())))
            }
            ProviderConfig::Http(http) => http
                .inbound
                .clone()
                .map(|inbound| Arc::new(HttpHook::new(inbound)) as Arc<dyn Hook>),
        };
        hook.into_iter().collect()
    }

    /// The loops that fetch from this provider.
    #[must_use]
    pub fn sources(&self) -> Vec<Arc<dyn Source>> {
        match &self.provider {
            Provider::Ovh(api) if api.config.poll_ms > 0 => {
                vec![Arc::new(OvhIncomingSource::new(api.clone()))]
            }
            _ => Vec::new(),
        }
    }
}

#[async_trait]
impl Channel for Sms {
    type Content = SmsContent;

    fn name(&self) -> &'static str {
        "sms"
    }

    fn limits(&self) -> Limits {
        Limits { per_second: self.config.per_second, in_flight: self.config.in_flight }
    }

    fn shape(&self, message: &Message, recipient: &Recipient) -> Result<SmsContent, Unshapeable> {
        self.shaper.shape(message, recipient)
    }

    async fn send(&self, outbound: &Outbound<SmsContent>) -> Outcome {
        if !is_e164(&outbound.to) {
            return Outcome::Refused {
                fault: Fault::Address,
                why: "the number is not in E.164 form".to_owned(),
            };
        }
        match &self.provider {
            Provider::Ovh(ovh) => ovh.send(outbound).await,
            Provider::Twilio(twilio) => twilio.send(outbound).await,
            Provider::Http(http) => http.send(outbound).await,
        }
    }

    async fn probe(&self) -> Result<String, String> {
        match &self.provider {
            Provider::Ovh(ovh) => ovh.probe().await,
            Provider::Twilio(twilio) => twilio.probe().await,
            Provider::Http(http) => http.probe().await,
        }
    }
}
