//! The demo's "publish a sample": the same way in as the API, with an id of its own each time.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect},
};
use jiff::ToSpan;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    session::Staff,
    view::{self, Failure, PageResult},
    words,
};
use crate::{
    bus::{BusMessage, Room},
    clock::Clock,
    model::{
        event::{Event, EventKind},
        paris,
    },
    render::samples,
    web::Parts,
};

#[derive(Deserialize)]
pub struct Wanted {
    sample: String,
}

pub async fn publish(
    _: Staff,
    State(parts): State<Arc<Parts>>,
    Form(wanted): Form<Wanted>,
) -> PageResult {
    if parts.letterboxes.is_none() {
        return Err(Failure::not_found("Les exemples n’existent que dans la démonstration."));
    }
    let kind = EventKind::from_name(&wanted.sample)
        .ok_or_else(|| Failure::not_found("Cet exemple n’existe pas."))?;
    let mut sample = fresh_sample(kind, &parts.clock)?;
    let consultation = &mut sample["data"]["consultation"]["id"];
    *consultation = round(&parts, kind, consultation.as_str().unwrap_or_default()).await?.into();
    let event: Event = serde_json::from_value(sample.clone())
        .map_err(|error| Failure::ours(error, "read a sample event"))?;
    let message = BusMessage {
        subject: kind.subject(),
        message_id: event.message_id(),
        headers: vec![("content-type".to_owned(), "application/cloudevents+json".to_owned())],
        payload: sample.to_string().into_bytes(),
    };
    for result in parts.bus.publish(&[message]).await {
        result.map_err(|error| {
            tracing::warn!(%error, "a sample was not published");
            let says = "Le bus ne répond pas : l’exemple n’a pas été publié. Réessayez.";
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, says)
        })?;
    }
    parts.bells.ring(Room::Intake);
    Ok(Redirect::to(&format!("/console/published/{}", words::path_segment(&event.id)))
        .into_response())
}

/// Between the bus and the first row: leads on to the event's page as soon as there is one.
pub async fn waiting(
    _: Staff,
    State(parts): State<Arc<Parts>>,
    Path(event): Path<String>,
) -> PageResult {
    if let Some(row) = parts.store.events_named(&event).await?.last() {
        return Ok(Redirect::to(&format!("/console/events/{}", row.id)).into_response());
    }
    let context = json!({ "title": "Publication en cours", "event": event });
    view::page(&parts, "console/waiting.html", "home", context).await
}

/// The consultation that a sample speaks of: its last round, or a new one where that round has been
/// examined already, since a consultation never goes back to asking.
async fn round(parts: &Parts, kind: EventKind, sample: &str) -> PageResult<String> {
    let rows = parts.store.latest_consultations(200).await?;
    let rounds: Vec<_> = rows
        .iter()
        .filter(|row| {
            let tail = row.id.strip_prefix(sample);
            tail.is_some_and(|tail| tail.is_empty() || tail.starts_with("-tour-"))
        })
        .collect();
    Ok(match rounds.first() {
        None => sample.to_owned(),
        Some(last) if last.phase > 2 && kind.phase() <= 2 => {
            format!("{sample}-tour-{}", rounds.len() + 1)
        }
        Some(last) => last.id.clone(),
    })
}

/// The sample with an id of its own, as of now; where its consultation has ended in the meantime,
/// it ends seven weeks from today instead.
fn fresh_sample(kind: EventKind, clock: &Clock) -> PageResult<Value> {
    let mut event: Value = serde_json::from_str(samples::json(kind))
        .map_err(|error| Failure::ours(error, "read a sample event"))?;
    let tail: String = clock.id().chars().take(6).collect();
    event["id"] = format!("{}-{tail}", event["id"].as_str().unwrap_or("exemple")).into();
    event["time"] = clock.now().to_string().into();
    let today = paris::day(clock.now_ms());
    let consultation = &mut event["data"]["consultation"];
    let closes = consultation["closes"].as_str().and_then(|date| date.parse().ok());
    if closes.is_some_and(|closes: jiff::civil::Date| closes <= today) && kind.phase() <= 2 {
        consultation["opens"] = today.to_string().into();
        let end = today.checked_add(7.weeks()).unwrap_or(today);
        consultation["closes"] = end.to_string().into();
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_can_be_published_again_and_long_after_its_dates() {
        let clock = Clock::fixed(paris::start_of(jiff::civil::date(2031, 5, 1)));
        for kind in EventKind::ALL {
            let first = fresh_sample(kind, &clock).unwrap();
            let second = fresh_sample(kind, &clock).unwrap();
            assert_ne!(first["id"], second["id"]);
            let event: Event = serde_json::from_value(first).unwrap();
            assert_eq!(event.kind, kind);
            if kind == EventKind::ConsultationOpened {
                let closes = event.data.consultation.closes.unwrap();
                assert_eq!(closes.to_string(), "2031-06-19");
            }
        }
    }
}
