//! The message of an event, exactly as each channel would send it.

use std::{str::FromStr, sync::Arc};

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use portevoix_contract::{Language, Recipient, Register};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    event::{found, shown_event},
    session::Staff,
    view::{self, Failure, PageResult},
    words,
};
use crate::{
    model::event::Event,
    render::{Links, Rendered, Variant},
    store::EventRow,
    web::Parts,
};

#[derive(Deserialize)]
pub struct Wanted {
    channel: Option<String>,
    language: Option<String>,
    register: Option<String>,
}

/// What can be shown, or why not, in one sentence.
type Shown = Result<Value, String>;

pub async fn message(
    _: Staff,
    State(parts): State<Arc<Parts>>,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
) -> PageResult {
    let row = found(&parts, id).await?;
    let channels: Vec<&str> = parts.channels.iter().map(|channel| channel.name()).collect();
    let channel = chosen_channel(&parts, &wanted);
    let (content, why_not) = match shape(&parts, &row, &wanted)? {
        Ok(content) => (content, None),
        Err(why) => (Value::Null, Some(why)),
    };
    let context = json!({
        "title": "Le message", "event": shown_event(&row), "tab": "message",
        "channels": channels, "channel": channel,
        "languages": ["fr", "nl", "en"], "language": wanted.language.as_deref().unwrap_or("fr"),
        "register": wanted.register.as_deref().unwrap_or("standard"),
        "content": content, "why_not": why_not,
        "inline_size": words::thousands(content["html"].as_str().map_or(0, |html| html.len() as i64)),
    });
    view::page(&parts, "console/message.html", "home", context).await
}

/// The mail's HTML alone, for the frame on the page.
pub async fn html(
    _: Staff,
    State(parts): State<Arc<Parts>>,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
) -> PageResult<Response> {
    let row = found(&parts, id).await?;
    let content = shape(&parts, &row, &wanted)?.map_err(Failure::not_found)?;
    let html = content["html"].as_str();
    let html = html.ok_or_else(|| Failure::not_found("Ce canal n’a pas de HTML."))?;
    Ok(view::mail_frame(html))
}

fn chosen_channel(parts: &Parts, wanted: &Wanted) -> &'static str {
    let named = wanted.channel.as_deref().unwrap_or("email");
    let found = parts.channels.iter().find(|channel| channel.name() == named);
    found.or(parts.channels.first()).map_or("email", |channel| channel.name())
}

fn shape(parts: &Parts, row: &EventRow, wanted: &Wanted) -> PageResult<Shown> {
    let event: Event = serde_json::from_str(&row.body)
        .map_err(|error| Failure::ours(error, "read a stored event"))?;
    let register = wanted.register.as_deref().unwrap_or("standard");
    let variant = Variant {
        language: Language::new(wanted.language.as_deref().unwrap_or(Language::DEFAULT)),
        register: Register::from_str(register).unwrap_or_default(),
        ..Variant::default()
    };
    let public = parts.settings.http.public_url.as_str().trim_end_matches('/');
    let links = Links { page: Some(format!("{public}/c/{}", row.code)) };
    let message = match parts.renderer.broadcast(&event, &variant, &links) {
        Ok(Rendered::Message(message)) => message,
        Ok(Rendered::AwaitsPlain) => {
            let says = "Personne n’a encore écrit ce message en facile à lire et à comprendre (FALC). \
                 Les personnes qui l’ont demandé attendent ce texte.";
            return Ok(Err(says.to_owned()));
        }
        Err(error) => return Err(Failure::ours(error, "render an event")),
    };
    let name = chosen_channel(parts, wanted);
    let Some(channel) = parts.channels.iter().find(|channel| channel.name() == name) else {
        return Ok(Err("Aucun canal n’est ouvert.".to_owned()));
    };
    match channel.preview(&message, &somebody(name, public)) {
        Ok(shaped) => Ok(Ok(shaped.content)),
        Err(error) => Ok(Err(format!("Ce canal ne peut pas porter ce message : {}.", error.why))),
    }
}

/// Nobody in particular: tokens that open nothing.
fn somebody(channel: &str, public: &str) -> Recipient {
    let address = match channel {
        "email" => "marie.exemple@sandbox.invalid",
        "sms" => "+33639980000",
        _ => "1000000",
    };
    let token = "exemple".to_owned();
    Recipient {
        address: address.to_owned(),
        name: Some("Marie".to_owned()),
        unsubscribe: Some(format!("{public}/u/{token}")),
        preferences: Some(format!("{public}/me/{token}")),
        token,
        in_reply_to: None,
    }
}
