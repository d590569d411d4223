//! Strict fakes of providers, each on a free port of the loopback interface: they refuse what the
//! real one refuses, and go wrong when told to.

mod bot_api;
mod bot_html;
mod bot_methods;
mod bot_server;

pub use bot_api::{BotApi, BotFault, SentByBot, Webhook};
pub use bot_html::parsed_text;
