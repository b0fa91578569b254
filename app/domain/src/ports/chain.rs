//! Whether the audit trail is whole.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::{Archive, Check, Checkpoint};
use crate::can::Permit;
use crate::time::Timestamp;

/// The chain of the audit trail.
#[async_trait]
pub trait AuditChain: Send + Sync {
    /// What is known of it, without a look at it.
    async fn standing(&self) -> Result<ChainStanding, StoreError>;
    /// Has the whole chain checked. That takes some seconds for a million events; when it takes longer than a person
    /// waits, it goes on by itself.
    async fn verify(&self, permit: Permit) -> Result<Verified, StoreError>;
    /// A signed checkpoint of the last event: made now, unless the last one knows that event.
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError>;
    /// The last archive that is believed, which the trail follows; `None` while everything is here.
    async fn archived(&self) -> Result<Option<Archive>, StoreError>;
}

/// What is known of the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainStanding {
    /// The number of the last event.
    pub sequence: i64,
    /// What the last check found; `None` before the first one.
    pub last: Option<Check>,
    /// Since when this panel checks; `None` when it does not.
    pub checking_since: Option<Timestamp>,
    /// The database would let the panel's own role change what was written.
    pub is_unguarded: bool,
    /// The last archive, which the trail follows; `None` while everything is here.
    pub archived: Option<Archive>,
    /// What could not be done: why checkpoints have not left the house, or old events not gone; one sentence each.
    pub undelivered: Vec<String>,
}

/// What became of a check that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is done.
    Done(Check),
    /// It goes on; its result will be in [`AuditChain::standing`].
    GoesOn,
}
