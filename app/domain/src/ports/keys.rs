//! The gateway's key, as a rotation needs it.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::credential::Fingerprint;
use crate::fault::Fault;
use crate::gateway::GatewayId;
use crate::gateway_key::{KeyLine, NextKey, Tried, WhichKey};
use crate::operation::OperationId;

/// The gateway's key in `.env`. Its value leaves the adapter by [`GatewayKeys::read`] alone. Every call of an operation
/// tolerates being made twice.
#[async_trait]
pub trait GatewayKeys: Send + Sync {
    /// Looks at the line that holds the key. Fails `Invalid`, and says what to do, when it could not be changed as it
    /// stands: no such line or two of them, not written by a variable of `.env`, a file that cannot be replaced.
    async fn look(&self, gateway: &GatewayId) -> Result<KeyLine, Fault>;
    /// Keeps the file as it is, encrypted, and writes another key into it. That key's fingerprint.
    async fn renew(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        next: NextKey,
    ) -> Result<Fingerprint, Fault>;
    /// The key that this operation replaced, while the encrypted copy is there.
    async fn kept(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
    ) -> Result<Option<Fingerprint>, Fault>;
    /// Puts the key back that [`GatewayKeys::renew`] replaced; what else was changed in the file since stays. Its
    /// fingerprint, or `None` when nothing was replaced.
    async fn put_back(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
    ) -> Result<Option<Fingerprint>, Fault>;
    /// Removes the encrypted copy; none is success.
    async fn forget(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
    /// Of the key that the gateway's running container was made with; `None` when it does not run or has none.
    async fn in_container(&self, gateway: &GatewayId) -> Result<Option<Fingerprint>, Fault>;
    /// Tries a key at every door of the gateway.
    async fn try_doors(&self, gateway: &GatewayId, which: WhichKey) -> Result<Vec<Tried>, Fault>;
    /// The key in `.env`, for the one reveal. Fails `Invalid` when it is not the one of this fingerprint.
    async fn read(
        &self,
        gateway: &GatewayId,
        fingerprint: &Fingerprint,
    ) -> Result<SecretString, Fault>;
}
