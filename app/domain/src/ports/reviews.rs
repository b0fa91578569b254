//! Reviews of the audit trail.

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::can::Permit;
use crate::operation::OperationId;
use crate::person::Actor;
use crate::review::{Agreed, Draft, Review};
use crate::time::Timestamp;

/// Why a review or an answer was not made.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// There is no such event, or no such question.
    #[error("There is nothing of that number in the audit trail.")]
    Unknown,
    /// Everything that it would cover was done by the reviewer.
    #[error("{}", crate::review::OWN)]
    Own,
    /// Somebody else is asked.
    #[error("{0}")]
    NotYours(&'static str),
    /// The permit was for something else: a programming error, refused all the same.
    #[error("The permission does not fit.")]
    NotPermitted,
    /// The database failed.
    #[error("The panel's database does not answer, so nothing was done.")]
    Database(#[from] StoreError),
}

/// Events that wait for a review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Newest first.
    pub events: Vec<AuditEvent>,
    /// Whether there are more of them.
    pub more: bool,
    /// When the oldest of all that waits happened, whether it is among them or not.
    pub oldest: Option<Timestamp>,
    /// Who agreed to their operations as the second person.
    pub agreed: Agreed,
    /// When something was last signed off.
    pub last_at: Option<Timestamp>,
}

/// Reviews of the audit trail. Each review and each answer writes its audit event in the same transaction, and none is
/// ever changed.
#[async_trait]
pub trait Reviews: Send + Sync {
    /// Adds a review. The permit is the one for [`Action::ReviewAudit`](crate::action::Action::ReviewAudit).
    async fn review(&self, permit: Permit, draft: Draft) -> Result<Review, ReviewError>;
    /// Adds the answer of the person who is asked.
    async fn answer(&self, by: &Actor, review: Uuid, text: String) -> Result<Review, ReviewError>;
    /// The reviews that cover any of these events, oldest first.
    async fn of_events(&self, sequences: &[i64]) -> Result<Vec<Review>, StoreError>;
    /// Who agreed to these operations as the second person.
    async fn agreed(&self, operations: &[OperationId]) -> Result<Agreed, StoreError>;
    /// The questions that nobody has answered, oldest first.
    async fn questions(&self) -> Result<Vec<Review>, StoreError>;
    /// What waits for a review.
    async fn waiting(&self, limit: u32) -> Result<Waiting, StoreError>;
}
