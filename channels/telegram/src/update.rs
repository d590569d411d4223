use portevoix_contract::{Inbound, Language};
use serde_json::Value;

use crate::{shape::CHANNEL, words::words};

/// The text of the inbound made when a person blocks the bot (`my_chat_member`, `kicked`) or
/// takes it out of a group: that channel is inactive for them, as after `/stop`.
pub const KICKED: &str = "/kicked";

/// What one update says.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateRead {
    pub update_id: i64,
    /// None where nobody said anything: a service message, another bot, a kind not asked for.
    pub inbound: Option<Inbound>,
    /// The id of the callback query to answer, so that the button stops turning, and the words to
    /// answer it with.
    pub callback: Option<(String, &'static str)>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read an update without an update_id")]
pub struct NotAnUpdate;

/// What a person can send; a message with none of these is Telegram's own.
const SAID: [&str; 14] = [
    "text",
    "caption",
    "photo",
    "voice",
    "audio",
    "video",
    "video_note",
    "document",
    "animation",
    "sticker",
    "location",
    "contact",
    "poll",
    "venue",
];

/// Reads one update as the Bot API hands it over, polled or pushed. Pure.
///
/// `provider_id` is the update's id, `from` the chat's, references are `chat_id:message_id`. The
/// words are the text or the caption; pictures and the like stay in `raw`. A pressed button gives
/// its option's key as `choice`, and the message it is under as `in_reply_to`. `bot` becomes `to`;
/// `received_at_ms` is used where the update names no time.
///
/// # Errors
/// Where there is no `update_id`.
pub fn read_update(
    update: &Value,
    bot: &str,
    received_at_ms: i64,
) -> Result<UpdateRead, NotAnUpdate> {
    let update_id = update.get("update_id").and_then(Value::as_i64).ok_or(NotAnUpdate)?;
    let bare = || Inbound {
        channel: CHANNEL.to_owned(),
        provider_id: update_id.to_string(),
        from: String::new(),
        to: bot.to_owned(),
        text: None,
        choice: None,
        in_reply_to: None,
        reference: None,
        edited: false,
        raw: update.to_string().into_bytes(),
        received_at_ms,
    };
    let mut callback = None;
    let inbound = if let Some(message) = update.get("message") {
        read_message(message, false, bare())
    } else if let Some(message) = update.get("edited_message") {
        read_message(message, true, bare())
    } else if let Some(query) = update.get("callback_query") {
        callback = query.get("id").and_then(Value::as_str).map(|id| (id.to_owned(), noted(query)));
        read_press(query, bare())
    } else if let Some(member) = update.get("my_chat_member") {
        read_member(member, bare())
    } else {
        None
    };
    Ok(UpdateRead { update_id, inbound, callback })
}

fn read_message(message: &Value, edited: bool, bare: Inbound) -> Option<Inbound> {
    if message.pointer("/from/is_bot").and_then(Value::as_bool) == Some(true)
        || !SAID.iter().any(|kind| message.get(kind).is_some())
    {
        return None;
    }
    let text = message.get("text").or_else(|| message.get("caption")).and_then(Value::as_str);
    let at = if edited { message.get("edit_date") } else { message.get("date") };
    Some(Inbound {
        from: chat_of(message)?.to_string(),
        text: text.map(str::to_owned),
        in_reply_to: message.get("reply_to_message").and_then(reference_of),
        reference: reference_of(message),
        edited,
        received_at_ms: milliseconds(at).unwrap_or(bare.received_at_ms),
        ..bare
    })
}

fn read_press(query: &Value, bare: Inbound) -> Option<Inbound> {
    let above = query.get("message");
    let chat =
        above.and_then(chat_of).or_else(|| query.pointer("/from/id").and_then(Value::as_i64))?;
    let data = query.get("data").and_then(Value::as_str)?;
    // `<token>:<key>`, as the shaper wrote it; the whole stays in `raw`.
    let key = data.split_once(':').map_or(data, |(_, key)| key);
    Some(Inbound {
        from: chat.to_string(),
        choice: Some(key.to_owned()),
        in_reply_to: above.and_then(reference_of),
        ..bare
    })
}

fn read_member(member: &Value, bare: Inbound) -> Option<Inbound> {
    let status = member.pointer("/new_chat_member/status").and_then(Value::as_str)?;
    if !matches!(status, "kicked" | "left") {
        return None;
    }
    Some(Inbound {
        from: chat_of(member)?.to_string(),
        text: Some(KICKED.to_owned()),
        received_at_ms: milliseconds(member.get("date")).unwrap_or(bare.received_at_ms),
        ..bare
    })
}

fn noted(query: &Value) -> &'static str {
    let language = query.pointer("/from/language_code").and_then(Value::as_str);
    words(&Language::new(language.unwrap_or_default())).noted
}

fn chat_of(message: &Value) -> Option<i64> {
    message.pointer("/chat/id").and_then(Value::as_i64)
}

fn reference_of(message: &Value) -> Option<String> {
    let id = message.get("message_id").and_then(Value::as_i64)?;
    Some(format!("{}:{id}", chat_of(message)?))
}

fn milliseconds(seconds: Option<&Value>) -> Option<i64> {
    // 0 is what Telegram gives for a message it no longer knows.
    seconds?.as_i64().filter(|seconds| *seconds > 0)?.checked_mul(1_000)
}
