//! How the fake answers each method.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    bot_api::{BotFault, SentByBot, Shared, Webhook, person_message},
    bot_methods::{Params, check_message, integer, only, string},
};

fn error(code: u16, description: &str, parameters: Option<Value>) -> Response {
    let mut body = json!({ "ok": false, "error_code": code, "description": description });
    if let Some(parameters) = parameters {
        body["parameters"] = parameters;
    }
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, axum::Json(body)).into_response()
}

fn too_many(seconds: u32) -> Response {
    let words = format!("Too Many Requests: retry after {seconds}");
    error(429, &words, Some(json!({ "retry_after": seconds })))
}

fn ok(result: &Value) -> Response {
    axum::Json(json!({ "ok": true, "result": result })).into_response()
}

fn down() -> Response {
    (StatusCode::BAD_GATEWAY, "<html><body>502 Bad Gateway</body></html>").into_response()
}

pub(super) async fn call(
    State(shared): State<Arc<Shared>>,
    Path((bot, method)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let method = method.to_lowercase();
    let fault = {
        let mut inner = shared.lock();
        *inner.requests.entry(method.clone()).or_default() += 1;
        inner.faults.get_mut(&method).and_then(VecDeque::pop_front)
    };
    shared.changed.notify_waiters();
    if bot != format!("bot{}", shared.token) {
        return error(401, "Unauthorized", None);
    }
    match fault {
        None => {}
        Some(BotFault::Api { code, description }) => return error(code, &description, None),
        Some(BotFault::RetryAfter(seconds)) => {
            return too_many(seconds);
        }
        Some(BotFault::MigrateTo(chat)) => {
            let words = "Bad Request: group chat was upgraded to a supergroup chat";
            return error(400, words, Some(json!({ "migrate_to_chat_id": chat })));
        }
        Some(BotFault::Garbage) => return "not what you think".into_response(),
        Some(BotFault::Down) => return down(),
        Some(BotFault::Hang) => std::future::pending().await,
        Some(BotFault::AnswerLost) => {
            answer(&shared, &method, &body).await;
            return down();
        }
    }
    answer(&shared, &method, &body).await
}

async fn answer(shared: &Shared, method: &str, body: &Bytes) -> Response {
    let params = if body.is_empty() { Ok(Params::new()) } else { serde_json::from_slice(body) };
    let Ok(params) = params else {
        return error(400, "Bad Request: can't parse the request's JSON", None);
    };
    let done = match method {
        "getme" => Ok(json!({
            "id": 123_456_789, "is_bot": true, "first_name": "Porte-voix",
            "username": "portevoix_test_bot", "can_join_groups": true,
            "can_read_all_group_messages": false, "supports_inline_queries": false,
        })),
        "sendmessage" => return send_message(shared, &params),
        "getupdates" => return get_updates(shared, &params).await,
        "answercallbackquery" => answer_callback(shared, &params),
        "setwebhook" => set_webhook(shared, &params),
        "deletewebhook" => {
            shared.lock().webhook = None;
            Ok(Value::Bool(true))
        }
        _ => return error(404, "Not Found", None),
    };
    shared.changed.notify_waiters();
    match done {
        Ok(result) => ok(&result),
        Err(refusal) => error(400, &format!("Bad Request: {refusal}"), None),
    }
}

fn send_message(shared: &Shared, params: &Params) -> Response {
    let (chat, text) = match check_message(params) {
        Ok(checked) => checked,
        Err(refusal) => return error(400, &format!("Bad Request: {refusal}"), None),
    };
    let mut inner = shared.lock();
    if inner.unknown.contains(&chat) {
        return error(400, "Bad Request: chat not found", None);
    }
    if inner.blocked.contains(&chat) {
        return error(403, "Forbidden: bot was blocked by the user", None);
    }
    match inner.flood_after {
        Some(0) => {
            inner.flood_after = None;
            return too_many(1);
        }
        Some(left) => inner.flood_after = Some(left - 1),
        None => {}
    }
    inner.next_message += 1;
    let message_id = inner.next_message;
    let mut message = person_message(chat, message_id);
    message["text"] = text.as_str().into();
    let params = Value::Object(params.clone());
    inner.sent.push(SentByBot { message_id, chat_id: chat, text, params });
    drop(inner);
    shared.changed.notify_waiters();
    ok(&message)
}

async fn get_updates(shared: &Shared, params: &Params) -> Response {
    if let Err(refusal) = only(params, &["offset", "limit", "timeout", "allowed_updates"]) {
        return error(400, &format!("Bad Request: {refusal}"), None);
    }
    let turn = {
        let mut inner = shared.lock();
        if inner.webhook.is_some() {
            let words = "Conflict: can't use getUpdates method while webhook is active; use \
                         deleteWebhook to delete the webhook first";
            return error(409, words, None);
        }
        inner.polls += 1;
        let offset = integer(params, "offset").unwrap_or_default();
        if offset > inner.confirmed {
            inner.confirmed = offset;
            inner.updates.retain(|update| update["update_id"].as_i64() >= Some(offset));
        }
        inner.polls
    };
    shared.changed.notify_waiters();
    let limit = integer(params, "limit").map_or(100, |limit| limit.clamp(1, 100));
    let allowed: Option<Vec<&str>> = params
        .get("allowed_updates")
        .and_then(Value::as_array)
        .map(|kinds| kinds.iter().filter_map(Value::as_str).collect());
    let wait = Duration::from_secs(
        integer(params, "timeout").and_then(|wait| u64::try_from(wait).ok()).unwrap_or_default(),
    );
    let deadline = tokio::time::Instant::now() + wait;
    loop {
        let changed = shared.changed.notified();
        {
            let inner = shared.lock();
            if inner.polls != turn {
                let words = "Conflict: terminated by other getUpdates request; make sure that \
                             only one bot instance is running";
                return error(409, words, None);
            }
            let wanted = |update: &&Value| {
                allowed
                    .as_ref()
                    .is_none_or(|kinds| kinds.iter().any(|kind| update.get(kind).is_some()))
            };
            let found: Vec<Value> = inner
                .updates
                .iter()
                .filter(wanted)
                .take(usize::try_from(limit).unwrap_or(100))
                .cloned()
                .collect();
            if !found.is_empty() {
                return ok(&Value::Array(found));
            }
        }
        if tokio::time::timeout_at(deadline, changed).await.is_err() {
            return ok(&json!([]));
        }
    }
}

fn answer_callback(shared: &Shared, params: &Params) -> Result<Value, String> {
    only(params, &["callback_query_id", "text", "show_alert", "cache_time"])?;
    let id = string(params, "callback_query_id").unwrap_or_default();
    let text = string(params, "text").unwrap_or_default();
    if text.chars().count() > 200 {
        return Err("MESSAGE_TOO_LONG".to_owned());
    }
    let mut inner = shared.lock();
    if !inner.callbacks.remove(id) {
        return Err(
            "query is too old and response timeout expired or query id is invalid".to_owned()
        );
    }
    inner.answered.push((id.to_owned(), text.to_owned()));
    Ok(Value::Bool(true))
}

fn set_webhook(shared: &Shared, params: &Params) -> Result<Value, String> {
    only(params, &["url", "secret_token", "allowed_updates", "max_connections"])?;
    let url = string(params, "url").unwrap_or_default();
    let secret = string(params, "secret_token").map(str::to_owned);
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if secret
        .as_ref()
        .is_some_and(|secret| !(1..=256).contains(&secret.len()) || !secret.chars().all(allowed))
    {
        return Err("secret token contains unallowed characters".to_owned());
    }
    if !url.starts_with("https://") {
        return Err("bad webhook: An HTTPS URL must be provided for webhook".to_owned());
    }
    shared.lock().webhook = Some(Webhook { url: url.to_owned(), secret });
    Ok(Value::Bool(true))
}
