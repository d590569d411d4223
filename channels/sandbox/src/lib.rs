//! Made-up mailboxes, phones and chats: what the demo's citizens receive, and what they answer.
//!
//! [`SandboxChannel`] stands in for a provider behind the real channel's own shaper, so that what
//! is shown is exactly what would be sent. [`Letterboxes`] keeps the letters on disk, tells
//! viewers of new ones, and makes the answers a citizen's mail client, phone or chat would send.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod channel;
mod journal;
mod letter;
mod letterboxes;
mod mail;
mod weather;

pub use answer::{Answer, AnswerError};
pub use channel::{Enveloped, SandboxChannel, ShapeFn};
pub use letter::{Direction, Letter, News};
pub use letterboxes::{LETTERS_AN_ADDRESS, LETTERS_IN_ALL, Letterboxes, OpenError};
pub use weather::{Trouble, Weather};
