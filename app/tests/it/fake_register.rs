//! The register of credentials, faked for pages.

use async_trait::async_trait;
use domain::can::Permit;
use domain::credential::{BuiltIn, Credential, Kind, Logging, Reminder, Rotation, Stage, Terms};
use domain::person::{Actor, Person};
use domain::ports::{
    ByHand, CalendarLink, Calendars, Mailed, Register, RegisterError, Reminders, StoreError,
};
use domain::time::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use crate::fakes::Fake;
#[async_trait]
impl Register for Fake {
    async fn list(&self) -> Result<Vec<Credential>, StoreError> {
        self.0.store(self.0.credentials.clone())
    }
    async fn find(&self, id: Uuid) -> Result<Option<Credential>, StoreError> {
        let mut listed = self.0.credentials.iter();
        self.0.store(listed.find(|one| one.id == id).cloned())
    }
    async fn history(&self, _: Uuid, _: u32) -> Result<Vec<Rotation>, StoreError> {
        self.0.store(self.0.rotations.clone())
    }
    async fn seed(&self, _: &[BuiltIn]) -> Result<(), StoreError> {
        unreachable!("the server lists what it knows")
    }
    async fn add(&self, _: Permit, terms: Terms) -> Result<Uuid, RegisterError> {
        self.0.note(format!("added {terms:?}"));
        Ok(Uuid::from_u128(43))
    }
    async fn change(&self, _: Permit, id: Uuid, terms: Terms) -> Result<(), RegisterError> {
        self.0.note(format!("changed {}: {terms:?}", id.as_u128()));
        Ok(())
    }
    async fn retire(
        &self,
        _: Permit,
        id: Uuid,
        reason: Option<String>,
    ) -> Result<(), RegisterError> {
        let mut listed = self.0.credentials.iter();
        match listed.find(|one| one.id == id) {
            None => Err(RegisterError::Unknown),
            Some(one) if one.kind != Kind::Other => Err(RegisterError::Stays),
            Some(one) => {
                self.0.note(format!("retired {}: {reason:?}", one.title));
                Ok(())
            }
        }
    }
    async fn snooze(
        &self,
        _: Permit,
        id: Uuid,
        until: Timestamp,
        why: String,
    ) -> Result<(), RegisterError> {
        let until = until.utc_date();
        self.0
            .note(format!("snoozed {} until {until}: {why}", id.as_u128()));
        Ok(())
    }
    async fn note_rotation_by_hand(
        &self,
        permit: Permit,
        id: Uuid,
        done: ByHand,
    ) -> Result<Uuid, RegisterError> {
        let by = permit.actor().name();
        let (on, why) = (done.at.utc_date(), done.cause.as_str());
        let (id, note) = (id.as_u128(), done.note);
        self.0
            .note(format!("{by} rotated {id} on {on}, {why}, {note:?}"));
        Ok(Uuid::from_u128(51))
    }
    async fn logged(&self, rotation: Uuid, log: Logging) -> Result<(), StoreError> {
        self.0.note(format!("{}: {log:?}", rotation.as_u128()));
        self.0.store(())
    }
}

#[async_trait]
impl Reminders for Fake {
    async fn claim(
        &self,
        _: Uuid,
        _: Timestamp,
        _: Stage,
        _: Option<&str>,
    ) -> Result<bool, StoreError> {
        unreachable!("the server reminds")
    }
    async fn mailed(&self, _: Uuid, _: Timestamp, _: Stage, _: Mailed) -> Result<(), StoreError> {
        unreachable!("the server reminds")
    }
    async fn given(&self, _: Uuid, _: u32) -> Result<Vec<Reminder>, StoreError> {
        self.0.store(self.0.reminders.clone())
    }
}

#[async_trait]
impl Calendars for Fake {
    async fn make(&self, permit: Permit) -> Result<SecretString, RegisterError> {
        let by = permit.actor().name();
        self.0.note(format!("{by} made a calendar link"));
        Ok(SecretString::from("calendar-token-45"))
    }
    async fn remove(&self, permit: Permit) -> Result<bool, RegisterError> {
        let by = permit.actor().name();
        self.0.note(format!("{by} removed the calendar link"));
        Ok(self.0.calendar_link.is_some())
    }
    async fn link_of(&self, _: &Actor) -> Result<Option<CalendarLink>, StoreError> {
        self.0.store(self.0.calendar_link)
    }
    async fn open(&self, _: &str) -> Result<Option<Person>, StoreError> {
        unreachable!("the server opens links")
    }
}
