//! The SMS channel against strict fakes of its providers: each checks signatures and fields by its
//! own code and refuses what the real one refuses.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod harness;
mod hooks;
mod http;
mod ovh;
mod ovh_incoming;
mod twilio;
