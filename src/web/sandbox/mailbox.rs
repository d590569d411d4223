//! One citizen's mailbox, phone or chat.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use portevoix_contract::Language;
use portevoix_sandbox::{Direction, Letter};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CHANNELS, known, letterboxes, letters, people};
use crate::{
    model::{event::Event, seal::Purpose},
    store::CitizenRow,
    web::{
        Parts,
        console::{
            live::{self, Fragments},
            view::{self, Failure, PageResult},
            words,
        },
    },
};

#[derive(Deserialize, Clone, Default)]
pub struct Wanted {
    #[serde(default)]
    letter: String,
    /// `html`, `text` or `headers`.
    #[serde(default)]
    view: String,
    #[serde(default)]
    answered: String,
    /// What a link of the mail has prepared to send.
    #[serde(default)]
    written: String,
}

/// A box as its own program shows it.
fn template(channel: &str) -> &'static str {
    match channel {
        "email" => "sandbox/mail.html",
        "sms" => "sandbox/phone.html",
        _ => "sandbox/chat.html",
    }
}

pub async fn mailbox(
    State(parts): State<Arc<Parts>>,
    Path((channel, address)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> PageResult {
    let channel = known(&channel)?;
    let mut context = contents(&parts, channel, &address, &wanted).await?;
    context["step"] = 4.into();
    context["answered"] = (!wanted.answered.is_empty()).into();
    context["written"] = wanted.written.clone().into();
    view::page(&parts, template(channel), "sandbox", context).await
}

pub async fn live(
    State(parts): State<Arc<Parts>>,
    Path((channel, address)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> PageResult {
    let channel = known(&channel)?;
    let stop = parts.stop.clone();
    let stream = live::stream(stop, move || {
        let (parts, address, wanted) = (Arc::clone(&parts), address.clone(), wanted.clone());
        async move {
            let context = contents(&parts, channel, &address, &wanted).await?;
            let mut fragments =
                Fragments::from([("said", view::fragment("sandbox/said.html", &context)?)]);
            let (list, thread) = match channel {
                "email" => (Some("sandbox/mail_list.html"), "sandbox/mail_thread.html"),
                "sms" => (None, "sandbox/phone_thread.html"),
                _ => (None, "sandbox/chat_thread.html"),
            };
            fragments.insert("thread", view::fragment(thread, &context)?);
            if let Some(list) = list {
                fragments.insert("list", view::fragment(list, &context)?);
            }
            Ok(fragments)
        }
    });
    Ok(stream.into_response())
}

/// The open mail's own HTML, for the frame.
pub async fn html(
    State(parts): State<Arc<Parts>>,
    Path((channel, address)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> PageResult<Response> {
    let channel = known(&channel)?;
    let found = letterboxes(&parts)?.letter(channel, &address, &wanted.letter);
    let letter = found.map_err(|error| Failure::ours(error, "read a letter"))?;
    let html = letter.as_ref().and_then(|letter| letter.content["html"].as_str());
    let html = html.ok_or_else(|| Failure::not_found("Ce courriel n’existe plus."))?;
    let answer = format!(
        "{}?letter={}",
        people::href(channel, &address),
        words::path_segment(&wanted.letter)
    );
    Ok(view::mail_frame(&letters::answered_here(html, &answer)))
}

async fn contents(
    parts: &Parts,
    channel: &'static str,
    address: &str,
    wanted: &Wanted,
) -> PageResult<Value> {
    let all = letterboxes(parts)?
        .letters(channel, address)
        .map_err(|error| Failure::ours(error, "read letters"))?;
    if all.is_empty() {
        return Err(Failure::not_found("Cette boîte est vide : personne n’a encore écrit ici."));
    }
    let (citizen, name) = people::who(parts, channel, address).await?;
    let (open, about) = opened(parts, &all, wanted, citizen.as_ref()).await?;
    let shown: Vec<Value> = all.iter().map(|letter| letters::shown(letter, &all)).collect();
    let (answers, receipts) = open.map_or_else(Default::default, |open| conversation(open, &all));
    let person = people::person(citizen.as_ref(), name.as_deref());
    Ok(json!({
        "title": format!("{} – {}", person["name"].as_str().unwrap_or_default(), box_name(channel)),
        "channel": channel, "address": address, "href": people::href(channel, address),
        "person": person, "doors": doors(parts, citizen.as_ref(), channel).await?,
        "letters": shown,
        "open": open.map(|letter| letters::shown(letter, &all)), "chosen": !wanted.letter.is_empty(),
        "view": match wanted.view.as_str() { "text" => "text", "headers" => "headers", _ => "html" },
        "about": about,
        "answers": answers.iter().map(|letter| letters::shown(letter, &all)).collect::<Vec<_>>(),
        "receipts": receipts.iter().map(|letter| letters::shown(letter, &all)).collect::<Vec<_>>(),
    }))
}

fn box_name(channel: &str) -> &'static str {
    match channel {
        "email" => "boîte aux lettres",
        "sms" => "téléphone",
        _ => "messagerie Telegram",
    }
}

/// The letter that is open: the one asked for; else the newest, and on a phone the newest that asks
/// something, since a conversation goes on below it.
async fn opened<'a>(
    parts: &Parts,
    all: &'a [Letter],
    wanted: &Wanted,
    citizen: Option<&CitizenRow>,
) -> PageResult<(Option<&'a Letter>, Value)> {
    const LOOKED_AT: usize = 8;
    let mut received = all.iter().rev().filter(|letter| letter.direction == Direction::In);
    let named = received.clone().find(|letter| letter.id == wanted.letter);
    let Some(newest) = named.or_else(|| received.clone().next()) else {
        return Ok((None, json!({})));
    };
    if named.is_none() && newest.channel != "email" {
        for letter in received.by_ref().take(LOOKED_AT) {
            let about = about(parts, letter, citizen).await?;
            if about["takes_answers"] == true {
                return Ok((Some(letter), about));
            }
        }
    }
    Ok((Some(newest), about(parts, newest, citizen).await?))
}

/// What was answered to the open letter, and what came in after the first answer. On a phone what
/// is written after a message answers it.
fn conversation<'a>(open: &Letter, all: &'a [Letter]) -> (Vec<&'a Letter>, Vec<&'a Letter>) {
    let mail = open.channel == "email";
    let answers: Vec<&Letter> = all
        .iter()
        .filter(|letter| letter.direction == Direction::Out)
        .filter(|letter| {
            letter.content["in_reply_to"].as_str() == Some(open.id.as_str())
                || !mail && letter.seq > open.seq
        })
        .collect();
    let after = answers.first().map_or(u64::MAX, |first| first.seq);
    let receipts = all
        .iter()
        .filter(|letter| letter.direction == Direction::In && letter.seq > after)
        .collect();
    (answers, receipts)
}

/// The citizen's boxes on every channel, in their own order.
async fn doors(parts: &Parts, citizen: Option<&CitizenRow>, here: &str) -> PageResult<Vec<Value>> {
    let Some(citizen) = citizen else { return Ok(Vec::new()) };
    let rows = parts.store.addresses(citizen.id).await?;
    let open = |row: &crate::store::AddressRow| {
        let address = parts.sealer.open_text(&row.sealed).ok()?;
        let letters = letterboxes(parts).ok()?.letters(&row.channel, &address).ok()?.len();
        CHANNELS.contains(&row.channel.as_str()).then(|| {
            json!({
                "channel": row.channel, "href": people::href(&row.channel, &address),
                "address": address, "letters": letters, "here": row.channel == here,
                "closed": row.state == "suppressed",
            })
        })
    };
    Ok(rows.iter().filter_map(open).collect())
}

/// What a letter is about: the options of its question in the citizen's language, and the
/// contribution that came of it.
async fn about(parts: &Parts, letter: &Letter, citizen: Option<&CitizenRow>) -> PageResult<Value> {
    let token = letter.token.as_deref().unwrap_or_default();
    let Some(delivery) = parts.sealer.read_token(Purpose::Delivery, token) else {
        return Ok(json!({}));
    };
    let Some(sent) = parts.store.sent_to(delivery).await? else { return Ok(json!({})) };
    let contribution = match (citizen, &sent.consultation) {
        (Some(citizen), Some(consultation)) => {
            parts.store.last_contribution(citizen.id, consultation).await?
        }
        _ => None,
    };
    let row = match sent.event {
        Some(event) => parts.store.event(event).await?,
        None => None,
    };
    let event = row.and_then(|row| serde_json::from_str::<Event>(&row.body).ok());
    let event = event.filter(Event::takes_answers);
    let language = Language::new(citizen.map_or(Language::DEFAULT, |citizen| &citizen.language));
    let options: Vec<Value> = event
        .as_ref()
        .and_then(|event| event.data.question.as_ref())
        .into_iter()
        .flat_map(|question| &question.options)
        .map(|option| json!({ "key": option.key, "label": option.label.best(&language) }))
        .collect();
    Ok(json!({
        "event": sent.event, "takes_answers": event.is_some(), "options": options,
        "language": language.as_str(),
        "contribution": contribution.map(|row| json!({ "number": row.number, "state": row.state })),
    }))
}
