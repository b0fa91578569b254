//! One-time links for another screen, and the mail that brings them.

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use super::StoreError;
use crate::can::Permit;
use crate::fault::Fault;
use crate::hand_off::HandOff;
use crate::operation::OperationId;

/// One-time links for another screen. Tokens and device secrets are known to their holders alone: only their
/// hashes are kept.
#[async_trait]
pub trait HandOffs: Send + Sync {
    /// Makes a link for an operation, audited in the same transaction; the token is returned once.
    async fn make(
        &self,
        permit: Permit,
        operation: OperationId,
    ) -> Result<(HandOff, SecretString), StoreError>;
    /// The link of a token; `None` for a token that nobody made.
    async fn find(&self, token: &str) -> Result<Option<HandOff>, StoreError>;
    /// Opens the link of a token for one device, audited either way. The secret by which that device is known
    /// from then on; `None` when the link cannot be opened (any more).
    async fn open(
        &self,
        token: &str,
        from: Opener,
    ) -> Result<Option<(HandOff, SecretString)>, StoreError>;
    /// The link that a device has opened; `None` for an unknown device.
    async fn of_device(&self, secret: &str) -> Result<Option<HandOff>, StoreError>;
    /// Takes a link back, audited. `false` when it was taken back before, or is none of this operation.
    async fn revoke(
        &self,
        permit: Permit,
        operation: OperationId,
        id: Uuid,
    ) -> Result<bool, StoreError>;
    /// The links of an operation, newest first.
    async fn list(&self, operation: OperationId) -> Result<Vec<HandOff>, StoreError>;
}

/// Sends mail.
#[async_trait]
pub trait Mail: Send + Sync {
    /// Hands a mail over to the mail server. Fails `Invalid` when `to` is no address.
    async fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), Fault>;
}

/// Who opens a link, as far as that can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opener {
    /// Their address, behind trusted proxies.
    pub address: String,
    /// Their browser: `Firefox on Android`.
    pub browser: Option<String>,
}
