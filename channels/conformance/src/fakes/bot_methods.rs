//! What the fake checks of each method's parameters, in the real API's words.

use serde_json::{Map, Value};

use super::bot_html::parsed_text;

pub(super) type Params = Map<String, Value>;

/// A 400, as the Bot API describes it after `Bad Request: `.
pub(super) type Refusal = String;

/// Parameters the method doesn't have are refused: the real API passes over them, and a typing
/// error would go unseen.
pub(super) fn only(params: &Params, known: &[&str]) -> Result<(), Refusal> {
    match params.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("parameter {key} is unknown to the fake")),
        None => Ok(()),
    }
}

pub(super) fn integer(params: &Params, name: &str) -> Option<i64> {
    params.get(name).and_then(Value::as_i64)
}

pub(super) fn string<'a>(params: &'a Params, name: &str) -> Option<&'a str> {
    params.get(name).and_then(Value::as_str)
}

/// Chat, text after entities are parsed.
pub(super) fn check_message(params: &Params) -> Result<(i64, String), Refusal> {
    only(
        params,
        &[
            "chat_id",
            "text",
            "parse_mode",
            "reply_markup",
            "link_preview_options",
            "reply_parameters",
        ],
    )?;
    let chat = integer(params, "chat_id").ok_or("chat_id is empty")?;
    let written = string(params, "text").unwrap_or_default();
    let text = match string(params, "parse_mode") {
        Some("HTML") => parsed_text(written)?,
        None => written.to_owned(),
        Some(_) => return Err("unsupported parse_mode".to_owned()),
    };
    let text = text.trim().to_owned();
    if text.is_empty() {
        return Err("message text is empty".to_owned());
    }
    if text.encode_utf16().count() > 4_096 {
        return Err("message is too long".to_owned());
    }
    if let Some(markup) = params.get("reply_markup") {
        check_keyboard(markup)?;
    }
    Ok((chat, text))
}

fn check_keyboard(markup: &Value) -> Result<(), Refusal> {
    let rows = markup
        .get("inline_keyboard")
        .and_then(Value::as_array)
        .ok_or("object expected as reply markup")?;
    let buttons = rows.iter().filter_map(Value::as_array).flatten();
    for button in buttons {
        if button.get("text").and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
            return Err("can't parse inline keyboard button: field \"text\" is empty".to_owned());
        }
        match (button.get("callback_data"), button.get("url")) {
            (Some(data), None) => {
                if !(1..=64).contains(&data.as_str().map_or(0, str::len)) {
                    return Err("BUTTON_DATA_INVALID".to_owned());
                }
            }
            (None, Some(url)) => check_url(url.as_str().unwrap_or_default())?,
            _ => {
                return Err(
                    "can't parse inline keyboard button: Text buttons are unallowed in the \
                            inline keyboard"
                        .to_owned(),
                );
            }
        }
    }
    Ok(())
}

/// Telegram takes no URL button to a host that only this machine knows.
fn check_url(url: &str) -> Result<(), Refusal> {
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .and_then(|rest| rest.split(['/', '?', '#', ':']).next());
    let known = host.is_some_and(|host| {
        host.contains('.') && !host.starts_with("127.") && !host.contains([' ', '"', '<'])
    });
    if known && !url.contains(char::is_whitespace) {
        Ok(())
    } else {
        Err(format!("inline keyboard button URL '{url}' is invalid: Wrong HTTP URL"))
    }
}
