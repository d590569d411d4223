//! The staff's console: what was published, how far each broadcast has come, what citizens
//! answered, and the answers that wait for a person.
//!
//! Every page works without JavaScript and by keyboard; where there is JavaScript, server-sent
//! events keep the figures moving. Pages read rows and write rows: they call no room.

mod contributions;
mod deliveries;
mod event;
mod held;
mod home;
pub(super) mod live;
mod message;
mod publish;
mod session;
pub(super) mod view;
pub(super) mod words;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post},
};

use super::Parts;
pub(super) use session::same_origin;

pub fn routes() -> Router<Arc<Parts>> {
    Router::new()
        .route("/console", get(home::home))
        .route("/console/live", get(home::live))
        .route("/console/login", get(session::login).post(session::sign_in))
        .route("/console/enter", get(session::enter))
        .route("/console/logout", post(session::sign_out))
        .route("/console/publish", post(publish::publish))
        .route("/console/published/{event}", get(publish::waiting))
        .route("/console/events/{id}", get(event::event))
        .route("/console/events/{id}/live", get(event::live))
        .route("/console/events/{id}/deliveries", get(deliveries::deliveries))
        .route("/console/events/{id}/message", get(message::message))
        .route("/console/events/{id}/message/html", get(message::html))
        .route("/console/contributions", get(contributions::contributions))
        .route("/console/held", get(held::held))
        .route("/console/held/{id}", post(held::decide))
        .route("/assets/console.css", get(view::style))
        .route("/assets/icon.svg", get(view::icon))
        .route("/assets/live.js", get(view::script))
        .layer(middleware::from_fn(same_origin))
}
