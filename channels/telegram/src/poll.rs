use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use portevoix_contract::{Sink, Source};
use serde_json::Value;
use teloxide::{ApiError, RequestError};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{
        ALLOWED_UPDATES, AnswerCallbackQuery, Api, BotSettings, CallError, DeleteWebhook, GetMe,
        GetUpdates, SetUpError,
    },
    classify::{description, reason},
    update::read_update,
};

/// Long polling of `getUpdates`. The offset moves only once the sink has committed, so whatever
/// happens, an update comes again until it is kept.
pub struct TelegramPoll {
    api: Api,
    wait: Duration,
    backoff: Duration,
}

/// How long the server holds a call back while there is nothing.
const WAIT: Duration = Duration::from_secs(50);
/// The first pause after a fault; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why a round of polling ended early.
enum Fault {
    Call(CallError),
    NotStored(String),
}

impl TelegramPoll {
    /// # Errors
    /// Where token or URL can't be used.
    pub fn new(settings: &BotSettings) -> Result<Self, SetUpError> {
        Self::with_pace(settings, WAIT, FIRST_PAUSE)
    }

    /// `wait`: how long the server holds a call back, in whole seconds; `backoff`: the first pause
    /// after a fault.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_pace(
        settings: &BotSettings,
        wait: Duration,
        backoff: Duration,
    ) -> Result<Self, SetUpError> {
        Ok(Self { api: Api::new(settings, wait)?, wait, backoff })
    }

    async fn round(&self, sink: &dyn Sink, bot: &str, offset: &mut i64) -> Result<(), Fault> {
        let payload = GetUpdates {
            offset: *offset,
            timeout: self.wait.as_secs(),
            allowed_updates: ALLOWED_UPDATES,
        };
        for update in self.api.call(payload).await.map_err(Fault::Call)? {
            self.keep(sink, bot, &update, offset).await?;
        }
        Ok(())
    }

    async fn keep(
        &self,
        sink: &dyn Sink,
        bot: &str,
        update: &Value,
        offset: &mut i64,
    ) -> Result<(), Fault> {
        let received_at_ms = now_ms();
        let Ok(read) = read_update(update, bot, received_at_ms) else {
            tracing::warn!("passed over an update without an id");
            return Ok(());
        };
        if let Some(inbound) = read.inbound {
            sink.inbound(inbound).await.map_err(|error| Fault::NotStored(error.to_string()))?;
        }
        *offset = (*offset).max(read.update_id + 1);
        if let Some((callback_query_id, text)) = read.callback {
            // The press is kept; a button that turns a little longer must hold up nothing.
            let api = self.api.clone();
            let text = text.to_owned();
            tokio::spawn(async move {
                let payload = AnswerCallbackQuery { callback_query_id, text };
                if let Err(error) = api.call(payload).await {
                    tracing::debug!("button press not answered: {}", reason(&error));
                }
            });
        }
        Ok(())
    }

    /// What can be done about a fault, and how long to wait.
    async fn mend(&self, fault: &Fault, pause: Duration) -> Duration {
        match fault {
            Fault::NotStored(why) => {
                tracing::warn!("update not kept, it will come again: {why}");
                pause
            }
            Fault::Call(CallError::Api(RequestError::RetryAfter(wait))) => {
                tracing::warn!(seconds = wait.seconds(), "Telegram asks to wait");
                wait.duration()
            }
            Fault::Call(error) => {
                if webhook_in_the_way(error) {
                    tracing::warn!("a webhook is set; taking it away to poll");
                    if let Err(error) = self.api.call(DeleteWebhook {}).await {
                        tracing::warn!("webhook not taken away: {}", reason(&error));
                    }
                } else {
                    tracing::warn!("failed to fetch updates: {}", reason(error));
                }
                pause
            }
        }
    }
}

fn webhook_in_the_way(error: &CallError) -> bool {
    match error {
        CallError::Api(RequestError::Api(ApiError::CantGetUpdates)) => true,
        CallError::Api(RequestError::Api(refusal)) => {
            description(refusal).contains("webhook is active")
        }
        _ => false,
    }
}

/// Only for updates that name no time themselves, such as a pressed button.
fn now_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "I/O at the edge: when an update was taken")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

#[async_trait]
impl Source for TelegramPoll {
    fn name(&self) -> &'static str {
        "telegram.poll"
    }

    async fn run(&self, sink: Arc<dyn Sink>, stop: CancellationToken) -> Result<(), String> {
        let mut offset = 0;
        let mut pause = self.backoff;
        let mut bot = None;
        loop {
            let round = async {
                if bot.is_none() {
                    bot = Some(self.api.call(GetMe {}).await.map_err(Fault::Call)?.username);
                }
                let name = bot.as_deref().unwrap_or_default();
                self.round(sink.as_ref(), name, &mut offset).await
            };
            let done = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                done = round => done,
            };
            let Err(fault) = done else {
                pause = self.backoff;
                continue;
            };
            if let Fault::Call(CallError::Api(RequestError::Api(ApiError::InvalidToken))) = fault
                && bot.is_none()
            {
                return Err("Telegram refuses the bot's token: check telegram.token".to_owned());
            }
            let wait = self.mend(&fault, pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
