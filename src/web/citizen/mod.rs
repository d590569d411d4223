//! What citizens open: the accessible page of a broadcast, unsubscribing, their own page. All of
//! it works without a script and without a cookie; a GET never changes anything.

mod broadcast;
mod html;
mod legal;
mod own;
mod pace;
#[cfg(test)]
mod tests;
mod unsubscribe;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Extension, Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};

use super::{Parts, Problem, pages};
use pace::Pace;

/// The longest answer (10,000 characters), percent-encoded, with room to spare.
const MAX_BYTES: usize = 256 * 1024;

pub fn routes() -> Router<Arc<Parts>> {
    Router::new()
        .route("/assets/style.css", get(pages::style))
        .route("/c/{code}", get(broadcast::show).post(broadcast::answer))
        .route("/c/{code}/thanks", get(broadcast::thanks))
        .route("/u/{token}", get(unsubscribe::ask).post(unsubscribe::close))
        .route("/me/{token}", get(own::show))
        .route("/me/{token}/preferences", post(own::prefer))
        .route("/me/{token}/stop", post(own::stop))
        .route("/me/{token}/resume", post(own::resume))
        .route("/me/{token}/data", get(own::data))
        .route("/me/{token}/erase", get(own::ask_erase).post(own::erase))
        .route("/accessibility", get(legal::accessibility))
        .route("/personal-data", get(legal::personal_data))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .layer(Extension(Arc::new(Pace::default())))
}

type Asked = HashMap<String, String>;

/// A page's answer, or the page that says why not.
type Page = Result<Response, Sorry>;

/// What went wrong, in the reader's language.
struct Sorry {
    status: StatusCode,
    language: &'static str,
    words: &'static str,
}

impl Sorry {
    fn nothing_here(language: &'static str) -> Self {
        Self { status: StatusCode::NOT_FOUND, language, words: "not_found" }
    }
}

impl From<Problem> for Sorry {
    fn from(problem: Problem) -> Self {
        Self { status: problem.status, language: pages::LANGUAGES[0], words: "try_later" }
    }
}

impl From<crate::store::StoreError> for Sorry {
    fn from(error: crate::store::StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl axum::response::IntoResponse for Sorry {
    fn into_response(self) -> Response {
        pages::sorry(self.status, self.language, self.words)
    }
}

/// The page's language: the one asked for, else `own`.
fn language(asked: &Asked, own: Option<&str>) -> &'static str {
    pages::known_language(asked.get("lang").map(String::as_str).or(own))
}

/// The decoded pairs of a form; the last of a name counts.
fn form(body: &[u8]) -> Asked {
    url::form_urlencoded::parse(body).into_owned().collect()
}
