//! hooks

use std::sync::Arc;

use axum::Router;

use super::Parts;

pub fn routes(_parts: &Arc<Parts>) -> Router<Arc<Parts>> {
    Router::new()
}
