//! With real repositories in folders of their own.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod append;
mod check;
mod push;
mod support;
