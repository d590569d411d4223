//! The API of other services, and what operators and machines ask: health, metrics, descriptions.
//!
//! Every route is mounted together with its description (`Doc::mount`), so that none is missing
//! from `/openapi.json`.

mod asyncapi;
mod auth;
mod contributions;
mod csv;
mod events;
mod health;
mod openapi;
mod subscribers;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde_json::json;

use super::{Parts, Problem};
use crate::intake::schema;
use openapi::{Doc, Operation};

pub(in crate::web) use subscribers::{erase, known};

pub fn routes(parts: &Arc<Parts>) -> Router<Arc<Parts>> {
    let mut doc = Doc::new(parts);
    events::mount(&mut doc, parts);
    contributions::mount(&mut doc, parts);
    subscribers::mount(&mut doc, parts);
    health::mount(&mut doc);
    let description = "The JSON Schema (2020-12) of one event type, coming in or going out.";
    let operation = Operation::new("get", "schema", "descriptions", description)
        .path_parameter("name", "the type's short name and `.json`")
        .answer(200, "the schema", "application/schema+json", json!({ "type": "object" }))
        .problem(404, "there is no such type");
    doc.mount("/schemas/{name}", get(one_schema), vec![operation]);
    let described = [
        ("/openapi.json", "openapi", "This description of the API (OpenAPI 3.1)."),
        ("/asyncapi.json", "asyncapi", "The bus: streams, messages, schemas (AsyncAPI 3.0)."),
    ];
    for (path, id, description) in described {
        let operation = Operation::new("get", id, "descriptions", description).answer(
            200,
            "the description",
            "application/json",
            json!({ "type": "object" }),
        );
        doc.describe(path, vec![operation]);
    }
    let (router, openapi) = doc.finish();
    let openapi = Arc::new(openapi);
    let asyncapi = Arc::new(asyncapi::describe());
    router
        .route("/openapi.json", get(async move || Json(openapi.as_ref().clone())))
        .route("/asyncapi.json", get(async move || Json(asyncapi.as_ref().clone())))
        .route("/api/{*rest}", any(unknown))
}

async fn unknown() -> Problem {
    Problem::not_found("there is no such route; `/openapi.json` names them all")
}

async fn one_schema(Path(name): Path<String>) -> Response {
    let name = name.strip_suffix(".json").unwrap_or_default();
    match schema::all_schemas().into_iter().find(|(known, _)| known == name) {
        Some((_, schema)) => {
            let kind = [(header::CONTENT_TYPE, "application/schema+json")];
            (StatusCode::OK, kind, schema.to_string()).into_response()
        }
        None => Problem::not_found("there is no such type; `/asyncapi.json` names them all")
            .into_response(),
    }
}
