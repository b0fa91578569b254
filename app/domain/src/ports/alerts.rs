//! Alerts to managers: how far marked acts have been told, to each of them.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;

/// An event that may be marked, with what the database knows about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// It.
    pub event: AuditEvent,
    /// It changed a key because that may have leaked.
    pub leak: bool,
    /// From where the person had signed in before; only for sign-ins.
    pub addresses: Vec<String>,
}

/// What somebody has not been told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Untold {
    /// Everything up to this event is told.
    pub from: i64,
    /// With `candidates`, everything up to this one.
    pub to: i64,
    /// Oldest first.
    pub candidates: Vec<Candidate>,
}

/// Alerts: each event is told once to each, whatever is restarted and however many panels there are.
#[async_trait]
pub trait Alerts: Send + Sync {
    /// Takes it upon this panel to tell somebody of events of these acts; `None` when nothing has happened since, or it was
    /// done within the last minute, or failed within the last five. Whoever is new is told of what comes from now on.
    async fn claim(&self, to: &str, acts: &[&str]) -> Result<Option<Untold>, StoreError>;
    /// Keeps others away a minute longer; `false` when another panel has gone on meanwhile.
    async fn hold(&self, to: &str, told: i64) -> Result<bool, StoreError>;
    /// Everything up to `up_to` is told; `false` when another panel has gone on meanwhile.
    async fn told(&self, to: &str, told: i64, up_to: i64) -> Result<bool, StoreError>;
    /// Why an alert did not go out; it is tried again.
    async fn failed(&self, to: &str, why: &str) -> Result<(), StoreError>;
}
