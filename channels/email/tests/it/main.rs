//! The channel against real servers on loopback: Postfix's smtp-sink, a scripted SMTP server for
//! what smtp-sink can't say, and a TCP client for LMTP.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod conformance;
mod dkim;
mod lmtp;
mod samples;
mod shaping;
mod sink;
mod smtp;
mod tls;
