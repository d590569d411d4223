//! console

use std::sync::Arc;

use axum::Router;

use super::Parts;

pub fn routes() -> Router<Arc<Parts>> {
    Router::new()
}
