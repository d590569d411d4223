//! Telegram through the Bot API: <https://core.telegram.org/bots/api>.
//!
//! - [`TelegramShaper`] makes a message into Telegram's HTML, split where the API's limit falls,
//!   with buttons below the last part. Pure.
//! - [`Telegram`] sends it by teloxide and classifies what happens.
//! - [`TelegramPoll`] and [`TelegramHook`] hand over what came in, by the same pure
//!   [`read_update`].
//!
//! Telegram is outside the EU: what is sent holds nothing sensitive, and another channel is always
//! offered.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod api;
mod button;
mod classify;
mod hook;
mod layout;
mod pace;
mod poll;
mod runs;
mod send;
mod shape;
mod split;
mod update;
mod words;

pub use api::{BotSettings, SetUpError};
pub use button::Button;
pub use hook::TelegramHook;
pub use poll::TelegramPoll;
pub use send::Telegram;
pub use shape::{TelegramContent, TelegramPart, TelegramShaper};
pub use split::PART_UNITS;
pub use update::{KICKED, NotAnUpdate, UpdateRead, read_update};
