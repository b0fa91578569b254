//! Second factors.

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use super::PeopleError;
use crate::can::Permit;
use crate::person::{Actor, Person};
use crate::second_factor::{Duty, SetUp};

/// Second factors. Every change writes its audit event in the same transaction, and ends all sessions of the person; so
/// the person comes back as they now are, for the caller's own session to go on.
#[async_trait]
pub trait SecondFactors: Send + Sync {
    /// Begins a set-up, or begins it anew. A factor that is in use stays so until the new one is finished.
    async fn begin(&self, actor: &Actor) -> Result<(), PeopleError>;
    /// The set-up that was begun and may still be finished.
    async fn begun(&self, person: Uuid) -> Result<Option<SetUp>, PeopleError>;
    /// Finishes it with the authenticator's first code; the recovery codes are returned once.
    async fn finish(
        &self,
        actor: &Actor,
        code: SecretString,
    ) -> Result<(Person, Vec<SecretString>), PeopleError>;
    /// New recovery codes in place of the old ones; no session ends.
    async fn renew_codes(&self, actor: &Actor) -> Result<Vec<SecretString>, PeopleError>;
    /// Confirms by a code that it is still the person who signed in, when the identity provider has said so just before;
    /// throttled like the second step of a sign-in, and audited either way.
    async fn confirm(&self, actor: &Actor, code: SecretString) -> Result<(), PeopleError>;
    /// Takes one's own authenticator away; whoever must have a second factor and has no other keeps it.
    async fn remove(&self, actor: &Actor, duty: Duty) -> Result<Person, PeopleError>;
    /// Takes somebody's factor away who lost it.
    async fn reset(&self, permit: Permit, id: Uuid) -> Result<(), PeopleError>;
}
