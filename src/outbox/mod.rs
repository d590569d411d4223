//! The durable queue's rules: what follows an attempt, when it is tried again, when a text message
//! may go. The only retry policy in the program; the queue itself is the `delivery` table
//! (`store/claims.rs`, `store/settle.rs`).

mod hours;
mod keeper;
mod policy;

pub use hours::Hours;
pub use keeper::Keeper;
pub use policy::{Backoff, settle};
