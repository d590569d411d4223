//! cli
pub mod inspect_mail;
