//! Fakes of the ports, a little model of Docker and a gateway, and the generic tests that every story
//! passes. For tests only.

mod audit;
mod backups;
mod bench;
mod containers;
mod control;
mod devices;
mod journal;
mod keys;
mod plugins;
mod state_folder;
mod time;
mod world;

#[cfg(test)]
pub(crate) mod story_tests;
#[cfg(test)]
pub(crate) mod wrap;

pub use audit::MemoryAudit;
pub use bench::{Bench, gateway, operator};
pub use devices::FakeDevices;
pub use journal::{Crash, MemoryJournal};
pub use keys::FakeKeys;
pub use time::{FakeClock, FakeIds};
pub use world::{Box as FakeContainer, CANARY, Cure, Fate, NAME, Phone, World, logged_out};
