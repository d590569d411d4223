//! Real servers on free ports, strict fakes of HTTP providers, and the daemon itself.
//!
//! Every server lives in a folder of its own under the system's temporary folder. It is stopped by
//! its pid when its handle is dropped; a watch process does the same where the test process ends
//! in a way that runs no destructor. Nothing is skipped: a server that is not installed is a
//! failed test that says so.
#![allow(dead_code, reason = "a kit: each test binary takes the parts that it needs")]

pub mod daemon;
pub mod faults;
pub mod lmtp;
pub mod nats;
pub mod ovh;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod smtp_server;
pub mod smtp_sink;
pub mod stage;
pub mod twilio;
pub mod wait;

pub use wait::{wait_for, wait_until};

/// A client for tests: no redirects, so that a redirect is seen, and no proxy.
pub fn http() -> reqwest::Client {
    crypto();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client without options that can fail")
}

/// TLS's one provider, for whoever makes a client. The second time changes nothing.
pub fn crypto() {
    let _already_there = rustls::crypto::ring::default_provider().install_default();
}
