//! The nouns that the rooms share. No I/O.
pub mod communes;
pub mod event;
pub mod outgoing;
