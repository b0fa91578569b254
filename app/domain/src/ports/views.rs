//! Filters of the trail that people keep by a name.

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::audit::SavedView;

/// Saved views. They show nothing that their owner may not see anyway, so keeping one is no audit event.
#[async_trait]
pub trait SavedViews: Send + Sync {
    /// Those of a person, by name.
    async fn of(&self, person: Uuid) -> Result<Vec<SavedView>, StoreError>;
    /// Keeps one, in place of the one of that name. `false` when they have too many.
    async fn save(&self, person: Uuid, name: &str, query: &str) -> Result<bool, StoreError>;
    /// Removes one of theirs. `false` when it is none.
    async fn remove(&self, person: Uuid, id: Uuid) -> Result<bool, StoreError>;
}
