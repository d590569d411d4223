//! CloudEvents in, balances out.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    routing::{get, post},
};
use serde::Serialize;
use serde_json::json;

use super::{
    super::{Parts, Problem, State, WebResult},
    auth::{CONTRIBUTIONS_READ, EVENTS_WRITE, SCOPES, guarded},
    openapi::{Doc, Operation},
};
use crate::{
    bus::{BusMessage, Room},
    intake::{Verdict, schema},
    model::{balance::Balance, event::Event},
};

pub(super) fn mount(doc: &mut Doc, parts: &Arc<Parts>) {
    let limit = limit(parts);
    let publish =
        guarded(post(publish).layer(DefaultBodyLimit::max(limit)), parts, &[EVENTS_WRITE]);
    let event = doc.schema::<crate::model::event::Envelope>();
    let operation = Operation::new(
        "post",
        "publishEvent",
        "events",
        "Takes a CloudEvent 1.0, in structured mode, or in binary mode with `ce-` headers and the \
         data as body. A second copy (same source and id) changes nothing.",
    )
    .scopes(&[EVENTS_WRITE])
    .body("application/cloudevents+json", event.clone())
    .body("application/json", event)
    .answer(
        202,
        "taken",
        "application/json",
        json!({
            "type": "object",
            "properties": { "id": { "type": "string" }, "status": { "enum": ["accepted", "duplicate"] } },
            "required": ["id", "status"],
        }),
    )
    .problem(413, format!("more than {limit} bytes"))
    .problem(422, "not a valid event: `problems` names each path")
    .problem(503, "the bus or the database does not answer: nothing was taken, try again");
    doc.mount("/api/v1/events", publish, vec![operation]);

    let balance = doc.schema::<Balance>();
    let operation = Operation::new(
        "get",
        "eventBalance",
        "events",
        "What became of an event: `planned` is the sum of `states` at every instant.",
    )
    .scopes(&[EVENTS_WRITE, CONTRIBUTIONS_READ])
    .path_parameter("id", "the event's id")
    .query_parameter("source", "the event's source, where several have that id")
    .answer(200, "the balance", "application/json", balance)
    .problem(404, "no such event is known")
    .problem(409, "several sources have an event of that id: name one with `source`");
    doc.mount("/api/v1/events/{id}", guarded(get(balance_of), parts, &SCOPES), vec![operation]);
}

/// The largest event, in bytes: the reader's own limit, unless a smaller one is configured.
fn limit(parts: &Parts) -> usize {
    let settings = &parts.settings;
    settings.intake.max_event_bytes.min(settings.http.max_body_bytes).min(schema::MAX_BYTES)
}

#[derive(Debug, Serialize)]
struct Taken {
    id: String,
    status: &'static str,
}

async fn publish(
    axum::extract::State(parts): State,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> WebResult<(StatusCode, Json<Taken>)> {
    let body = body.map_err(|rejection| unread(&rejection, limit(&parts)))?;
    let headers = carried(&headers);
    let event = schema::parse(&headers, &body).map_err(Problem::invalid)?;
    let verdict = take(&parts, &event, headers, body.into()).await?;
    metrics::counter!("portevoix_http_events_total", "result" => verdict.as_str()).increment(1);
    Ok((StatusCode::ACCEPTED, Json(Taken { id: event.id, status: verdict.as_str() })))
}

/// Why a body was not read, as problem details.
pub(super) fn unread(rejection: &BytesRejection, limit: usize) -> Problem {
    let status = rejection.status();
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(status, format!("the body has more than {limit} bytes"))
    } else {
        Problem::new(status, "the body could not be read to its end")
    }
}

/// The headers that belong to the CloudEvent, as the bus carries them.
fn carried(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut carried: Vec<(String, String)> = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("ce-"))
        .filter_map(|(name, value)| {
            let value = std::str::from_utf8(value.as_bytes()).ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        })
        .collect();
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let structured = given.is_some_and(|media| media.starts_with("application/cloudevents"));
    let binary = !structured && !carried.is_empty();
    let media =
        if binary { given.unwrap_or("application/json") } else { "application/cloudevents+json" };
    carried.push(("content-type".to_owned(), media.to_owned()));
    carried
}

async fn take(
    parts: &Parts,
    event: &Event,
    headers: Vec<(String, String)>,
    payload: Vec<u8>,
) -> WebResult<Verdict> {
    if parts.store.event_known(&event.source, &event.id).await? {
        return Ok(Verdict::Duplicate);
    }
    let message = BusMessage {
        subject: event.kind.subject(),
        message_id: event.message_id(),
        headers,
        payload,
    };
    let published = parts.bus.publish(&[message]).await.pop();
    match published {
        Some(Ok(new)) => {
            parts.bells.ring(Room::Intake);
            Ok(if new { Verdict::Accepted } else { Verdict::Duplicate })
        }
        Some(Err(error)) => {
            tracing::warn!(%error, "an event could not be published");
            Err(away())
        }
        None => Err(away()),
    }
}

fn away() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "the bus does not answer; the event was not taken, try again in a moment",
    )
}

async fn balance_of(
    axum::extract::State(parts): State,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> WebResult<Json<Balance>> {
    let mut rows = parts.store.events_named(&id).await?;
    if let Some(source) = query.get("source") {
        rows.retain(|row| row.source == *source);
    }
    if rows.len() > 1 {
        let sources: Vec<_> = rows.iter().map(|row| row.source.as_str()).collect();
        let detail = format!("several sources have it: add ?source= with {}", sources.join(" or "));
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    let missing = || Problem::not_found("no event of that id is known (yet)");
    let row = rows.first().ok_or_else(missing)?;
    Ok(Json(parts.store.balance(row.id).await?.ok_or_else(missing)?))
}
