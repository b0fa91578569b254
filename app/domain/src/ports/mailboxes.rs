//! Where people get mail about their own accounts.

use async_trait::async_trait;
use uuid::Uuid;

use super::{PeopleError, StoreError};
use crate::mailbox::{MailAddress, Mailbox, OwnMailbox};
use crate::person::Actor;

/// Addresses of people. A change writes its audit event in the same transaction.
#[async_trait]
pub trait Mailboxes: Send + Sync {
    /// Somebody's, if they have one.
    async fn of(&self, person: Uuid) -> Result<Option<OwnMailbox>, StoreError>;
    /// Sets one's own, or takes it away; the one of before. From then on they are told of what happens to their account.
    async fn set(
        &self,
        actor: &Actor,
        address: Option<&MailAddress>,
    ) -> Result<Option<MailAddress>, PeopleError>;
    /// Of everybody who has one and is not kept out.
    async fn all(&self) -> Result<Vec<Mailbox>, StoreError>;
}
