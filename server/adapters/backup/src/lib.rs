//! Where backups are kept: files in a folder of the panel, encrypted with [age](https://age-encryption.org)
//! to a recipient. The half of the key that opens them is not here: who steals the folder has nothing.
//!
//! Everything blocks: call it where that is allowed.

mod fault;
mod link;
mod vault;

pub use link::{Link, Owner};
pub use vault::Vault;
