//! The flow against a provider in Rust that signs tokens itself, good ones and others.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may stop them as tests do"
)]

mod flow;
mod refusals;
mod scripted;
