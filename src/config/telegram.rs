use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::check::{Check, Checked, given, is_loopback};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTelegram {
    provider: String,
    token: SecretString,
    api_url: String,
    mode: String,
    webhook_secret: SecretString,
    bot_name: String,
    per_second: f64,
    in_flight: i64,
    poll_timeout: String,
}

#[derive(Debug, Clone)]
pub struct TelegramSettings {
    pub provider: TelegramProvider,
    /// Messages a second over all: above 0, at most 30.
    pub per_second: f64,
    /// Messages being sent at once.
    pub in_flight: usize,
}

#[derive(Debug, Clone)]
pub enum TelegramProvider {
    Sandbox,
    Bot(BotSettings),
}

#[derive(Debug, Clone)]
pub struct BotSettings {
    pub token: SecretString,
    pub api_url: Url,
    pub mode: TelegramMode,
    /// Without @.
    pub bot_name: Option<String>,
}

#[derive(Debug, Clone)]
pub enum TelegramMode {
    /// Long polling, each poll waiting that long.
    Polling { timeout: Duration },
    /// At `/hooks/telegram`; the secret is what Telegram repeats in each call.
    Webhook { secret: SecretString },
}

impl RawTelegram {
    pub(super) fn is_sandbox(&self) -> bool {
        self.provider.trim() != "bot"
    }

    /// Whether messages go to a server other than one on this machine.
    pub(super) fn is_remote(&self) -> bool {
        !self.is_sandbox() && !Url::parse(&self.api_url).is_ok_and(|url| is_loopback(&url))
    }

    pub(super) fn validate(&self, check: &mut Check) -> Checked<TelegramSettings> {
        let choices = [("sandbox", false), ("bot", true)];
        let provider = match check.choice("telegram.provider", &self.provider, &choices) {
            Ok(true) => self.bot(check).map(TelegramProvider::Bot),
            Ok(false) => Ok(TelegramProvider::Sandbox),
            Err(reported) => Err(reported),
        };
        let per_second = if self.per_second > 0.0 && self.per_second <= 30.0 {
            Ok(self.per_second)
        } else {
            let advice = "choose above 0 and at most 30: Telegram's own limit";
            check.fail("telegram.per_second", "is out of range", advice)
        };
        let in_flight = check.number("telegram.in_flight", self.in_flight, 1..=200);
        Ok(TelegramSettings { provider: provider?, per_second: per_second?, in_flight: in_flight? })
    }

    fn bot(&self, check: &mut Check) -> Checked<BotSettings> {
        let token = check.needed_secret("telegram.token", &self.token, 10).and_then(|token| {
            let id = token.expose_secret().split_once(':').map_or("", |(id, _)| id);
            if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) {
                return Ok(token);
            }
            let advice = "copy it as BotFather gave it: digits, a colon, letters";
            check.fail("telegram.token", "is not a bot's token", advice)
        });
        let api_url = check.url("telegram.api_url", &self.api_url, &["https", "http"]);
        let api_url = api_url.and_then(|url| {
            if url.scheme() == "https" || is_loopback(&url) {
                return Ok(url);
            }
            check.fail("telegram.api_url", "sends the token in the clear", "write https://…")
        });
        let choices = [("polling", false), ("webhook", true)];
        let mode = match check.choice("telegram.mode", &self.mode, &choices) {
            Ok(true) => self.webhook(check),
            Ok(false) => check
                .duration("telegram.poll_timeout", &self.poll_timeout, "1s"..="50s")
                .map(|timeout| TelegramMode::Polling { timeout }),
            Err(reported) => Err(reported),
        };
        let bot_name = given(self.bot_name.trim().trim_start_matches('@'));
        Ok(BotSettings { token: token?, api_url: api_url?, mode: mode?, bot_name })
    }

    fn webhook(&self, check: &mut Check) -> Checked<TelegramMode> {
        let key = "telegram.webhook_secret";
        let secret = check.needed_secret(key, &self.webhook_secret, 16)?;
        let text = secret.expose_secret();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if text.len() > 256 || !text.bytes().all(allowed) {
            let advice = "choose 16 to 256 of A-Z a-z 0-9 _ -";
            return check.fail(key, "has characters Telegram does not take", advice);
        }
        Ok(TelegramMode::Webhook { secret })
    }
}
