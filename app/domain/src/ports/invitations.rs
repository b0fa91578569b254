//! One-time links by which people choose their password.

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use super::{PeopleError, SignIn, StoreError};
use crate::can::Permit;
use crate::invitation::Invitation;
use crate::person::{Person, Roles};

/// What somebody chose who opened a link.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Their name; for the first admin alone.
    pub name: String,
    /// Their password.
    pub password: SecretString,
    /// Where they come from.
    pub address: Option<String>,
    /// With which browser.
    pub browser: Option<String>,
}

/// Invitations. A token is returned once, and kept as a hash. Every change writes its audit event in the same
/// transaction.
#[async_trait]
pub trait Invitations: Send + Sync {
    /// Adds a person who has no password yet; the token of their link.
    async fn invite(
        &self,
        permit: Permit,
        name: &str,
        roles: Roles,
    ) -> Result<(Person, SecretString), PeopleError>;
    /// A new link for somebody: their password and sessions end now.
    async fn invite_again(&self, permit: Permit, id: Uuid) -> Result<SecretString, PeopleError>;
    /// The link by which the first admin is made, when there is nobody yet.
    async fn set_up(&self) -> Result<Option<SecretString>, StoreError>;
    /// What a link is for; `None` when there is no such link.
    async fn invitation(&self, token: &str) -> Result<Option<Invitation>, StoreError>;
    /// Uses a link up: [`SignIn::Welcome`], or [`SignIn::SecondStep`] for whoever has a second factor.
    async fn accept(&self, token: &str, chosen: Chosen) -> Result<SignIn, PeopleError>;
}
