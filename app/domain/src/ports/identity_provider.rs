//! An identity provider (OpenID Connect), and who of it is who here.

use async_trait::async_trait;
use uuid::Uuid;

use super::{PeopleError, SignIn, StoreError};
use crate::can::Permit;
use crate::identity::{Answer, Asked, Claims, Purpose, Refusal, Subject};
use crate::person::{Actor, Person, Role};
use crate::time::Timestamp;

/// The provider opened nothing.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct ProviderError {
    /// What to say of it.
    pub refusal: Refusal,
    /// What was wrong; for the log alone.
    pub detail: String,
}

/// Where to send the browser, and what to remember meanwhile.
#[derive(Clone, Debug)]
pub struct Errand {
    /// The provider's page.
    pub url: String,
    /// For the session.
    pub asked: Asked,
}

/// The provider.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// What people call it.
    fn name(&self) -> &str;
    /// The role of these groups, if any of them has one.
    fn role(&self, groups: &[String]) -> Option<Role>;
    /// Asks it where to send the browser.
    async fn begin(&self, purpose: Purpose) -> Result<Errand, ProviderError>;
    /// Exchanges what the browser brought back, and checks all of it against what was asked.
    async fn finish(&self, asked: &Asked, answer: Answer) -> Result<Claims, ProviderError>;
}

/// Who a provider says it is, in the panel's words.
#[derive(Clone, Debug)]
pub struct Proved {
    /// What people call the provider.
    pub provider: String,
    /// What it says.
    pub claims: Claims,
    /// The role of their groups; `None` when none of them has one.
    pub role: Option<Role>,
}

/// From where somebody comes.
#[derive(Clone, Debug, Default)]
pub struct Whence {
    /// Their address, as far as trusted proxies tell.
    pub address: Option<String>,
    /// A short name of the browser.
    pub browser: Option<String>,
}

/// How somebody can prove who they are, besides what they set up themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Who they are at providers.
    pub subjects: Vec<Subject>,
    /// Whether they have a password here.
    pub has_password: bool,
}

/// Whether what the provider proved opens the door.
#[derive(Clone, Debug)]
pub enum ByProvider {
    /// It does: never [`SignIn::Refused`].
    In(SignIn),
    /// It does not.
    Not(Refusal),
}

/// Whether what the provider proved confirms who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderConfirms {
    /// It does.
    Whole,
    /// It is one proof of two: the code of their second factor is the other.
    Half,
    /// It does not.
    Not(Refusal),
}

/// Who of a provider is who here, by issuer and subject alone. Every change and every sign-in writes its audit event in the
/// same transaction.
#[async_trait]
pub trait Identities: Send + Sync {
    /// Counts a try of an address, as of a sign-in, before anything is asked; or says until when to wait. Signing in takes
    /// it back.
    async fn count(&self, address: Option<&str>) -> Result<Option<Timestamp>, StoreError>;
    /// Notes that nothing came of a try.
    async fn refuse(
        &self,
        provider: &str,
        refusal: Refusal,
        whence: Whence,
    ) -> Result<(), StoreError>;
    /// Signs in whoever it is: adds them at their first time, and lets their role everywhere follow their groups.
    async fn sign_in(&self, proved: Proved, whence: Whence) -> Result<ByProvider, StoreError>;
    /// Confirms that it is still the person who signed in.
    async fn confirm(&self, actor: &Actor, proved: Proved)
    -> Result<ProviderConfirms, PeopleError>;
    /// Who somebody is at providers, and whether they need them.
    async fn of(&self, person: Uuid) -> Result<Proofs, StoreError>;
    /// Everybody who is somebody at a provider.
    async fn all(&self) -> Result<Vec<(Uuid, Subject)>, StoreError>;
    /// Says who somebody is there.
    async fn connect(
        &self,
        permit: Permit,
        person: Uuid,
        subject: Subject,
    ) -> Result<Person, PeopleError>;
    /// From now on they are nobody at any provider, and their sessions are over. Refused for the last admin who has no
    /// password; does nothing for whoever is at none.
    async fn disconnect(&self, permit: Permit, person: Uuid) -> Result<(), PeopleError>;
}
