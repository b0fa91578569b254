//! The panel as a device of its gateways, as a renewal of its identity needs it.

use async_trait::async_trait;

use crate::device::{DeviceId, Met};
use crate::fault::Fault;
use crate::gateway::GatewayId;
use crate::operation::OperationId;

/// The panel's identities at its gateways. Their secret halves never leave the panel's data folder: what is said and kept
/// elsewhere is the public id of a device. Every call of an operation tolerates being made twice.
#[async_trait]
pub trait PanelDevices: Send + Sync {
    /// The identity in use, and that the gateway can be told to remove another. Fails when the panel is not connected with
    /// it, or when this version of the gateway removes no devices.
    async fn look(&self, gateway: &GatewayId) -> Result<DeviceId, Fault>;
    /// Makes a new identity beside the one in use; the one that this operation has made before, if it has.
    async fn make(&self, gateway: &GatewayId, operation: OperationId) -> Result<DeviceId, Fault>;
    /// Comes to the gateway as one of the panel's identities and approves it there, audited; known is success.
    async fn pair(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        device: &DeviceId,
    ) -> Result<(), Fault>;
    /// Comes to the gateway as one of the panel's identities, asks for the accounts and leaves again. Nothing is approved.
    async fn meet(&self, gateway: &GatewayId, device: &DeviceId) -> Result<Met, Fault>;
    /// Puts the new identity in the place of the one in use, which is kept aside, and
    /// connects with it.
    async fn take_into_use(&self, gateway: &GatewayId, new: &DeviceId) -> Result<(), Fault>;
    /// Takes that back: the identity that was replaced is in use again, and connected. Nothing replaced is success.
    async fn put_back(&self, gateway: &GatewayId, old: &DeviceId) -> Result<(), Fault>;
    /// The identities that were replaced and are still kept.
    async fn replaced(&self, gateway: &GatewayId) -> Result<Vec<DeviceId>, Fault>;
    /// Has the gateway forget a device and what it asked for, audited; unknown is success. Never the one in use.
    async fn remove(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        device: &DeviceId,
    ) -> Result<(), Fault>;
    /// Deletes the identity that an operation has made and not taken into use; none is success.
    async fn discard(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
    /// Deletes an identity that was replaced; none is success.
    async fn forget(&self, gateway: &GatewayId, device: &DeviceId) -> Result<(), Fault>;
}
