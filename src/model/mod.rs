//! The nouns. No I/O.
pub mod balance;
pub mod event;
pub mod seal;
