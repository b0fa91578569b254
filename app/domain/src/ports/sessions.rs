//! Where people are signed in.

use async_trait::async_trait;
use uuid::Uuid;

use super::{PeopleError, StoreError};
use crate::can::Permit;
use crate::person::{Actor, Person};
use crate::session::{Device, PersonSession};

/// Sessions of people. Ending one is told to every panel, and to open event streams, at once.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Notes a sign-in; a browser that is new for somebody who has signed in before is audited.
    async fn begin(&self, person: &Person, device: Device) -> Result<Uuid, StoreError>;
    /// The session goes on by another cookie, and in that epoch: its own person confirmed who they are, or changed the
    /// password. Its turn from now on.
    async fn go_on(&self, id: Uuid, epoch: i64) -> Result<i32, StoreError>;
    /// Notes that it is used.
    async fn note_seen(&self, id: Uuid, address: Option<String>) -> Result<(), StoreError>;
    /// Those of a person that may still be open, and those that were ended lately; newest first.
    async fn of(&self, person: Uuid) -> Result<Vec<PersonSession>, StoreError>;
    /// Notes that its owner signed out, which is audited elsewhere.
    async fn close(&self, id: Uuid) -> Result<(), StoreError>;
    /// Ends one of one's own. `false` when it is none, or over.
    async fn end_one(&self, actor: &Actor, id: Uuid) -> Result<bool, PeopleError>;
    /// Ends all of one's own but one; how many.
    async fn end_others(&self, actor: &Actor, but: Option<Uuid>) -> Result<u64, PeopleError>;
    /// Its owner says that a new browser was theirs.
    async fn acknowledge(&self, actor: &Actor, id: Uuid) -> Result<(), PeopleError>;
    /// Ends all of a person.
    async fn end_all(&self, permit: Permit, person: Uuid) -> Result<(), PeopleError>;
}
