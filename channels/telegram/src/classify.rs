//! What the Bot API's refusals mean. Telegram documents no codes: its descriptions are the table.

use portevoix_contract::{Fault, Outcome};
use teloxide::{ApiError, RequestError};

use crate::api::CallError;

/// A wrong token is ours to mend: the whole channel waits and no delivery is burnt.
pub(crate) const TOKEN_WAIT_MS: i64 = 5 * 60_000;

/// Where a 429 names no time.
const UNNAMED_WAIT_MS: i64 = 30_000;

/// Descriptions after `Bad Request: ` that say something of the chat, not of the message.
const CHAT_IS_DEAD: [&str; 12] = [
    "chat not found",
    "user not found",
    "peer_id_invalid",
    "user_id_invalid",
    "chat_id_invalid",
    "chat_id is empty",
    "user_is_blocked",
    "input_user_deactivated",
    "group is deactivated",
    "chat_write_forbidden",
    "need administrator rights",
    "not enough rights to send",
];

pub(crate) fn classify(error: &CallError, now_ms: i64) -> Outcome {
    let later = |why: String| Outcome::Later { not_before_ms: None, why };
    match error {
        CallError::TimedOut => later("Telegram did not answer in time".to_owned()),
        CallError::Api(RequestError::RetryAfter(wait)) => Outcome::SlowDown {
            until_ms: now_ms.saturating_add(i64::from(wait.seconds()) * 1_000),
            why: format!("Telegram asks to wait {} s", wait.seconds()),
        },
        CallError::Api(RequestError::Api(ApiError::InvalidToken)) => Outcome::SlowDown {
            until_ms: now_ms.saturating_add(TOKEN_WAIT_MS),
            why: "Telegram refuses the bot's token: check telegram.token".to_owned(),
        },
        CallError::Api(RequestError::Api(refusal)) => by_description(refusal, now_ms),
        CallError::Api(RequestError::MigrateToChatId(_)) => {
            later("the group moved more than once".to_owned())
        }
        CallError::Api(_) => later(reason(error)),
    }
}

fn by_description(refusal: &ApiError, now_ms: i64) -> Outcome {
    let description = description(refusal);
    let why = shown(&description);
    let lower = description.to_lowercase();
    let refused = |fault| Outcome::Refused { fault, why: why.clone() };
    if lower.starts_with("forbidden") || lower.starts_with("unauthorized:") {
        return refused(Fault::Address);
    }
    if let Some(what) = lower.strip_prefix("bad request: ") {
        let dead = CHAT_IS_DEAD.iter().any(|words| what.starts_with(words));
        return refused(if dead { Fault::Address } else { Fault::Message });
    }
    if lower.starts_with("request entity too large") {
        return refused(Fault::Message);
    }
    if lower.starts_with("too many requests") {
        let until_ms = now_ms.saturating_add(UNNAMED_WAIT_MS);
        return Outcome::SlowDown { until_ms, why };
    }
    Outcome::Later { not_before_ms: None, why }
}

/// Telegram's own words. teloxide wraps those it does not know.
pub(crate) fn description(refusal: &ApiError) -> String {
    match refusal {
        ApiError::Unknown(words) => words.clone(),
        known => known.to_string(),
    }
}

/// For logs and people: without the URL (it holds the token) and without what came back (it may
/// hold a citizen's words).
pub(crate) fn reason(error: &CallError) -> String {
    match error {
        CallError::TimedOut => "Telegram did not answer in time".to_owned(),
        CallError::Api(RequestError::Api(refusal)) => shown(&description(refusal)),
        CallError::Api(RequestError::RetryAfter(wait)) => {
            format!("Telegram asks to wait {} s", wait.seconds())
        }
        CallError::Api(RequestError::MigrateToChatId(_)) => "the group has moved".to_owned(),
        CallError::Api(RequestError::Network(error)) if error.is_timeout() => {
            "Telegram did not answer in time".to_owned()
        }
        CallError::Api(RequestError::Network(error)) if error.is_connect() => {
            "Telegram can't be reached".to_owned()
        }
        CallError::Api(RequestError::Network(_)) => "the connection to Telegram broke".to_owned(),
        CallError::Api(RequestError::InvalidJson { .. }) => {
            "Telegram's answer can't be read".to_owned()
        }
        CallError::Api(RequestError::Io(_)) => "the request can't be written".to_owned(),
    }
}

/// Telegram quotes what it refuses, and that may be a citizen's own link.
fn shown(description: &str) -> String {
    let words = description.split_whitespace().take(40);
    words.map(|word| if word.contains("://") { "…" } else { word }).collect::<Vec<_>>().join(" ")
}
