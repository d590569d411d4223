//! The demo's mailboxes, phones and chats: what each made-up citizen receives, as they see it, and
//! their answers. Mounted only where nobody real can be written to, and open to whoever reaches
//! the demo: nothing in here belongs to a person.

mod answer;
mod letters;
mod mailbox;
mod people;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post},
};
use portevoix_sandbox::Letterboxes;

use super::{
    Parts,
    console::{
        same_origin,
        view::{Failure, PageResult},
    },
};

/// In the order of the tabs.
const CHANNELS: [&str; 3] = ["email", "sms", "telegram"];

pub fn routes() -> Router<Arc<Parts>> {
    Router::new()
        .route("/sandbox", get(people::people))
        .route("/sandbox/random", get(people::random))
        .route("/sandbox/delivery/{id}", get(people::of_delivery))
        .route("/sandbox/{channel}/{address}", get(mailbox::mailbox))
        .route("/sandbox/{channel}/{address}/live", get(mailbox::live))
        .route("/sandbox/{channel}/{address}/html", get(mailbox::html))
        .route("/sandbox/{channel}/{address}/answer", post(answer::answer))
        .layer(middleware::from_fn(same_origin))
}

fn letterboxes(parts: &Parts) -> PageResult<&Arc<Letterboxes>> {
    let none = || Failure::not_found("Les boîtes de démonstration n’existent pas ici.");
    parts.letterboxes.as_ref().ok_or_else(none)
}

/// The channel by its own name, or a page that says there is none.
fn known(channel: &str) -> PageResult<&'static str> {
    let found = CHANNELS.into_iter().find(|known| *known == channel);
    found.ok_or_else(|| Failure::not_found("Ce canal n’existe pas."))
}
