//! How far the hand-over of a new key is, and who uses the key.

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::can::Permit;
use crate::gateway::GatewayId;
use crate::key_rotation::{Consumer, KeyRotation, NewConsumer, NewKeyRotation, Task};
use crate::operation::OperationId;
use crate::person::Actor;

/// Rotations of gateways' keys and the register of those who use them. What people do is audited in the same transaction.
#[async_trait]
pub trait KeyRotations: Send + Sync {
    /// Notes a rotation whose new key is proved, in the register of credentials, too; noted twice it is one.
    async fn begin(&self, rotation: NewKeyRotation) -> Result<(), StoreError>;
    /// The one of an operation.
    async fn of(&self, operation: OperationId) -> Result<Option<KeyRotation>, StoreError>;
    /// The latest of a gateway.
    async fn latest(&self, gateway: &GatewayId) -> Result<Option<KeyRotation>, StoreError>;
    /// Notes that the key is shown now. `false` when it was shown before: it is shown once.
    async fn reveal(&self, permit: Permit, operation: OperationId) -> Result<bool, StoreError>;
    /// Notes that a task is done; done before, the first stays.
    async fn finish(
        &self,
        by: &Actor,
        operation: OperationId,
        task: Task,
        note: Option<String>,
    ) -> Result<(), StoreError>;
    /// Who uses a gateway's key, by name.
    async fn consumers(&self, gateway: &GatewayId) -> Result<Vec<Consumer>, StoreError>;
    /// Adds one; the permit says to which gateway.
    async fn add_consumer(&self, permit: Permit, new: NewConsumer) -> Result<(), StoreError>;
    /// Removes one. `false` when there is none.
    async fn remove_consumer(&self, permit: Permit, id: Uuid) -> Result<bool, StoreError>;
}
