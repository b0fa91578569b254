//! The adapter against a gateway that follows a script, and against the real one.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod identity;
mod probes;
mod real;
mod renewal;
mod scripted;
mod socket;
mod support;
