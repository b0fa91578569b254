//! The audit trail as managers read it: filtered, page by page, told as stories.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::{AuditEvent, Filter, Hash};
use crate::gateway::GatewayId;
use crate::operation::OperationId;
use crate::time::Timestamp;

/// Where a page of the trail begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// With the newest event.
    Newest,
    /// With the newest one before this number.
    Before(i64),
    /// It ends with the oldest one after this number.
    After(i64),
}

/// A page of the trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Newest first.
    pub events: Vec<AuditEvent>,
    /// Whether there are more beyond it in the direction of the search.
    pub more: bool,
    /// A search for words that took too long was ended before this event; older ones were not looked at.
    pub searched_to: Option<i64>,
}

/// An event with what chains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chained {
    /// The event.
    pub event: AuditEvent,
    /// The hash of the one before.
    pub previous: Hash,
    /// Its own hash.
    pub hash: Hash,
}

/// What there is to choose from in a filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// Keys of actors and the names that they had last, by name.
    pub people: Vec<(String, String)>,
    /// Actions, in order.
    pub actions: Vec<String>,
}

/// The audit trail as managers read it.
#[async_trait]
pub trait AuditReader: Send + Sync {
    /// A page of what the filter lets through.
    async fn page(&self, filter: &Filter, place: Place, limit: u32) -> Result<Found, StoreError>;
    /// Those of these events that the filter lets through: words are searched for just as on a page.
    async fn fitting(
        &self,
        filter: &Filter,
        events: Vec<AuditEvent>,
    ) -> Result<Vec<AuditEvent>, StoreError>;
    /// One event by its number.
    async fn event(&self, sequence: i64) -> Result<Option<Chained>, StoreError>;
    /// All events of these operations, oldest first.
    async fn of_operations(&self, ids: &[OperationId]) -> Result<Vec<AuditEvent>, StoreError>;
    /// Since when each of these gateways was down at that moment; `None` when it was not.
    async fn outages(
        &self,
        asked: &[(GatewayId, Timestamp)],
    ) -> Result<Vec<Option<Timestamp>>, StoreError>;
    /// Which of these events somebody did from an address that they had not used before the last day.
    async fn new_addresses(&self, sequences: &[i64]) -> Result<Vec<i64>, StoreError>;
    /// What there is to choose from.
    async fn vocabulary(&self) -> Result<Vocabulary, StoreError>;
}
