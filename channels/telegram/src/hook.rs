use portevoix_contract::{Hook, HookError, HookRead, HookRequest};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{api::SetUpError, update::read_update};

/// What Telegram pushes, with the secret that [`crate::Telegram::set_webhook`] agreed on.
pub struct TelegramHook {
    key: hmac::Key,
    expected: hmac::Tag,
    bot: String,
}

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

impl TelegramHook {
    /// `bot`: the bot's name, for [`portevoix_contract::Inbound::to`].
    ///
    /// # Errors
    /// Where Telegram would not take the secret; none is not allowed.
    pub fn new(secret: &SecretString, bot: &str) -> Result<Self, SetUpError> {
        let secret = secret.expose_secret().as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-';
        if !(1..=256).contains(&secret.len()) || !secret.iter().all(allowed) {
            return Err(SetUpError::WebhookSecret);
        }
        // Two codes of the same key compare in constant time, whatever was presented.
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let expected = hmac::sign(&key, secret);
        Ok(Self { key, expected, bot: bot.to_owned() })
    }
}

impl Hook for TelegramHook {
    fn path(&self) -> &str {
        "telegram"
    }

    fn read(&self, request: &HookRequest) -> Result<HookRead, HookError> {
        let presented = request.header(SECRET_HEADER).ok_or(HookError::NotSigned)?;
        hmac::verify(&self.key, presented.as_bytes(), self.expected.as_ref())
            .map_err(|_| HookError::NotSigned)?;
        let update = serde_json::from_slice(&request.body)
            .map_err(|error| HookError::NotUnderstood(error.to_string()))?;
        let mut read = read_update(&update, &self.bot, request.received_at_ms)
            .map_err(|error| HookError::NotUnderstood(error.to_string()))?;
        if let Some(inbound) = &mut read.inbound {
            inbound.raw.clone_from(&request.body);
        }
        // The answer to a webhook may be a call of the Bot API: the button stops turning.
        let answer = match read.callback {
            None => (String::new(), "text/plain"),
            Some((id, text)) => {
                let call = json!({
                    "method": "answerCallbackQuery", "callback_query_id": id, "text": text,
                });
                (call.to_string(), "application/json")
            }
        };
        Ok(HookRead { inbound: read.inbound.into_iter().collect(), receipts: Vec::new(), answer })
    }
}
