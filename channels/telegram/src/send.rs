use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use portevoix_contract::{
    Channel, Fault, Limits, Message, Outbound, Outcome, Recipient, Unshapeable,
};
use secrecy::{ExposeSecret, SecretString};
use teloxide::RequestError;

use crate::{
    api::{
        ALLOWED_UPDATES, Api, BotSettings, CallError, GetMe, Keyboard, NoPreview, SendMessage,
        SetUpError, SetWebhook,
    },
    classify::{classify, reason},
    pace::ChatPace,
    shape::{CHANNEL, TelegramContent, TelegramPart, TelegramShaper},
};

/// Telegram bears about thirty messages a second from one bot.
const PER_SECOND: f64 = 30.0;
const IN_FLIGHT: usize = 32;
/// Deliveries whose first parts are remembered.
const BEGUN: usize = 10_000;

/// Sends by the Bot API.
///
/// `Accepted::reference` is `chat_id:message_id` of the last part, the one with the buttons and the
/// invitation to reply. A group that became a supergroup is followed, and the reference names the
/// new chat. A retry goes on after the parts that arrived, as long as the process lives; an answer
/// that was lost on its way can't be told from a message that was, as the Bot API knows no
/// idempotency keys.
pub struct Telegram {
    api: Api,
    shaper: TelegramShaper,
    pace: ChatPace,
    begun: Mutex<Begun>,
}

#[derive(Default)]
struct Begun {
    /// Outbound id → parts that arrived.
    parts: HashMap<String, usize>,
    oldest_first: VecDeque<String>,
}

impl Telegram {
    /// Nothing is sent yet; [`Channel::probe`] reaches the server.
    ///
    /// # Errors
    /// Where token or URL can't be used.
    pub fn new(settings: &BotSettings, shaper: TelegramShaper) -> Result<Self, SetUpError> {
        Ok(Self {
            api: Api::new(settings, Duration::ZERO)?,
            shaper,
            pace: ChatPace::new(settings.chat_gap),
            begun: Mutex::default(),
        })
    }

    /// Has Telegram call `url` (https) with what comes in, and the secret beside it. From then on
    /// nothing can be polled.
    ///
    /// # Errors
    /// Telegram's reason, without the token.
    pub async fn set_webhook(&self, url: &str, secret: &SecretString) -> Result<(), String> {
        let payload = SetWebhook {
            url: url.to_owned(),
            secret_token: secret.expose_secret().to_owned(),
            allowed_updates: ALLOWED_UPDATES,
        };
        self.api.call(payload).await.map(drop).map_err(|error| reason(&error))
    }

    async fn send_part(&self, chat: i64, part: &TelegramPart) -> Result<(i64, i64), CallError> {
        self.pace.turn(chat).await;
        let mut payload = SendMessage {
            chat_id: chat,
            text: part.html.clone(),
            parse_mode: "HTML",
            reply_markup: (!part.buttons.is_empty())
                .then(|| Keyboard { inline_keyboard: part.buttons.clone() }),
            link_preview_options: NoPreview { is_disabled: true },
        };
        match self.api.call(payload.clone()).await {
            Ok(sent) => Ok((chat, sent.message_id)),
            Err(CallError::Api(RequestError::MigrateToChatId(new))) => {
                payload.chat_id = new.0;
                let sent = self.api.call(payload).await?;
                Ok((new.0, sent.message_id))
            }
            Err(error) => Err(error),
        }
    }

    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    fn arrived(&mut self, id: &str, parts: usize) {
        if self.parts.insert(id.to_owned(), parts).is_none() {
            self.oldest_first.push_back(id.to_owned());
        }
        if self.oldest_first.len() > BEGUN
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.parts.remove(&oldest);
        }
    }

    fn done(&mut self, id: &str) {
        if self.parts.remove(id).is_some() {
            self.oldest_first.retain(|other| other != id);
        }
    }
}

#[async_trait]
impl Channel for Telegram {
    type Content = TelegramContent;

    fn name(&self) -> &'static str {
        CHANNEL
    }

    fn limits(&self) -> Limits {
        Limits { per_second: Some(PER_SECOND), in_flight: IN_FLIGHT }
    }

    fn shape(
        &self,
        message: &Message,
        recipient: &Recipient,
    ) -> Result<Self::Content, Unshapeable> {
        self.shaper.shape(message, recipient)
    }

    async fn send(&self, outbound: &Outbound<Self::Content>) -> Outcome {
        let refused = |fault, why: &str| Outcome::Refused { fault, why: why.to_owned() };
        let Ok(mut chat) = outbound.to.parse::<i64>() else {
            return refused(Fault::Address, "this is no chat id");
        };
        let parts = &outbound.content.parts;
        let arrived = self.begun().parts.get(&outbound.id).copied().unwrap_or_default();
        let mut last = None;
        for (number, part) in parts.iter().enumerate().skip(arrived) {
            match self.send_part(chat, part).await {
                Ok((moved_to, message_id)) => {
                    chat = moved_to;
                    last = Some(message_id);
                    if number + 1 < parts.len() {
                        self.begun().arrived(&outbound.id, number + 1);
                    }
                }
                Err(error) => {
                    let outcome = classify(&error, outbound.now_ms);
                    if matches!(outcome, Outcome::Refused { .. }) {
                        self.begun().done(&outbound.id);
                    }
                    tracing::debug!(id = outbound.id, part = number, "{}", reason(&error));
                    return outcome;
                }
            }
        }
        self.begun().done(&outbound.id);
        match last {
            Some(message_id) => Outcome::Accepted { reference: format!("{chat}:{message_id}") },
            None => refused(Fault::Message, "nothing to send"),
        }
    }

    async fn probe(&self) -> Result<String, String> {
        match self.api.call(GetMe {}).await {
            Ok(me) => Ok(format!("telegram: @{} answers", me.username)),
            Err(error) => Err(format!(
                "telegram: {}; check telegram.token and telegram.api_url",
                reason(&error)
            )),
        }
    }
}
