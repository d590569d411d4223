//! SMTP over lettre's connections, in a small pool of our own.
//!
//! Lettre's own pool drops the mail and the connection when one recipient is refused and leaves
//! Nagle's algorithm on, which costs 43 ms a mail. Here sockets have `TCP_NODELAY`, a refusal
//! leaves the connection usable, and MAIL, RCPT and DATA travel in one write where the server
//! knows PIPELINING (RFC 2920).

mod classify;
mod connection;
mod pool;
mod server;
mod tls;

pub use pool::{SmtpPool, SmtpTimes};
pub use server::{SmtpServer, TlsMode};
