//! An account's link: the code that makes it, its backups, and its files.

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use crate::backup::{Adopt, Backup, NewKey};
use crate::can::Permit;
use crate::fault::Fault;
use crate::gateway::{AccountId, GatewayId};
use crate::operation::OperationId;
use crate::scan::{Login, Scan};
use crate::time::Timestamp;

/// Where an operation shows a code to those who look at it; in memory only.
pub trait Scans: Send + Sync {
    /// Shows how far it is; `None` when nothing is to be scanned any more.
    fn show(&self, operation: OperationId, scan: Option<Scan>);
    /// How far it is.
    fn of(&self, operation: OperationId) -> Option<Scan>;
    /// Remembers the gateway's login of an account, as far as this panel knows; `None` once it has ended.
    fn note_login(&self, gateway: &GatewayId, account: &AccountId, login: Option<Login>);
    /// See [`Scans::note_login`].
    fn login(&self, gateway: &GatewayId, account: &AccountId) -> Option<Login>;
}

/// Encrypted copies of a gateway's state on the panel's host. Every call of an operation tolerates being made twice.
#[async_trait]
pub trait Backups: Send + Sync {
    /// To whom backups are encrypted, as `age1…`; `None` when there is no key yet.
    async fn recipient(&self) -> Result<Option<String>, Fault>;
    /// Makes a key. Nothing is encrypted to it before [`Backups::adopt_key`], so that the other half can be
    /// put away first.
    fn new_key(&self) -> NewKey;
    /// Encrypts to a key from now on; audited. Fails `Refused` when there is one and this is to be the first.
    async fn adopt_key(&self, permit: Permit, recipient: &str, adopt: Adopt) -> Result<(), Fault>;
    /// Has the gateway write an archive of its state inside its container and verify it, in a way that is
    /// safe while it runs. Returns what it holds, in a sentence.
    async fn archive(&self, gateway: &GatewayId, operation: OperationId) -> Result<String, Fault>;
    /// Takes that archive out of the container, encrypts it on the way and keeps it; older ones beyond their
    /// time are removed.
    async fn keep(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        begun: Timestamp,
    ) -> Result<Backup, Fault>;
    /// Keeps the whole state folder of a stopped container as it lies, encrypted: for a gateway that cannot write an
    /// archive any more. Plugins and caches are in it.
    async fn keep_folder(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        begun: Timestamp,
    ) -> Result<Backup, Fault>;
    /// Removes that archive from the container; none is success, and so is a container that does not run.
    async fn clear(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
    /// Removes what [`Backups::keep`] kept for this operation; nothing is success.
    async fn forget(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
    /// What is kept of a gateway, newest first.
    async fn list(&self, gateway: &GatewayId) -> Result<Vec<Backup>, Fault>;
    /// Opens one with the key's other half, takes an account's link out of it, and keeps the link in memory for
    /// an operation that begins within ten minutes; never longer than the panel runs. The ticket is for
    /// [`Backups::bring`]. Fails `NotFound` when there is no such backup, `NotOffered` when it holds no such link,
    /// `Invalid` or `Refused` when the key does not open it.
    async fn unlock(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        name: &str,
        identity: SecretString,
    ) -> Result<Uuid, Fault>;
    /// Lays the link that `ticket` unlocked beside the gateway's own files, not yet in use, see
    /// [`LinkFiles::place`]. The last digits of its number, when it says so.
    async fn bring(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
        ticket: Uuid,
    ) -> Result<Option<String>, Fault>;
    /// One of them as it lies there, encrypted; `None` when there is none of that name.
    async fn read(&self, gateway: &GatewayId, name: &str) -> Result<Option<Vec<u8>>, Fault>;
}

/// The files in which a gateway keeps the link of an account. They are moved within its state folder and
/// never leave it; the account must be stopped. Every call tolerates being made twice.
#[async_trait]
pub trait LinkFiles: Send + Sync {
    /// Moves the present link aside, so that there is none; that there was none is remembered, too.
    async fn set_aside(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
    ) -> Result<(), Fault>;
    /// Puts the link that was brought in the place of the present one.
    async fn place(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
    ) -> Result<(), Fault>;
    /// Puts back what was set aside; nothing set aside is success.
    async fn put_back(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
    ) -> Result<(), Fault>;
    /// Removes what the operation laid beside; nothing is success, and so is a container that does not run.
    async fn clear(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
}
