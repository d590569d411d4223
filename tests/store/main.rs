//! Law 10: two databases, one behaviour. A file an aggregate; every case runs on SQLite and on
//! PostgreSQL (one server for this process, one database a test).
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod balance;
mod citizens;
mod claims;
mod contributions;
mod databases;
mod events;
mod harness;
mod migrations;
mod pace;
mod plan;
mod receipts;
mod registering;
mod replies;
mod rows;
mod settle;
mod town;
