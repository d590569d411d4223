//! For load balancers and Prometheus.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    super::{Problem, State},
    openapi::{Doc, Operation},
};
use crate::{
    model::seal::secret_hash,
    telemetry::{OUTBOX_OLDEST_SECONDS, OUTBOX_PENDING, QUARANTINE, RELAY_PENDING},
};

/// Longer than this is no answer: a balancer has given up by then.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn mount(doc: &mut Doc) {
    let state = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let operation = Operation::new("get", "health", "operations", "Whether the process runs.")
        .answer(200, "it runs", "text/plain", json!({ "type": "string" }));
    doc.mount("/healthz", get(async || "ok\n"), vec![operation]);
    let description = "Whether database and bus answer.";
    let operation = Operation::new("get", "ready", "operations", description)
        .answer(200, "both answer", "application/json", state.clone())
        .answer(503, "what is away", "application/json", state);
    doc.mount("/readyz", get(ready), vec![operation]);
    let description = "Metrics in Prometheus' text format.";
    let operation = Operation::new("get", "metrics", "operations", description).answer(
        200,
        "metrics",
        "text/plain",
        json!({ "type": "string" }),
    );
    doc.mount("/metrics", get(metrics), vec![operation]);
}

async fn ready(axum::extract::State(parts): State) -> (StatusCode, Json<Value>) {
    let (database, bus) =
        tokio::join!(timeout(PATIENCE, parts.store.ping()), timeout(PATIENCE, parts.bus.probe()),);
    // the reasons may name hosts: they go to the log, not to whoever asks
    let database = match database {
        Ok(Ok(())) => "ok",
        Ok(Err(error)) => said("database", &error.to_string()),
        Err(_) => said("database", "no answer in time"),
    };
    let bus = match bus {
        Ok(Ok(_)) => "ok",
        Ok(Err(error)) => said("bus", &error.to_string()),
        Err(_) => said("bus", "no answer in time"),
    };
    let ready = database == "ok" && bus == "ok";
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "database": database, "bus": bus })))
}

fn said(what: &str, why: &str) -> &'static str {
    tracing::warn!(what, why, "not ready");
    "away"
}

async fn metrics(axum::extract::State(parts): State, headers: HeaderMap) -> Response {
    let settings = &parts.settings.metrics;
    if !settings.enabled {
        return Problem::not_found("metrics are off (metrics.enabled)").into_response();
    }
    if let Some(token) = &settings.token {
        // compared as hashes: the time taken tells nothing of the token
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if secret_hash(given) != secret_hash(token.expose_secret()) {
            let detail = "give metrics.token as `Authorization: Bearer …`";
            return Problem::new(StatusCode::UNAUTHORIZED, detail).into_response();
        }
    }
    let now = parts.clock.now_ms();
    let measured = timeout(PATIENCE, async {
        Ok::<_, crate::store::StoreError>((
            parts.store.pending_by_channel().await?,
            parts.store.backlog(now).await?,
        ))
    });
    match measured.await {
        Ok(Ok((pending, (oldest, relay, held)))) => {
            let of = |name: &str| pending.iter().find(|(channel, _)| channel == name);
            let mut total = 0;
            for channel in ["email", "sms", "telegram"] {
                let count = of(channel).map_or(0, |(_, count)| *count);
                metrics::gauge!("portevoix_channel_pending", "channel" => channel)
                    .set(count as f64);
                total += count;
            }
            metrics::gauge!(OUTBOX_PENDING).set(total as f64);
            let age = oldest.map_or(0, |due| (now - due).max(0));
            metrics::gauge!(OUTBOX_OLDEST_SECONDS).set(age as f64 / 1000.0);
            metrics::gauge!(RELAY_PENDING).set(relay as f64);
            metrics::gauge!(QUARANTINE).set(held as f64);
        }
        Ok(Err(error)) => tracing::warn!(%error, "gauges keep their last value"),
        Err(_) => tracing::warn!("gauges keep their last value: the database is slow"),
    }
    parts.metrics.run_upkeep();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, parts.metrics.render()).into_response()
}
