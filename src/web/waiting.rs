//! What is answered while the daemon still waits for its database.

use axum::{Json, Router, http::StatusCode, routing::get};
use serde_json::json;

/// `/healthz` says that the process runs, everything else that it is not ready.
pub fn waiting() -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).fallback(async || {
        let state = json!({ "database": "away", "bus": "not asked before the database" });
        (StatusCode::SERVICE_UNAVAILABLE, Json(state))
    })
}
