//! Porte-voix: the gateway by which a metropolis speaks with its citizens and hears them.
//!
//! ```text
//!  bus ─► intake ─► audience ─► outbox ─► dispatch ─► channels/* ─► citizens
//!                                 │  ▲        │                        │
//!                              render         ▼                        ▼
//!  bus ◄─ relay ◄─ contributions ◄─ inbox ◄─ receipts, replies ◄─ channels/*
//! ```
//!
//! Every arrow between two rooms is a row in the database: a room commits what it has done, the
//! next one claims it. No room calls the next; only [`app`] knows them all.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod app;
pub mod audience;
pub mod bus;
pub mod cli;
pub mod clock;
pub mod config;
pub mod contributions;
pub mod dispatch;
pub mod inbox;
pub mod intake;
pub mod model;
pub mod outbox;
pub mod receipts;
pub mod relay;
pub mod render;
pub mod store;
pub mod telemetry;
pub mod web;
