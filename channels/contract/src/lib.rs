//! All that a channel and the daemon share.
//!
//! A channel knows no citizen, no event and no database. It shapes a [`Message`] into its own
//! content (a pure function), sends an [`Outbound`] and answers an [`Outcome`] from a closed list,
//! and hands over what came in as [`Inbound`] and [`Receipt`] through a [`Sink`]. Channels classify
//! faults; the daemon's outbox alone decides what is tried again, and when.

mod channel;
mod hook;
mod inbound;
mod markdown;
mod message;
mod outcome;

pub use channel::{Channel, Deliver, Limits, Outbound, Recipient, Shaped, Unshapeable};
pub use hook::{Hook, HookError, HookRead, HookRequest};
pub use inbound::{Inbound, NotStored, Receipt, ReceiptState, Sink, Source, Stored};
pub use markdown::{Block, Inline, parse_markdown, plain_text};
pub use message::{Action, Language, Message, Register, TextState};
pub use outcome::{Fault, Outcome};
