//! The Bot API's methods, called by teloxide.
//!
//! The payloads are our own where teloxide's own would read more of the answer than we need: a
//! field that Telegram adds tomorrow must not make a message that was sent look as if it failed,
//! and what came in has to be kept exactly as it came.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use teloxide::{
    Bot, RequestError,
    requests::{JsonRequest, Payload, Request},
};

use crate::button::Button;

/// How to reach the Bot API.
#[derive(Debug, Clone)]
pub struct BotSettings {
    pub token: SecretString,
    /// Another server than Telegram's own, without the token.
    pub api_url: Option<String>,
    /// What one call may take before it counts as failed.
    pub timeout: Duration,
    /// Between two messages to one chat; Telegram asks for a second.
    pub chat_gap: Duration,
}

impl BotSettings {
    /// Telegram's own server, at the pace it asks for.
    #[must_use]
    pub fn new(token: SecretString) -> Self {
        Self {
            token,
            api_url: None,
            timeout: Duration::from_secs(30),
            chat_gap: Duration::from_secs(1),
        }
    }
}

/// The settings can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetUpError {
    #[error("read the Telegram token: it looks like `123456789:AA…`, this one does not")]
    Token,
    #[error("read telegram.api_url `{0}`: it is no http or https URL")]
    ApiUrl(String),
    #[error("read the webhook's secret: 1 to 256 of A-Z, a-z, 0-9, `_` and `-` are allowed")]
    WebhookSecret,
    #[error("set up the HTTP client: {0}")]
    Client(String),
}

/// What went wrong with a call. Holds neither the URL nor the token.
#[derive(Debug, Clone)]
pub(crate) enum CallError {
    Api(RequestError),
    TimedOut,
}

#[derive(Clone)]
pub(crate) struct Api {
    bot: Bot,
    timeout: Duration,
}

impl Api {
    /// `wait`: how long the server may hold a call back on purpose.
    pub(crate) fn new(settings: &BotSettings, wait: Duration) -> Result<Self, SetUpError> {
        let token = settings.token.expose_secret();
        let (id, secret) = token.split_once(':').ok_or(SetUpError::Token)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if id.is_empty()
            || !id.bytes().all(|byte| byte.is_ascii_digit())
            || secret.is_empty()
            || !secret.bytes().all(allowed)
        {
            return Err(SetUpError::Token);
        }
        let timeout = settings.timeout + wait;
        let client = teloxide::net::default_reqwest_settings()
            .timeout(timeout)
            .build()
            .map_err(|error| SetUpError::Client(error.to_string()))?;
        let mut bot = Bot::with_client(token, client);
        if let Some(url) = &settings.api_url {
            let fault = || SetUpError::ApiUrl(url.clone());
            if !(url.starts_with("http://") || url.starts_with("https://")) {
                return Err(fault());
            }
            bot = bot.set_api_url(url.parse().map_err(|_| fault())?);
        }
        Ok(Self { bot, timeout })
    }

    pub(crate) async fn call<P>(&self, payload: P) -> Result<P::Output, CallError>
    where
        P: Payload + Serialize + Send + 'static,
        P::Output: for<'de> Deserialize<'de> + Send + 'static,
    {
        let request = JsonRequest::new(self.bot.clone(), payload).send();
        match tokio::time::timeout(self.timeout, request).await {
            Ok(done) => done.map_err(CallError::Api),
            Err(_) => Err(CallError::TimedOut),
        }
    }
}

macro_rules! method {
    ($payload:ident, $name:literal, $output:ty) => {
        impl Payload for $payload {
            type Output = $output;
            const NAME: &'static str = $name;
        }
    };
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct SendMessage {
    pub chat_id: i64,
    pub text: String,
    pub parse_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_markup: Option<Keyboard>,
    pub link_preview_options: NoPreview,
}
method!(SendMessage, "sendMessage", SentMessage);

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Keyboard {
    pub inline_keyboard: Vec<Vec<Button>>,
}

/// A preview would have Telegram fetch the page, with whatever token is in its address.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NoPreview {
    pub is_disabled: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SentMessage {
    pub message_id: i64,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct GetMe {}
method!(GetMe, "getMe", Me);

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Me {
    pub username: String,
}

/// The kinds of updates that [`crate::read_update`] reads.
pub(crate) const ALLOWED_UPDATES: [&str; 4] =
    ["message", "edited_message", "callback_query", "my_chat_member"];

#[derive(Debug, Clone, Serialize)]
pub(crate) struct GetUpdates {
    pub offset: i64,
    /// Seconds the server holds the call back while there is nothing.
    pub timeout: u64,
    pub allowed_updates: [&'static str; 4],
}
method!(GetUpdates, "getUpdates", Vec<Value>);

#[derive(Debug, Clone, Serialize)]
pub(crate) struct AnswerCallbackQuery {
    pub callback_query_id: String,
    pub text: String,
}
method!(AnswerCallbackQuery, "answerCallbackQuery", bool);

#[derive(Debug, Clone, Serialize)]
pub(crate) struct SetWebhook {
    pub url: String,
    pub secret_token: String,
    pub allowed_updates: [&'static str; 4],
}
method!(SetWebhook, "setWebhook", bool);

#[derive(Debug, Clone, Serialize)]
pub(crate) struct DeleteWebhook {}
method!(DeleteWebhook, "deleteWebhook", bool);
