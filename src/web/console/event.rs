//! One event: its balance as it moves, its last deliveries, what citizens answer to it.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::IntoResponse,
};
use portevoix_contract::Language;
use serde_json::{Value, json};

use super::{
    home::shown_contributions,
    live::{self, Fragments},
    session::Staff,
    view::{self, Failure, PageResult},
    words,
};
use crate::{
    model::{balance::States, event::Event},
    store::{DeliveryView, EventRow},
    web::Parts,
};

const CHANGES: i64 = 10;
const CONTRIBUTIONS: i64 = 5;

pub async fn event(_: Staff, State(parts): State<Arc<Parts>>, Path(id): Path<i64>) -> PageResult {
    let mut context = progress(&parts, id).await?;
    context["title"] = context["event"]["title"].clone();
    context["tab"] = "follow".into();
    context["step"] = 2.into();
    view::page(&parts, "console/event.html", "home", context).await
}

pub async fn live(
    _: Staff,
    State(parts): State<Arc<Parts>>,
    Path(id): Path<i64>,
) -> impl IntoResponse {
    let stop = parts.stop.clone();
    live::stream(stop, move || {
        let parts = Arc::clone(&parts);
        async move {
            let mut context = progress(&parts, id).await?;
            context["demo"] = parts.letterboxes.is_some().into();
            Ok(Fragments::from([
                ("progress", view::fragment("console/event_progress.html", &context)?),
                ("said", view::fragment("console/event_said.html", &context)?),
                ("changes", view::fragment("console/event_changes.html", &context)?),
                ("contributions", view::fragment("console/contribution_list.html", &context)?),
            ]))
        }
    })
}

/// The row, or a page that says it isn't there.
pub async fn found(parts: &Parts, id: i64) -> PageResult<EventRow> {
    let row = parts.store.event(id).await?;
    row.ok_or_else(|| Failure::not_found("Cet envoi n’existe pas, ou n’existe plus."))
}

async fn progress(parts: &Parts, id: i64) -> PageResult<Value> {
    let row = found(parts, id).await?;
    let balance = parts.store.balance(id).await?;
    let balance = balance.ok_or_else(|| Failure::not_found("Cet envoi n’existe plus."))?;
    let changes = parts.store.deliveries_changed(id, CHANGES).await?;
    let contributions = parts.store.contributions_of_event(id, CONTRIBUTIONS).await?;
    let mut event = shown_event(&row);
    event["lasted"] = match (row.planned_at, row.completed_at) {
        (Some(from), Some(to)) => words::lasted(to - from).into(),
        _ => Value::Null,
    };
    let channels: Vec<Value> = balance
        .by_channel
        .iter()
        .map(|(channel, states)| {
            json!({ "name": channel, "planned": states.sum(), "states": states, "bar": bar(states, states.sum()) })
        })
        .collect();
    let states = &balance.states;
    Ok(json!({
        "event": event,
        "planned": balance.planned,
        "states": states,
        "done": balance.planned - states.pending,
        "out": states.sent + states.delivered,
        "apart": states.failed + states.suppressed + states.expired + states.cancelled,
        "percent": if balance.planned > 0 { (balance.planned - states.pending) * 100 / balance.planned } else { 0 },
        "holds": balance.holds(),
        "bar": bar(states, balance.planned),
        "channels": channels,
        "contribution_count": balance.contributions,
        "contributions": shown_contributions(parts, &contributions).await?,
        "changes": changes.iter().map(shown_delivery).collect::<Vec<_>>(),
    }))
}

/// An event as lists and headings show it.
pub fn shown_event(row: &EventRow) -> Value {
    let event = serde_json::from_str::<Event>(&row.body).ok();
    let title = event.as_ref().map_or_else(
        || row.event_id.clone(),
        |event| {
            event.data.message.get("fr").map_or_else(
                || event.data.consultation.title.best(&Language::default()).to_owned(),
                |message| message.title.clone(),
            )
        },
    );
    json!({
        "id": row.id, "event_id": row.event_id, "title": title, "kind": row.kind,
        "code": row.code, "state": row.state, "planned": row.planned, "at": row.received_at,
        "consultation": row.consultation,
    })
}

/// The stretches of a balance bar, in percent of what was planned.
pub fn bar(states: &States, planned: i64) -> Value {
    let whole = planned.max(states.sum()).max(1) as f64;
    let parts = [
        ("delivered", "remis", states.delivered),
        ("sent", "envoyés", states.sent),
        ("failed", "en échec", states.failed),
        ("suppressed", "écartés", states.suppressed),
        ("expired", "trop tard", states.expired),
        ("cancelled", "annulés", states.cancelled),
        ("pending", "en attente", states.pending),
    ];
    let mut from = 0.0;
    let shown: Vec<Value> = parts
        .into_iter()
        .filter(|(_, _, count)| *count > 0)
        .map(|(name, label, count)| {
            let width = count as f64 * 100.0 / whole;
            let part = json!({ "name": name, "label": label, "count": count, "x": round(from), "width": round(width) });
            from += width;
            part
        })
        .collect();
    Value::Array(shown)
}

fn round(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}

/// A delivery as lists show it; reasons of the rooms in French where they are known.
pub fn shown_delivery(row: &DeliveryView) -> Value {
    let commune = row.commune.as_deref().and_then(crate::model::communes::find);
    json!({
        "id": row.id, "who": row.pseudonym.as_deref().map(|name| name.chars().take(8).collect::<String>()),
        "commune": commune.map_or("", |commune| commune.name), "channel": row.channel,
        "language": row.language, "plain": row.register == "plain", "state": row.state,
        "reason": row.reason.as_deref().map(reason), "attempts": row.attempts,
        "clock": words::clock(row.updated_at),
    })
}

fn reason(words: &str) -> &str {
    match words {
        "awaits plain text" => "attend un texte facile à lire (FALC)",
        "plain text has come" => "le texte facile à lire est arrivé",
        "deadline passed" => "la date limite est passée",
        "the address is no longer written to" => "on n’écrit plus à cette adresse",
        "the citizen was erased" => "la personne a été effacée",
        "outside the hours for text messages" => "attend une heure permise pour les SMS",
        "nobody lives at this address" => "personne n’habite à cette adresse",
        other => other,
    }
}
