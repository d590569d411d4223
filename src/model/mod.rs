//! model
pub mod event;
