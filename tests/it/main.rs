//! The promises of the daemon, tested from outside against real servers. One binary, a file a
//! promise; `harness` starts what they need.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod away;
mod bad_csv;
mod bad_events;
mod events_in;
mod harness;
mod house;
mod kill;
mod pages;
mod providers;
mod rooms;
mod round_trip_email;
mod round_trip_sms;
mod round_trip_telegram;
mod servers;
mod source;
mod town;
