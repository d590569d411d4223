//! The channel against a strict Bot API, and against the rules every channel passes.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod hear;
mod hook;
mod sandbox;
mod send;
mod shape;

use std::time::Duration;

use portevoix_conformance::fakes::BotApi;
use portevoix_telegram::{BotSettings, Telegram, TelegramShaper};

/// Short enough that a fault shows at once, long enough for a loaded machine.
const TIMEOUT: Duration = Duration::from_secs(2);

fn settings(api: &BotApi) -> BotSettings {
    BotSettings {
        api_url: Some(api.url().to_owned()),
        timeout: TIMEOUT,
        chat_gap: Duration::from_millis(1),
        ..BotSettings::new(api.token().to_owned().into())
    }
}

fn telegram(api: &BotApi) -> Telegram {
    Telegram::new(&settings(api), TelegramShaper).unwrap()
}
