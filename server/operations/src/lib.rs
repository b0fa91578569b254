//! Operations: changes carried out on a gateway, step by step, with a way back.
//!
//! A story (one file each under `stories`) is a table of steps; the engine runs it. The journal is the
//! only truth: before every move the runner folds it into a [`position::Position`] and does what that
//! says. A panel that was killed and started again takes the same path, so recovery is not a second
//! piece of code. `ADDING-AN-OPERATION.md` beside this crate is the checklist for a new one.
//!
//! This crate does no I/O of its own: Docker, the gateway, the database, time and ids are ports.

mod asking;
mod attempt;
mod attend;
mod carry;
pub mod engine;
#[cfg(test)]
mod engine_tests;
mod holders;
mod ledger;
pub mod position;
pub mod reporter;
mod runner;
pub mod step;
pub mod stories;
pub mod story;
mod tending;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use engine::{Engine, Parts, Timing};
pub use stories::Book;
