//! Services register citizens with their consent, and take them out again.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Map, Value, json};

use super::{
    super::{Parts, Problem, State, WebResult},
    auth::{Caller, Known, SUBSCRIBERS_WRITE, guarded},
    events::unread,
    openapi::{Doc, Operation},
};
use crate::{
    audience::subscribing,
    contributions::anonymised,
    model::{
        event,
        outgoing::SOURCE,
        paris,
        subscriber::{FIELDS, SubscriberRecord, check},
    },
    store::{CitizenRow, Registered},
};

/// A subscriber is small; what is larger is none.
const MAX_BYTES: usize = 64 * 1024;

pub(super) fn mount(doc: &mut Doc, parts: &Arc<Parts>) {
    let scope = &[SUBSCRIBERS_WRITE];
    let registered = json!({
        "type": "object",
        "properties": {
            "id": { "type": "string", "description": "the subscriber's pseudonym" },
            "external_id": { "type": ["string", "null"] },
            "new": { "type": "boolean" },
            "objected": {
                "type": "array", "items": { "type": "string" },
                "description": "channels that stay closed: the person objected after this consent",
            },
        },
        "required": ["id", "new", "objected"],
    });
    let operation = Operation::new(
        "post",
        "registerSubscriber",
        "subscribers",
        "Registers a citizen with their consent, or replaces what is known of one (same \
         external_id, else same address).",
    )
    .scopes(scope)
    .body("application/json", record_schema())
    .answer(201, "registered", "application/json", registered.clone())
    .answer(200, "was known and is brought up to date", "application/json", registered)
    .problem(409, "an address belongs to another subscriber")
    .problem(413, "too large")
    .problem(422, "not valid: `problems` names each field");
    let methods = post(register).layer(DefaultBodyLimit::max(MAX_BYTES));
    doc.mount("/api/v1/subscribers", guarded(methods, parts, scope), vec![operation]);

    let id = "pseudonym or external_id";
    let read = Operation::new("get", "subscriber", "subscribers", "What is known of a subscriber.")
        .scopes(scope)
        .path_parameter("id", id)
        .answer(200, "the subscriber, with the CSV's names", "application/json", record_schema())
        .problem(404, "nobody has that name");
    let erase = Operation::new(
        "delete",
        "eraseSubscriber",
        "subscribers",
        "Erases a person. Objections stay as fingerprints, contributions without their author.",
    )
    .scopes(scope)
    .path_parameter("id", id)
    .empty(204, "erased")
    .problem(404, "nobody has that name");
    let methods = guarded(get(read_one).delete(erase_one), parts, scope);
    doc.mount("/api/v1/subscribers/{id}", methods, vec![read, erase]);
}

fn record_schema() -> Value {
    let text = |_: &str| json!({ "type": "string" });
    let mut properties: Map<String, Value> =
        FIELDS.iter().map(|field| ((*field).to_owned(), text(field))).collect();
    for list in ["channels", "themes", "groups"] {
        properties[list] = json!({ "type": "array", "items": { "type": "string" } });
    }
    properties["register"] = json!({ "enum": ["standard", "plain"] });
    properties["frequency"] = json!({ "enum": ["immediate", "daily", "weekly"] });
    properties["age_band"] = json!({ "enum": ["under15", "15-25", "adult"] });
    json!({
        "type": "object",
        "properties": properties,
        "required": ["consent_at", "consent_source"],
    })
}

async fn register(
    axum::extract::State(parts): State,
    Extension(Caller(caller)): Known,
    body: Result<Bytes, BytesRejection>,
) -> WebResult<Response> {
    let body = body.map_err(|rejection| unread(&rejection, MAX_BYTES))?;
    let value: Value = serde_json::from_slice(&body).map_err(|error| {
        Problem::invalid(vec![event::Problem::new("", format!("is not JSON: {error}"))])
    })?;
    let record = SubscriberRecord::from_json(&value).map_err(Problem::invalid)?;
    let now = parts.clock.now();
    let checked = check(&record, now.as_millisecond()).map_err(Problem::invalid)?;
    let new = subscribing::to_new_citizen(&checked, &parts.sealer, &parts.clock, &caller);
    let results = parts
        .store
        .register(
            &[new],
            &|new, pseudonym| subscribing::joined(new, pseudonym, SOURCE, now),
            now.as_millisecond(),
        )
        .await?;
    parts.bells.ring(crate::bus::Room::Relay);
    match results.into_iter().next() {
        Some(Ok(done)) => Ok(registered(&done, checked.external_id.as_deref())),
        Some(Err(refusal)) => Err(Problem::new(StatusCode::CONFLICT, refusal.to_string())),
        None => {
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "nothing was written; try again"))
        }
    }
}

fn registered(done: &Registered, external_id: Option<&str>) -> Response {
    let status = if done.new { StatusCode::CREATED } else { StatusCode::OK };
    let body = json!({
        "id": done.pseudonym,
        "external_id": external_id,
        "new": done.new,
        "objected": done.objected,
    });
    let mut headers = HeaderMap::new();
    let place = format!("/api/v1/subscribers/{}", done.pseudonym);
    if let Ok(place) = HeaderValue::try_from(place) {
        headers.insert(header::LOCATION, place);
    }
    (status, headers, Json(body)).into_response()
}

async fn find(parts: &Parts, name: &str) -> WebResult<CitizenRow> {
    let nobody = || Problem::not_found("nobody has that pseudonym or external_id");
    parts.store.citizen_named(name).await?.ok_or_else(nobody)
}

async fn read_one(
    axum::extract::State(parts): State,
    Path(id): Path<String>,
) -> WebResult<Json<Value>> {
    let citizen = find(&parts, &id).await?;
    let mut body = known(&parts, &citizen).await?;
    body["id"] = json!(citizen.pseudonym);
    Ok(Json(body))
}

/// What is known of a citizen, with the CSV's names; addresses open.
pub(in crate::web) async fn known(parts: &Parts, citizen: &CitizenRow) -> WebResult<Value> {
    let addresses = parts.store.addresses(citizen.id).await?;
    let (themes, groups) = parts.store.interests(citizen.id).await?;
    let consent = parts.store.last_consent(&citizen.pseudonym).await?;
    let unsealed = |sealed: &str| {
        parts.sealer.open_text(sealed).map_err(|error| {
            tracing::error!(%error, citizen = %citizen.pseudonym, "an address can't be read");
            let detail = "what is sealed can't be opened with this server's key";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
        })
    };
    let first_name = citizen.first_name.as_deref().map(unsealed).transpose()?;
    let mut body = json!({
        "external_id": citizen.external_id,
        "first_name": first_name,
        "commune": citizen.commune,
        "language": citizen.language,
        "register": citizen.register,
        "channels": addresses.iter().map(|address| &address.channel).collect::<Vec<_>>(),
        "themes": themes,
        "groups": groups,
        "frequency": citizen.frequency,
        "age_band": citizen.age_band,
        "consent_at": consent.as_ref().map(|(at, _)| paris::instant(*at).to_string()),
        "consent_source": consent.as_ref().map(|(_, source)| source),
        "states": addresses
            .iter()
            .map(|address| (address.channel.clone(), json!(address.state)))
            .collect::<Map<_, _>>(),
    });
    for address in &addresses {
        let field = if address.channel == "sms" { "phone" } else { &address.channel };
        body[field] = json!(unsealed(&address.sealed)?);
    }
    Ok(body)
}

async fn erase_one(
    axum::extract::State(parts): State,
    Path(id): Path<String>,
) -> WebResult<StatusCode> {
    let citizen = find(&parts, &id).await?;
    erase(&parts, &citizen).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Erases, and tells the bus.
pub(in crate::web) async fn erase(parts: &Parts, citizen: &CitizenRow) -> WebResult<()> {
    let addresses = parts.store.addresses(citizen.id).await?;
    let channel = addresses.first().map_or("email", |address| address.channel.as_str());
    let now = parts.clock.now();
    let (name, commune) = (&citizen.pseudonym, &citizen.commune);
    let left = subscribing::left(name, channel, commune, SOURCE, now);
    let done = parts.store.erase(name, &anonymised, &left, now.as_millisecond()).await?;
    parts.bells.ring(crate::bus::Room::Relay);
    if done { Ok(()) } else { Err(Problem::not_found("this person was erased already")) }
}
