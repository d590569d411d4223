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
<<<<<<< HEAD
mod providers;
=======
>>>>>>> 0d257c22dab51efce44dec343679cb7fb0f723c2
mod rooms;
mod round_trip_email;
mod servers;
mod source;
mod town;
