//! inbox
pub mod mail;
