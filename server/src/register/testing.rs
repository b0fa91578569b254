//! A register in memory, its gateway, a clock that stands, and a mail server.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::audit::{Archive, Checkpoint};
use domain::can::Permit;
use domain::credential::{
    BuiltIn, Cause, Credential, Kind, Logging, Reminder, Rotation, Stage, Terms,
};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{Gateway, GatewayId};
use domain::history::{Incident, Strip};
use domain::logs::LogLine;
use domain::observation::Observation;
use domain::operation::OperationId;
use domain::person::{Actor, Person, Role};
use domain::ports::{
    AuditChain, ByHand, CalendarLink, Calendars, ChainStanding, Clock, Mail, Mailed, Observations,
    Register, RegisterError, Reminders, ReviewError, Reviews, StoreError, Verified, Waiting,
};
use domain::review::{Agreed, Draft, Review};
use domain::time::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// The link that opens the calendar.
pub(crate) const TOKEN: &str = "calendar-token-45";

/// One that was rotated so many days ago.
pub(crate) fn credential(kind: Kind, days: u32) -> Credential {
    let terms = BuiltIn {
        kind,
        gateway: None,
    }
    .terms();
    Credential {
        id: Uuid::from_u128(u128::from(days)),
        kind,
        gateway: kind.is_of_a_gateway().then(|| gateway().id),
        title: terms.title,
        place: terms.place,
        owner: terms.owner,
        interval_days: terms.interval_days,
        procedure: terms.procedure,
        added_at: NOW,
        last: Some(Rotation {
            id: Uuid::nil(),
            at: NOW.minus(DAY * days),
            by: Actor::Panel,
            cause: Cause::Scheduled,
            operation: None,
            fingerprint: None,
            note: None,
            log: None,
        }),
        snoozed: None,
    }
}

fn gateway() -> Gateway {
    Gateway {
        id: "openclaw".parse().unwrap(),
        name: "OpenClaw on vps-i1".to_owned(),
        public_url: "https://openclaw.example".to_owned(),
        stand_in: false,
    }
}

#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) credentials: Vec<Credential>,
    /// Whether the database is away.
    pub(crate) away: bool,
    /// Whether the mail server is.
    pub(crate) no_mail: bool,
    /// What is known of the audit trail.
    pub(crate) chain: ChainStanding,
    /// What waits for a review.
    pub(crate) waiting: Waiting,
    claimed: Mutex<BTreeSet<(Uuid, i64, Stage)>>,
    done: Mutex<Vec<String>>,
}

impl Listing {
    pub(crate) fn of(credentials: Vec<Credential>) -> Self {
        Self {
            credentials,
            ..Self::default()
        }
    }

    pub(crate) fn done(&self) -> Vec<String> {
        self.done.lock().unwrap().clone()
    }

    fn note(&self, done: String) {
        self.done.lock().unwrap().push(done);
    }
}

impl Clock for Listing {
    fn now(&self) -> Timestamp {
        NOW
    }
}

#[async_trait]
impl Observations for Listing {
    fn gateways(&self) -> Vec<Gateway> {
        vec![gateway()]
    }
    fn observation(&self, _: &GatewayId) -> Option<Arc<Observation>> {
        None
    }
    fn strips(&self, _: &GatewayId) -> Arc<Vec<Strip>> {
        Arc::default()
    }
    fn incidents(&self, _: &GatewayId) -> Arc<Vec<Incident>> {
        Arc::default()
    }
    async fn logs(&self, _: &GatewayId, _: u32) -> Result<Vec<LogLine>, Fault> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Register for Listing {
    async fn list(&self) -> Result<Vec<Credential>, StoreError> {
        if self.away {
            return Err(StoreError {
                doing: "being asked by a test",
                source: Box::new(std::io::Error::other("away")),
            });
        }
        Ok(self.credentials.clone())
    }
    async fn find(&self, _: Uuid) -> Result<Option<Credential>, StoreError> {
        Ok(None)
    }
    async fn history(&self, _: Uuid, _: u32) -> Result<Vec<Rotation>, StoreError> {
        Ok(Vec::new())
    }
    async fn seed(&self, _: &[BuiltIn]) -> Result<(), StoreError> {
        Ok(())
    }
    async fn add(&self, _: Permit, _: Terms) -> Result<Uuid, RegisterError> {
        Err(RegisterError::NotPermitted)
    }
    async fn change(&self, _: Permit, _: Uuid, _: Terms) -> Result<(), RegisterError> {
        Err(RegisterError::NotPermitted)
    }
    async fn retire(&self, _: Permit, _: Uuid, _: Option<String>) -> Result<(), RegisterError> {
        Err(RegisterError::NotPermitted)
    }
    async fn snooze(
        &self,
        _: Permit,
        _: Uuid,
        _: Timestamp,
        _: String,
    ) -> Result<(), RegisterError> {
        Err(RegisterError::NotPermitted)
    }
    async fn note_rotation_by_hand(
        &self,
        _: Permit,
        _: Uuid,
        _: ByHand,
    ) -> Result<Uuid, RegisterError> {
        Err(RegisterError::NotPermitted)
    }
    async fn logged(&self, _: Uuid, _: Logging) -> Result<(), StoreError> {
        unreachable!("nobody notes a rotation here")
    }
}

#[async_trait]
impl Reviews for Listing {
    async fn review(&self, _: Permit, _: Draft) -> Result<Review, ReviewError> {
        unreachable!("metrics only look")
    }
    async fn answer(&self, _: &Actor, _: Uuid, _: String) -> Result<Review, ReviewError> {
        unreachable!("metrics only look")
    }
    async fn of_events(&self, _: &[i64]) -> Result<Vec<Review>, StoreError> {
        unreachable!("metrics only look")
    }
    async fn agreed(&self, _: &[OperationId]) -> Result<Agreed, StoreError> {
        unreachable!("metrics only look")
    }
    async fn questions(&self) -> Result<Vec<Review>, StoreError> {
        unreachable!("metrics only look")
    }
    async fn waiting(&self, _: u32) -> Result<Waiting, StoreError> {
        Ok(self.waiting.clone())
    }
}

#[async_trait]
impl AuditChain for Listing {
    async fn standing(&self) -> Result<ChainStanding, StoreError> {
        Ok(self.chain.clone())
    }
    async fn verify(&self, _: Permit) -> Result<Verified, StoreError> {
        Ok(Verified::GoesOn)
    }
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        unreachable!("metrics only look")
    }
    async fn archived(&self) -> Result<Option<Archive>, StoreError> {
        Ok(self.chain.archived.clone())
    }
}

#[async_trait]
impl Reminders for Listing {
    async fn claim(
        &self,
        id: Uuid,
        due_at: Timestamp,
        stage: Stage,
        to: Option<&str>,
    ) -> Result<bool, StoreError> {
        let claim = (id, due_at.as_millis(), stage);
        let claimed = self.claimed.lock().unwrap().insert(claim);
        if claimed {
            let to = to.map_or(String::new(), |to| format!(" to {to}"));
            self.note(format!("claimed {}{to}", stage.as_str()));
        }
        Ok(claimed)
    }
    async fn mailed(
        &self,
        _: Uuid,
        _: Timestamp,
        _: Stage,
        outcome: Mailed,
    ) -> Result<(), StoreError> {
        self.note(format!("noted {outcome:?}"));
        Ok(())
    }
    async fn given(&self, _: Uuid, _: u32) -> Result<Vec<Reminder>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Calendars for Listing {
    async fn make(&self, _: Permit) -> Result<SecretString, RegisterError> {
        Err(RegisterError::NotPermitted)
    }
    async fn remove(&self, _: Permit) -> Result<bool, RegisterError> {
        Err(RegisterError::NotPermitted)
    }
    async fn link_of(&self, _: &Actor) -> Result<Option<CalendarLink>, StoreError> {
        Ok(None)
    }
    async fn open(&self, token: &str) -> Result<Option<Person>, StoreError> {
        Ok((token == TOKEN).then(|| Person {
            id: Uuid::nil(),
            name: "anna".to_owned(),
            roles: Role::Manager.into(),
            disabled_at: None,
            password_is_one_time: false,
            invited_until: None,
            last_seen_at: None,
            created_at: NOW,
            session_epoch: 1,
            second_factor: None,
        }))
    }
}

#[async_trait]
impl Mail for Listing {
    async fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), Fault> {
        self.note(format!("mail to {to}: {subject}: {text}"));
        if self.no_mail {
            let why = "The mail server does not answer.";
            return Err(Fault::new(FaultKind::Unreachable, Boundary::Panel, why));
        }
        Ok(())
    }
}
