//! The gateway's key in the `.env` of its compose folder: found, replaced line-exact, put back.
//!
//! - [`KeyFile`]: which line holds the key, and a new text for the file: written whole, in the same place, for the same
//!   owner.
//! - [`Seals`]: the file as it was before, encrypted in the panel's own folder until the operation is over.
//! - [`Marks`]: fingerprints, which tell versions apart and say nothing of the value.
//!
//! Blocking: call it away from the tasks that serve pages. No error and no `Debug` holds a value.

mod fault;
mod files;
mod key_file;
mod marks;
mod rotate;
mod seals;

pub use key_file::{Found, KeyFile};
pub use marks::Marks;
pub use rotate::Rotator;
pub use seals::Seals;
