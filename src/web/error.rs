//! Errors as problem details (RFC 9457).

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{model::event, store::StoreError};

/// What went wrong with a request, in one sentence that says what to do.
#[derive(Debug, Clone)]
pub struct Problem {
    pub status: StatusCode,
    pub detail: String,
    /// Each with the JSON Pointer of what it is about.
    pub problems: Vec<event::Problem>,
}

pub type WebResult<T> = Result<T, Problem>;

impl Problem {
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), problems: Vec::new() }
    }

    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    #[must_use]
    pub fn invalid(problems: Vec<event::Problem>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail: "the document is not valid; see `problems`".to_owned(),
            problems,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "a request met a database that does not answer");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer; nothing was changed, try again in a moment",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if !self.problems.is_empty() {
            body["problems"] = json!(self.problems);
        }
        let kind = (header::CONTENT_TYPE, "application/problem+json");
        (self.status, [kind], body.to_string()).into_response()
    }
}
