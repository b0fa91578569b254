//! The adapter against a real Docker Engine of its own, and against things that only pretend to be.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may fail as the tests do"
)]

mod bench;
mod beside;
mod broken;
mod create;
mod differences;
mod lifecycle;
mod output;
mod proxy;
mod tls;
mod watching;
