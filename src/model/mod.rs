//! The nouns that the rooms share. No I/O.

pub mod balance;
pub mod communes;
pub mod event;
pub mod notice;
pub mod outgoing;
pub mod paris;
pub mod seal;
pub mod subscriber;
pub mod waiting;
