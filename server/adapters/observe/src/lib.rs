//! Facts in, observation out: one supervised observer per gateway keeps the five facts, their
//! transitions and samples. Pages read what is in memory; nothing here waits for a page, and nothing on
//! a page waits for Docker or a gateway.

mod board;
mod judge;
mod keeper;
mod lease;
mod loops;
mod planned;
mod senses;

pub use board::{Board, Remembered};
pub use keeper::{Entry, Keeper};
pub use lease::look_for_lease;
pub use loops::{Observers, Pace};
pub use planned::Planned;
pub use senses::{ContainerNews, Resources, Seen, Senses};
