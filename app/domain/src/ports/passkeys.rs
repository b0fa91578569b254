//! Passkeys.

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use super::{PeopleError, SignIn, StoreError};
use crate::passkey::{Answer, Passkey, Question};
use crate::person::{Actor, Person};
use crate::second_factor::Duty;

/// What came of a passkey that was made.
#[derive(Clone, Debug)]
pub struct Added {
    /// Its owner as they now are.
    pub person: Person,
    /// Recovery codes, once, when it is their first second factor. Every session of theirs has ended then, and in no
    /// other case.
    pub codes: Vec<SecretString>,
}

/// Passkeys. Every change and every use writes its audit event in the same transaction; an answer is taken once.
#[async_trait]
pub trait Passkeys: Send + Sync {
    /// Whether they can be used at all: browsers want a host name and https for that.
    fn possible(&self) -> bool;
    /// Those of a person, oldest first.
    async fn of(&self, person: Uuid) -> Result<Vec<Passkey>, StoreError>;
    /// What to ask a device that is to make one.
    async fn ask_to_add(&self, actor: &Actor) -> Result<Question, PeopleError>;
    /// Keeps the one that was made.
    async fn add(&self, actor: &Actor, name: &str, answer: Answer) -> Result<Added, PeopleError>;
    /// Takes one of one's own away, and ends every session of theirs. With the last proof besides the password the
    /// recovery codes go, too; whoever must have one keeps it.
    async fn remove(&self, actor: &Actor, id: Uuid, duty: Duty) -> Result<Person, PeopleError>;
    /// What to ask whoever wants to sign in; the answer says who it is.
    async fn ask_anybody(&self) -> Result<Question, PeopleError>;
    /// What to ask somebody who is known: at the second step, or to confirm that it is them.
    async fn ask(&self, person: Uuid) -> Result<Question, PeopleError>;
    /// Signs somebody in without a password.
    async fn sign_in(
        &self,
        answer: Answer,
        address: Option<String>,
        browser: Option<String>,
    ) -> Result<SignIn, StoreError>;
    /// In place of the code, as [`super::People::second_step`].
    async fn second_step(
        &self,
        id: Uuid,
        epoch: i64,
        answer: Answer,
        address: Option<String>,
        browser: Option<String>,
    ) -> Result<SignIn, StoreError>;
    /// Confirms that it is still the person who signed in.
    async fn confirm(&self, actor: &Actor, answer: Answer) -> Result<(), PeopleError>;
}
