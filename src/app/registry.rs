//! The channels of this process: one line each. A channel is a crate, a Cargo feature, a line here.

use std::sync::Arc;

use anyhow::Context;
use portevoix_contract::{Deliver, Hook, Source};
use portevoix_sandbox::Letterboxes;

use crate::config::Settings;

/// What the channels hand over.
#[derive(Default)]
pub struct Registry {
    pub channels: Vec<Arc<dyn Deliver>>,
    pub sources: Vec<Arc<dyn Source>>,
    pub hooks: Vec<Arc<dyn Hook>>,
    #[cfg(feature = "telegram")]
    telegram: Option<Arc<portevoix_telegram::Telegram>>,
}

impl Registry {
    /// # Errors
    /// Where a channel's settings can't work.
    pub fn new(
        settings: &Settings,
        letterboxes: Option<&Arc<Letterboxes>>,
    ) -> anyhow::Result<Self> {
        let mut registry = Self::default();
        #[cfg(feature = "email")]
        email::register(&mut registry, settings, letterboxes).context("email")?;
        #[cfg(feature = "sms")]
        sms::register(&mut registry, settings, letterboxes).context("sms")?;
        #[cfg(feature = "telegram")]
        telegram::register(&mut registry, settings, letterboxes).context("telegram")?;
        Ok(registry)
    }

    /// For commands that show what would be sent: sandboxes keep their letters in a folder that
    /// goes with the process.
    ///
    /// # Errors
    /// Where a channel's settings can't work.
    pub fn for_preview(settings: &Settings) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("portevoix-{}", std::process::id()));
        let letterboxes = Arc::new(Letterboxes::open(&folder)?);
        let registry = Self::new(settings, Some(&letterboxes));
        // the open file is all that is used; a folder that stays behind does no harm
        let _ = std::fs::remove_dir_all(&folder);
        registry
    }

    /// What has to be told to providers before anything comes in.
    ///
    /// # Errors
    /// Where a provider refuses it.
    pub async fn start(&self, settings: &Settings) -> anyhow::Result<()> {
        #[cfg(feature = "telegram")]
        telegram::start(self, settings).await?;
        Ok(())
    }
}

/// The demo's letterboxes; none: the channel is left at the sandbox while another one is real, and
/// is off. What is planned on it waits, for a message must not be called sent that nobody gets.
fn boxes(channel: &str, letterboxes: Option<&Arc<Letterboxes>>) -> Option<Arc<Letterboxes>> {
    if letterboxes.is_none() {
        tracing::warn!(
            channel,
            "this channel has no provider and is off; what it should carry waits"
        );
    }
    letterboxes.cloned()
}

#[cfg(feature = "email")]
mod email {
    use portevoix_email::{
        DkimConfig, DkimKey, Email, EmailConfig, EmailShaper, Identity, LmtpConfig, LmtpSource,
        ShaperConfig, SmtpTimes,
    };
    use portevoix_sandbox::SandboxChannel;

    use super::{Arc, Letterboxes, Registry, Settings, boxes};
    use crate::config::EmailProvider;

    pub(super) fn register(
        registry: &mut Registry,
        settings: &Settings,
        letterboxes: Option<&Arc<Letterboxes>>,
    ) -> anyhow::Result<()> {
        let email = &settings.email;
        match &email.provider {
            EmailProvider::Sandbox => {
                let Some(letterboxes) = boxes("email", letterboxes) else { return Ok(()) };
                let shaper = EmailShaper::new(shaper(settings)?)?;
                let shape = Box::new(move |message: &_, recipient: &_| {
                    shaper.shape(message, recipient).map(super::json)
                });
                let channel = SandboxChannel::new("email", shape, letterboxes);
                registry.channels.push(Arc::new(channel));
            }
            EmailProvider::Smtp(smtp) => {
                let dkim = settings.dkim.as_ref().map(|dkim| {
                    let key = |key: &crate::config::DkimKey| DkimKey {
                        selector: key.selector.clone(),
                        file: key.file.clone(),
                    };
                    DkimConfig {
                        domain: dkim.domain.clone(),
                        rsa: key(&dkim.rsa),
                        ed25519: dkim.ed25519.as_ref().map(key),
                    }
                });
                let channel = Email::new(EmailConfig {
                    shaper: shaper(settings)?,
                    smtp_url: smtp.url.clone(),
                    ca_file: smtp.ca_file.clone(),
                    hello: smtp.hello.clone(),
                    connections: smtp.connections,
                    per_second: email.per_second,
                    times: SmtpTimes::default(),
                    dkim,
                })?;
                registry.channels.push(Arc::new(channel));
            }
        }
        if let Some(listen) = email.lmtp_listen {
            let config = LmtpConfig {
                max_bytes: settings.inbox.max_bytes,
                max_connections: email.lmtp_max_connections,
                ..LmtpConfig::new(listen, &email.reply_domain)
            };
            let source = LmtpSource::bind(config, || crate::clock::Clock::system().now_ms())?;
            registry.sources.push(Arc::new(source));
        }
        Ok(())
    }

    fn shaper(settings: &Settings) -> anyhow::Result<ShaperConfig> {
        let (email, identity) = (&settings.email, &settings.identity);
        let layout = match &settings.templates.folder {
            Some(folder) => {
                let file = folder.join("mail/layout.mjml");
                file.exists().then(|| std::fs::read_to_string(file)).transpose()?
            }
            None => None,
        };
        let signature = [
            Some(identity.service.clone()),
            identity.contact_address.clone(),
            identity.contact_phone.clone(),
            identity.contact_email.clone(),
        ];
        Ok(ShaperConfig {
            from_name: email.from.name.clone().unwrap_or_else(|| identity.name.clone()),
            from_address: email.from.address.clone(),
            reply_domain: email.reply_domain.clone(),
            layout,
            identity: Identity {
                name: identity.name.clone(),
                signature: signature
                    .into_iter()
                    .flatten()
                    .filter(|line| !line.is_empty())
                    .collect(),
                accessibility_url: identity
                    .accessibility_statement
                    .as_ref()
                    .map(ToString::to_string),
                privacy_url: identity.personal_data.as_ref().map(ToString::to_string),
            },
        })
    }
}

#[cfg(feature = "sms")]
mod sms {
    use portevoix_sandbox::SandboxChannel;
    use portevoix_sms::{
        OvhConfig, ProviderConfig, ShapeConfig, Sms, SmsConfig, SmsShaper, TwilioConfig,
    };

    use super::{Arc, Letterboxes, Registry, Settings, boxes};
    use crate::config::{OvhSender, SmsProvider, TwilioSender};

    pub(super) fn register(
        registry: &mut Registry,
        settings: &Settings,
        letterboxes: Option<&Arc<Letterboxes>>,
    ) -> anyhow::Result<()> {
        let sms = &settings.sms;
        let shape = ShapeConfig {
            transliterate: sms.transliterate,
            max_segments: sms.max_segments,
            two_way: sms.two_way,
            stop_number: sms.stop_number.clone(),
            signature: sms.signature.clone(),
        };
        let provider = match &sms.provider {
            SmsProvider::Sandbox => {
                let Some(letterboxes) = boxes("sms", letterboxes) else { return Ok(()) };
                let shaper = SmsShaper::new(shape);
                let shape = Box::new(move |message: &_, recipient: &_| {
                    shaper.shape(message, recipient).map(super::json)
                });
                let channel = SandboxChannel::new("sms", shape, letterboxes);
                registry.channels.push(Arc::new(channel));
                return Ok(());
            }
            SmsProvider::Ovh(ovh) => ProviderConfig::Ovh(OvhConfig {
                endpoint: ovh.endpoint.clone(),
                application_key: ovh.application_key.clone(),
                application_secret: ovh.application_secret.clone(),
                consumer_key: ovh.consumer_key.clone(),
                service: ovh.service_name.clone(),
                sender: match &ovh.sender {
                    OvhSender::ForResponse => None,
                    OvhSender::Named(name) => Some(name.clone()),
                },
                sender_for_response: ovh.sender == OvhSender::ForResponse,
                poll_ms: u64::try_from(ovh.poll_every.as_millis()).unwrap_or(u64::MAX),
                receipt_token: ovh.callback_secret.clone(),
            }),
            SmsProvider::Twilio(twilio) => {
                let hook = settings.http.public_url.join("hooks/sms/twilio")?;
                let (from, messaging_service_sid) = match &twilio.sender {
                    TwilioSender::From(from) => (Some(from.clone()), None),
                    TwilioSender::MessagingService(sid) => (None, Some(sid.clone())),
                };
                ProviderConfig::Twilio(TwilioConfig {
                    api_url: twilio.api_url.as_str().trim_end_matches('/').to_owned(),
                    account_sid: twilio.account_sid.clone(),
                    auth_token: twilio.auth_token.clone(),
                    from,
                    messaging_service_sid,
                    status_callback: Some(hook.to_string()),
                })
            }
            SmsProvider::Http(http) => {
                ProviderConfig::Http(Box::new(http.read().map_err(anyhow::Error::msg)?))
            }
        };
        let channel = Arc::new(Sms::new(SmsConfig {
            per_second: sms.per_second,
            in_flight: sms.in_flight,
            timeout: sms.timeout,
            ..SmsConfig::new(provider, shape)
        })?);
        registry.hooks.extend(channel.hooks());
        registry.sources.extend(channel.sources());
        registry.channels.push(channel);
        Ok(())
    }
}

#[cfg(feature = "telegram")]
mod telegram {
    use portevoix_sandbox::SandboxChannel;
    use portevoix_telegram::{BotSettings, Telegram, TelegramHook, TelegramPoll, TelegramShaper};

    use super::{Arc, Letterboxes, Registry, Settings, boxes};
    use crate::config::{TelegramMode, TelegramProvider};

    pub(super) fn register(
        registry: &mut Registry,
        settings: &Settings,
        letterboxes: Option<&Arc<Letterboxes>>,
    ) -> anyhow::Result<()> {
        let bot = match &settings.telegram.provider {
            TelegramProvider::Sandbox => {
                let Some(letterboxes) = boxes("telegram", letterboxes) else { return Ok(()) };
                let shape = Box::new(|message: &_, recipient: &_| {
                    TelegramShaper.shape(message, recipient).map(super::json)
                });
                let channel = SandboxChannel::new("telegram", shape, letterboxes);
                registry.channels.push(Arc::new(channel));
                return Ok(());
            }
            TelegramProvider::Bot(bot) => bot,
        };
        let mut settings = BotSettings::new(bot.token.clone());
        settings.api_url = Some(bot.api_url.to_string());
        match &bot.mode {
            TelegramMode::Polling { timeout } => {
                let pause = std::time::Duration::from_secs(1);
                let poll = TelegramPoll::with_pace(&settings, *timeout, pause)?;
                registry.sources.push(Arc::new(poll));
            }
            TelegramMode::Webhook { secret } => {
                let name = bot.bot_name.as_deref().unwrap_or("bot");
                registry.hooks.push(Arc::new(TelegramHook::new(secret, name)?));
            }
        }
        let channel = Arc::new(Telegram::new(&settings, TelegramShaper)?);
        registry.telegram = Some(Arc::clone(&channel));
        registry.channels.push(channel);
        Ok(())
    }

    /// In webhook mode Telegram is told where to call.
    pub(super) async fn start(registry: &Registry, settings: &Settings) -> anyhow::Result<()> {
        let TelegramProvider::Bot(bot) = &settings.telegram.provider else { return Ok(()) };
        let TelegramMode::Webhook { secret } = &bot.mode else { return Ok(()) };
        let Some(channel) = &registry.telegram else { return Ok(()) };
        let url = settings.http.public_url.join("hooks/telegram")?;
        // a provider that is away is no reason not to start: it keeps its last webhook
        if let Err(error) = channel.set_webhook(url.as_str(), secret).await {
            tracing::warn!(error, "Telegram was not told of the webhook");
        }
        Ok(())
    }
}

/// Content as JSON: what the sandbox shows.
fn json(content: impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(content).unwrap_or_default()
}
