//! Everything over HTTP: the API, the citizens' pages, the staff's console, the demo's sandbox and
//! the providers' webhooks. A server that only reads rows and writes rows: it calls no room.

pub mod api;
pub mod citizen;
pub mod console;
mod error;
pub mod hooks;
pub mod pages;
pub mod sandbox;
#[cfg(test)]
mod testing;
mod waiting;

use std::sync::Arc;

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use portevoix_contract::{Deliver, Hook, Sink};
use portevoix_sandbox::Letterboxes;
use tokio_util::sync::CancellationToken;

pub use error::{Problem, WebResult};
pub use waiting::waiting;

use crate::{
    bus::{Bells, Bus},
    clock::Clock,
    config::Settings,
    model::seal::Sealer,
    render::Renderer,
    store::Store,
};

/// What the pages and routes need. Shared by all of them.
pub struct Parts {
    pub store: Store,
    pub bus: Arc<dyn Bus>,
    pub bells: Bells,
    pub clock: Clock,
    pub sealer: Arc<Sealer>,
    pub renderer: Arc<Renderer>,
    pub channels: Vec<Arc<dyn Deliver>>,
    pub hooks: Vec<Arc<dyn Hook>>,
    pub sink: Arc<dyn Sink>,
    pub settings: Settings,
    /// The demo's made-up mailboxes; none with real providers, and then no `/sandbox`.
    pub letterboxes: Option<Arc<Letterboxes>>,
    pub metrics: PrometheusHandle,
    /// Cancelled when the daemon stops: long answers (server-sent events) end with it.
    pub stop: CancellationToken,
}

/// Shared state of every route.
pub type State = axum::extract::State<Arc<Parts>>;

/// All routes.
pub fn router(parts: Arc<Parts>) -> Router {
    let mut router = Router::new()
        .merge(api::routes(&parts))
        .merge(citizen::routes())
        .merge(console::routes())
        .merge(hooks::routes(&parts));
    if parts.letterboxes.is_some() {
        router = router.merge(sandbox::routes());
    }
    router.with_state(parts)
}
