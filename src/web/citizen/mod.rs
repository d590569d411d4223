//! What citizens open: the accessible page of a broadcast, unsubscribing, their own page.

use std::sync::Arc;

use axum::{Router, routing::get};

use super::{Parts, pages};

pub fn routes() -> Router<Arc<Parts>> {
    Router::new().route("/assets/style.css", get(pages::style))
}
