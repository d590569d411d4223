//! Answers that no consultation could be found for: a person decides.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    contributions::consultations,
    session::Staff,
    view::{self, Failure, PageResult},
};
use crate::{bus::Room, store::ReplyRow, web::Parts};

const SHOWN: i64 = 50;

#[derive(Deserialize)]
pub struct Told {
    #[serde(default)]
    done: String,
}

#[derive(Deserialize)]
pub struct Decision {
    what: String,
    #[serde(default)]
    consultation: String,
    #[serde(default)]
    reason: String,
}

pub async fn held(
    _: Staff,
    State(parts): State<Arc<Parts>>,
    Query(told): Query<Told>,
) -> PageResult {
    let rows = parts.store.replies_in("held", SHOWN).await?;
    let context = json!({
        "title": "À traiter", "done": told.done,
        "consultations": consultations(&parts).await?,
        "replies": rows.iter().map(shown).collect::<Vec<_>>(),
    });
    view::page(&parts, "console/held.html", "held", context).await
}

/// A reply's words without its sender: who wrote matters to nobody who sorts answers.
fn shown(row: &ReplyRow) -> Value {
    json!({
        "id": row.id, "channel": row.channel, "at": row.received_at, "text": row.text,
        "answer": row.answer, "reason": row.reason, "class": row.class, "consultation": row.consultation,
    })
}

pub async fn decide(
    _: Staff,
    State(parts): State<Arc<Parts>>,
    Path(id): Path<i64>,
    Form(decision): Form<Decision>,
) -> PageResult {
    let unclear = |says: &str| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, says);
    let now = parts.clock.now_ms();
    let reason = decision.reason.trim();
    let (consultation, reason, done) = match decision.what.as_str() {
        "assign" if parts.store.consultation(&decision.consultation).await?.is_some() => {
            (Some(decision.consultation.as_str()), "staff said which", "assigned")
        }
        "assign" => return Err(unclear("Choisissez une consultation, puis recommencez.")),
        "reject" if reason.is_empty() => {
            return Err(unclear("Écrivez pourquoi cette réponse est écartée, puis recommencez."));
        }
        "reject" => (None, reason, "rejected"),
        _ => return Err(unclear("Cette demande n’est pas complète.")),
    };
    if !parts.store.decide_reply(id, consultation, reason, now).await? {
        return Ok(Redirect::to("/console/held?done=gone").into_response());
    }
    parts.bells.ring(Room::Contributions);
    Ok(Redirect::to(&format!("/console/held?done={done}")).into_response())
}
