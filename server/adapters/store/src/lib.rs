//! Postgres: every SQL statement of the panel, and the private cluster when nobody brings a database.
//!
//! [`Cluster`] runs a Postgres of the panel's own; [`Store`] keeps what the ports of `domain` promise,
//! one file a port. A failure is a [`StoreError`](domain::ports::StoreError): calls give up within
//! seconds while Postgres is away and work again by themselves when it is back.

mod accounts;
mod audit;
mod cluster;
mod config;
mod hand_offs;
mod history;
mod journal;
mod key_rotations;
mod lead;
mod notices;
mod password;
mod people;
mod process;
mod proposals;
mod register;
mod roles;
mod roll_up;
mod rows;
mod sealing;
mod store;
mod token;

pub use audit::{
    ArchiveLock, Archives, Archiving, CheckWhen, Delivery, ExportFormat, Signed, StoredCheckpoint,
    Way,
};
pub use cluster::{Cluster, ClusterConfig, ClusterError};
pub use config::{BadDatabaseUrl, DatabaseConfig};
pub use notices::Notice;
pub use people::RelyingParty;
pub use sealing::SealingKey;
pub use store::Store;
