//! Against a stand-in for GitHub that opens the sealed box.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod check;
mod put;
mod stand_in;
mod support;
