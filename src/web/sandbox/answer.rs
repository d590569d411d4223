//! A citizen's answer, on the same way in as a real one: the letterbox writes what their mail
//! client, phone or chat would have sent, and the sink stores it.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect},
};
use portevoix_sandbox::{Answer, AnswerError};
use serde::Deserialize;

use super::{known, letterboxes, people};
use crate::{
    bus::Room,
    web::{
        Parts,
        console::{
            view::{Failure, PageResult},
            words,
        },
    },
};

/// Characters; more than any channel's form would take from a person.
const LONGEST: usize = 20_000;

#[derive(Deserialize)]
pub struct Written {
    /// The letter answered; empty: out of the blue.
    #[serde(default)]
    letter: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    choice: String,
}

pub async fn answer(
    State(parts): State<Arc<Parts>>,
    Path((channel, address)): Path<(String, String)>,
    Form(written): Form<Written>,
) -> PageResult {
    let boxes = letterboxes(&parts)?;
    let channel = known(&channel)?;
    let refused = |says: &str| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, says);
    let answer = match (written.choice.trim(), written.text.trim()) {
        ("", "") => return Err(refused("Écrivez votre réponse, puis envoyez-la.")),
        ("", text) if text.chars().count() > LONGEST => {
            return Err(refused("Cette réponse est trop longue : 20 000 signes au plus."));
        }
        ("", text) => Answer::Text(text.to_owned()),
        (choice, _) => Answer::Choice(choice.to_owned()),
    };
    let empty = boxes.letters(channel, &address).map_or(true, |letters| letters.is_empty());
    if empty {
        return Err(Failure::not_found("Cette boîte est vide : personne n’a encore écrit ici."));
    }
    let to = Some(written.letter.as_str()).filter(|letter| !letter.is_empty());
    let inbound =
        boxes.answer(channel, &address, &answer, to, parts.clock.now_ms()).map_err(|error| {
            match error {
                AnswerError::NoSuchLetter(_) => Failure::not_found("Ce message n’existe plus."),
                AnswerError::File(error) => Failure::ours(error, "keep an answer"),
            }
        })?;
    parts.sink.inbound(inbound).await.map_err(|error| {
        tracing::warn!(%error, "a made-up answer was not stored");
        let says =
            "Votre réponse n’a pas été enregistrée : la base de données ne répond pas. Réessayez.";
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, says)
    })?;
    parts.bells.ring(Room::Inbox);
    let open = words::path_segment(&written.letter);
    let back = format!("{}?letter={open}&answered=1#suite", people::href(channel, &address));
    Ok(Redirect::to(&back).into_response())
}
