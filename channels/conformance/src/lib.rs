//! The tests that every channel passes. docs/CHANNELS.md says what they stand for.
//!
//! - [`shaping`]: every sample message is shaped without a panic, twice the same, and nothing that
//!   came from outside ends up as markup, template or header.
//! - [`limits`]: name and pace are sane.
//! - [`outcomes`]: a table of what a provider can do, and what the channel must make of it.
//! - [`quiet_logs`]: neither a secret nor an address reaches a log.
//! - [`KeepingSink`]: a sink that remembers, and can be told to fail.
//! - `fakes` (feature): strict fakes of providers.
//!
//! Everything here panics with the reason where a channel fails: it is only ever used in tests.

#[cfg(feature = "fakes")]
pub mod fakes;
mod logs;
mod outcomes;
pub mod samples;
mod shaping;
mod sink;

pub use logs::quiet_logs;
pub use outcomes::{Case, Expect, NOW_MS, limits, outcomes};
pub use samples::{Sample, recipient};
pub use shaping::{Shaping, shaping};
pub use sink::KeepingSink;
