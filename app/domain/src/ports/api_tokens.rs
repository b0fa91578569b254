//! Tokens by which programs act for a person.

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use super::{PeopleError, StoreError};
use crate::api_token::{ApiToken, NewToken};
use crate::can::Permit;
use crate::person::{Actor, Person};

/// What came of a token that somebody brought.
#[derive(Clone, Debug)]
pub enum Shown {
    /// It is known; whether it opens is for [`ApiToken::role_of`].
    Known(Box<(ApiToken, Person)>),
    /// It is none. Counted against the address.
    Unknown,
    /// Too many unknown ones came from there: wait until then.
    Throttled {
        /// When to try again.
        until: crate::time::Timestamp,
    },
}

/// Tokens. Every change writes its audit event in the same transaction; a token is returned once, and kept as a hash.
#[async_trait]
pub trait ApiTokens: Send + Sync {
    /// Makes one for whoever asks, of their role or less.
    async fn make(
        &self,
        actor: &Actor,
        new: NewToken,
    ) -> Result<(ApiToken, SecretString), PeopleError>;
    /// Those of a person, newest first.
    async fn of(&self, person: Uuid) -> Result<Vec<ApiToken>, StoreError>;
    /// Takes back one of one's own. `false` when it is none, or was taken back.
    async fn revoke(&self, actor: &Actor, id: Uuid) -> Result<bool, PeopleError>;
    /// Takes back all of a person.
    async fn revoke_all(&self, permit: Permit, person: Uuid) -> Result<u64, PeopleError>;
    /// Whose a token is, with its use noted to the minute.
    async fn show(
        &self,
        token: &SecretString,
        address: Option<String>,
    ) -> Result<Shown, StoreError>;
}
