//! The register of credentials: what has to be changed now and then, and when that was done.

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use super::StoreError;
use crate::can::Permit;
use crate::credential::{
    BuiltIn, Cause, Credential, Logging, NewRotation, Reminder, Rotation, Stage, Terms,
};
use crate::person::{Actor, Person};
use crate::time::Timestamp;

/// Why a change to the register was refused.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// There is no such credential, or not any more.
    #[error("There is no such credential in the register, or not any more.")]
    Unknown,
    /// One that the panel knows by itself stays.
    #[error("This one is there whether or not the register lists it. Snooze it instead.")]
    Stays,
    /// A rotation lies in the future.
    #[error("That day has not come yet.")]
    NotYet,
    /// The permit was for something else: a programming error, refused all the same.
    #[error("The permission does not fit.")]
    NotPermitted,
    /// The database failed.
    #[error("The panel's database does not answer, so nothing was changed.")]
    Database(#[from] StoreError),
}

/// A rotation that was done elsewhere, as a person tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// What else there is to say.
    pub note: Option<String>,
}

/// The register of credentials. Every change writes its audit event in the same transaction.
#[async_trait]
pub trait Register: Send + Sync {
    /// Everything that is listed, by kind, gateway and title.
    async fn list(&self) -> Result<Vec<Credential>, StoreError>;
    /// One of them.
    async fn find(&self, id: Uuid) -> Result<Option<Credential>, StoreError>;
    /// Its rotations, newest first.
    async fn history(&self, id: Uuid, limit: u32) -> Result<Vec<Rotation>, StoreError>;
    /// Lists what the panel knows by itself. What is listed stays as it is, and what was taken out stays out.
    async fn seed(&self, known: &[BuiltIn]) -> Result<(), StoreError>;
    /// Adds one.
    async fn add(&self, permit: Permit, terms: Terms) -> Result<Uuid, RegisterError>;
    /// Changes what is said of one. Title and place of those that the panel knows by itself stay.
    async fn change(&self, permit: Permit, id: Uuid, terms: Terms) -> Result<(), RegisterError>;
    /// Takes one out; its history is kept.
    async fn retire(
        &self,
        permit: Permit,
        id: Uuid,
        reason: Option<String>,
    ) -> Result<(), RegisterError>;
    /// Keeps quiet about one until then; `why` is for others to read. The next rotation ends it.
    async fn snooze(
        &self,
        permit: Permit,
        id: Uuid,
        until: Timestamp,
        why: String,
    ) -> Result<(), RegisterError>;
    /// Notes a rotation that was done elsewhere. It ends a snooze. The rotation's id.
    async fn note_rotation_by_hand(
        &self,
        permit: Permit,
        id: Uuid,
        done: ByHand,
    ) -> Result<Uuid, RegisterError>;
    /// Notes what became of such a rotation's row in the rotation log.
    async fn logged(&self, rotation: Uuid, log: Logging) -> Result<(), StoreError>;
}

/// What the panel itself has rotated, noted in the register.
#[async_trait]
pub trait RotationNotes: Send + Sync {
    /// Notes a rotation. The same operation noted twice is one rotation; a credential that is not listed (any more) is
    /// listed from then on. It ends a snooze.
    async fn note_rotation(&self, rotation: NewRotation) -> Result<(), StoreError>;
}

/// Reminders: each is given once, whatever is restarted and however many panels there are.
#[async_trait]
pub trait Reminders: Send + Sync {
    /// Takes it upon this panel to give a reminder, with the audit event “requested” when it goes `to` somebody by mail.
    /// `false` when it was given, or another panel gives it. One whose mail did not go out may be taken again after an
    /// hour.
    async fn claim(
        &self,
        credential: Uuid,
        due_at: Timestamp,
        stage: Stage,
        to: Option<&str>,
    ) -> Result<bool, StoreError>;
    /// What became of its mail: to whom it went, or why not; audited.
    async fn mailed(
        &self,
        credential: Uuid,
        due_at: Timestamp,
        stage: Stage,
        outcome: Mailed,
    ) -> Result<(), StoreError>;
    /// The latest of a credential, newest first.
    async fn given(&self, credential: Uuid, limit: u32) -> Result<Vec<Reminder>, StoreError>;
}

/// What became of a reminder's mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mailed {
    /// The mail server took it.
    To(String),
    /// It did not go out.
    Failed {
        /// To whom it was to go.
        to: String,
        /// Why.
        why: String,
    },
}

/// A person's secret link to the register's calendar. Only its hash is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarLink {
    /// When it was made.
    pub made_at: Timestamp,
    /// When a calendar last used it.
    pub used_at: Option<Timestamp>,
}

/// Secret links to the register's calendar, one a person.
#[async_trait]
pub trait Calendars: Send + Sync {
    /// Makes a person's link, audited; the one from before opens nothing any more. The token is returned once.
    async fn make(&self, permit: Permit) -> Result<SecretString, RegisterError>;
    /// Takes it back, audited. `false` when there was none.
    async fn remove(&self, permit: Permit) -> Result<bool, RegisterError>;
    /// A person's link.
    async fn link_of(&self, actor: &Actor) -> Result<Option<CalendarLink>, StoreError>;
    /// Whose link a token opens, and notes that it was used. `None` for a token that opens nothing, and for
    /// whoever is kept out.
    async fn open(&self, token: &str) -> Result<Option<Person>, StoreError>;
}
