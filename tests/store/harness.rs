//! The part of the end-to-end tests' kit that is needed here: PostgreSQL.
#![allow(dead_code, reason = "a kit: each test binary takes the parts that it needs")]

#[path = "../it/harness/ports.rs"]
pub mod ports;
#[path = "../it/harness/postgres.rs"]
pub mod postgres;
#[path = "../it/harness/process.rs"]
pub mod process;
#[path = "../it/harness/wait.rs"]
pub mod wait;

pub use wait::wait_until;
