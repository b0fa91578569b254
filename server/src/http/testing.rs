//! People, a clock and a browser for tests of the layers.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::Viewer;
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::MockConnectInfo;
use axum::http::{Method, Request, header};
use axum::response::Response;
use domain::audit::{AuditEvent, NewAuditEvent};
use domain::can::Permit;
use domain::passkey::{Answer, Passkey, Question};
use domain::person::{Actor, Person, Role, Roles};
use domain::ports::{
    Added, AuditTrail, Clock, Disabled, Passkeys, People, PeopleError, Sessions, SignIn, StoreError,
};
use domain::second_factor::Duty;
use domain::session::{Device, PersonSession, SessionLimits};
use domain::time::Timestamp;
use secrecy::SecretString;
use tower::ServiceExt as _;
use tower_sessions::session::Id;
use tower_sessions::{Session, SessionManagerLayer};
use tower_sessions_moka_store::MokaStore;
use uuid::Uuid;

use super::KnownPeople;
use super::device::DeviceCookie;
use super::reader::Reader;
use super::sessions::{Door, begin};
use super::sign_in::Desk;

/// People in memory.
#[derive(Default)]
pub(super) struct Folks {
    pub(super) all: Mutex<Vec<Person>>,
    pub(super) seen: Mutex<Vec<Uuid>>,
    pub(super) sessions: Mutex<Vec<PersonSession>>,
    /// Held while an answer is to be late.
    gate: Arc<tokio::sync::Mutex<()>>,
}

impl Folks {
    /// Keeps answers back, though they are read already, until the guard is dropped.
    pub(super) fn hold(&self) -> tokio::sync::OwnedMutexGuard<()> {
        self.gate.clone().try_lock_owned().unwrap()
    }

    /// Ends every session of a person, as a new password does.
    pub(super) fn next_epoch(&self, id: Uuid) -> Person {
        let mut all = self.all.lock().unwrap();
        let person = all.iter_mut().find(|person| person.id == id).unwrap();
        person.session_epoch += 1;
        person.clone()
    }
}

pub(super) fn anna() -> Person {
    Person {
        id: Uuid::from_u128(1),
        name: "anna".to_owned(),
        roles: Role::Admin.into(),
        disabled_at: None,
        password_is_one_time: false,
        invited_until: None,
        last_seen_at: None,
        created_at: Timestamp::from_millis(0),
        session_epoch: 1,
        second_factor: None,
    }
}

#[async_trait]
impl People for Folks {
    async fn sign_in(
        &self,
        _: &str,
        _: SecretString,
        _: Option<String>,
        _: Option<String>,
    ) -> Result<SignIn, StoreError> {
        Ok(SignIn::Refused)
    }
    async fn second_step(
        &self,
        _: Uuid,
        _: i64,
        _: SecretString,
        _: Option<String>,
        _: Option<String>,
    ) -> Result<SignIn, StoreError> {
        Ok(SignIn::Refused)
    }
    async fn list(&self) -> Result<Vec<Person>, StoreError> {
        Ok(self.all.lock().unwrap().clone())
    }
    async fn find(&self, id: Uuid) -> Result<Option<Person>, StoreError> {
        let all = self.all.lock().unwrap().clone();
        let _gate = self.gate.lock().await;
        Ok(all.into_iter().find(|person| person.id == id))
    }
    async fn note_seen(&self, id: Uuid) -> Result<(), StoreError> {
        self.seen.lock().unwrap().push(id);
        Ok(())
    }
    async fn add(
        &self,
        _: Permit,
        _: &str,
        _: Roles,
    ) -> Result<(Person, SecretString), PeopleError> {
        Err(PeopleError::NotPermitted)
    }
    async fn set_disabled(&self, _: Permit, _: Uuid, _: Disabled) -> Result<(), PeopleError> {
        Err(PeopleError::NotPermitted)
    }
    async fn reset_password(&self, _: Permit, _: Uuid) -> Result<SecretString, PeopleError> {
        Err(PeopleError::NotPermitted)
    }
    async fn set_roles(&self, _: Permit, _: Uuid, _: Roles) -> Result<(), PeopleError> {
        Err(PeopleError::NotPermitted)
    }
    async fn confirm(
        &self,
        _: &Actor,
        _: SecretString,
        _: SecretString,
    ) -> Result<Person, PeopleError> {
        Err(PeopleError::NotPermitted)
    }
    async fn change_password(
        &self,
        _: &Actor,
        _: SecretString,
        _: SecretString,
    ) -> Result<Person, PeopleError> {
        Err(PeopleError::NotPermitted)
    }
}

/// Nobody has any.
struct NoPasskeys;

#[async_trait]
impl Passkeys for NoPasskeys {
    fn possible(&self) -> bool {
        false
    }
    async fn of(&self, _: Uuid) -> Result<Vec<Passkey>, StoreError> {
        Ok(Vec::new())
    }
    async fn ask_to_add(&self, _: &Actor) -> Result<Question, PeopleError> {
        Err(PeopleError::PasskeysImpossible)
    }
    async fn add(&self, _: &Actor, _: &str, _: Answer) -> Result<Added, PeopleError> {
        Err(PeopleError::PasskeysImpossible)
    }
    async fn remove(&self, _: &Actor, _: Uuid, _: Duty) -> Result<Person, PeopleError> {
        Err(PeopleError::PasskeysImpossible)
    }
    async fn ask_anybody(&self) -> Result<Question, PeopleError> {
        Err(PeopleError::PasskeysImpossible)
    }
    async fn ask(&self, _: Uuid) -> Result<Question, PeopleError> {
        Err(PeopleError::PasskeysImpossible)
    }
    async fn sign_in(
        &self,
        _: Answer,
        _: Option<String>,
        _: Option<String>,
    ) -> Result<SignIn, StoreError> {
        Ok(SignIn::Refused)
    }
    async fn second_step(
        &self,
        _: Uuid,
        _: i64,
        _: Answer,
        _: Option<String>,
        _: Option<String>,
    ) -> Result<SignIn, StoreError> {
        Ok(SignIn::Refused)
    }
    async fn confirm(&self, _: &Actor, _: Answer) -> Result<(), PeopleError> {
        Err(PeopleError::PasskeysImpossible)
    }
}

/// The row of anna's sessions.
pub(super) const ROW: Uuid = Uuid::from_u128(9);

#[async_trait]
impl Sessions for Folks {
    async fn begin(&self, _: &Person, _: Device) -> Result<Uuid, StoreError> {
        Ok(ROW)
    }
    async fn go_on(&self, id: Uuid, epoch: i64) -> Result<i32, StoreError> {
        let mut sessions = self.sessions.lock().unwrap();
        let known = sessions.iter_mut().find(|session| session.id == id);
        let session = known.ok_or_else(|| StoreError {
            doing: "going on",
            source: "no such session".into(),
        })?;
        session.epoch = epoch;
        session.turn += 1;
        Ok(session.turn)
    }
    async fn note_seen(&self, _: Uuid, _: Option<String>) -> Result<(), StoreError> {
        Ok(())
    }
    async fn of(&self, _: Uuid) -> Result<Vec<PersonSession>, StoreError> {
        Ok(self.sessions.lock().unwrap().clone())
    }
    async fn close(&self, _: Uuid) -> Result<(), StoreError> {
        Ok(())
    }
    async fn end_one(&self, _: &Actor, _: Uuid) -> Result<bool, PeopleError> {
        Err(PeopleError::NotPermitted)
    }
    async fn end_others(&self, _: &Actor, _: Option<Uuid>) -> Result<u64, PeopleError> {
        Err(PeopleError::NotPermitted)
    }
    async fn acknowledge(&self, _: &Actor, _: Uuid) -> Result<(), PeopleError> {
        Err(PeopleError::NotPermitted)
    }
    async fn end_all(&self, _: Permit, _: Uuid) -> Result<(), PeopleError> {
        Err(PeopleError::NotPermitted)
    }
}

/// An audit trail in memory.
#[derive(Default)]
pub(super) struct Paper(pub(super) Mutex<Vec<NewAuditEvent>>);

#[async_trait]
impl AuditTrail for Paper {
    async fn record(&self, event: NewAuditEvent) -> Result<AuditEvent, StoreError> {
        self.0.lock().unwrap().push(event.clone());
        Ok(AuditEvent {
            sequence: 1,
            id: Uuid::nil(),
            at: Timestamp::from_millis(0),
            event,
        })
    }
    async fn list(&self, _: Option<i64>, _: u32) -> Result<Vec<AuditEvent>, StoreError> {
        Ok(Vec::new())
    }
}

/// A clock that is moved by hand.
pub(super) struct Hands(Mutex<Timestamp>);

impl Default for Hands {
    fn default() -> Self {
        Self(Mutex::new(Timestamp::from_millis(1_800_000_000_000)))
    }
}

impl Hands {
    pub(super) fn forward(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.plus(by);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Everything around the sessions of anna.
pub(super) struct House {
    pub(super) folks: Arc<Folks>,
    pub(super) clock: Arc<Hands>,
    pub(super) door: Door,
    pub(super) sessions: MokaStore,
}

pub(super) fn house() -> House {
    let folks = Arc::new(Folks::default());
    folks.all.lock().unwrap().push(anna());
    let clock = Arc::new(Hands::default());
    let sessions = MokaStore::new(None);
    let door = Door {
        people: Arc::new(KnownPeople::new(
            folks.clone(),
            folks.clone(),
            clock.clone(),
        )),
        clock: clock.clone(),
        trusted_proxies: Arc::default(),
        second_factor_for: Arc::default(),
        limits: SessionLimits::default(),
        device: DeviceCookie { https: false },
        records: Arc::new(sessions.clone()),
    };
    House {
        folks,
        clock,
        door,
        sessions,
    }
}

impl House {
    pub(super) fn desk(&self) -> Desk {
        Desk {
            people: self.folks.clone(),
            audit: Arc::new(Paper::default()),
            passkeys: Arc::new(NoPasskeys),
            door: self.door.clone(),
        }
    }

    /// `routes` with sessions around them.
    pub(super) fn around(&self, routes: Router) -> Router {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 5_000));
        routes
            .layer(SessionManagerLayer::new(self.sessions.clone()).with_secure(false))
            .layer(MockConnectInfo(peer))
    }
}

/// A new session of anna's, and a reader in it.
pub(super) async fn reader(house: &House) -> (Id, Reader) {
    let session = Session::new(None, Arc::new(house.sessions.clone()), None);
    let now = house.door.clock.now();
    begin(&session, &anna(), Some(ROW), now).await.unwrap();
    session.save().await.unwrap();
    let viewer = Arc::new(Viewer {
        actor: Actor::Panel,
        person: anna(),
        session: Some(ROW),
        sessions: Arc::default(),
        signed_in_at: now,
        confirmed_at: now,
    });
    let reader = Reader::new(&house.door, &session, &viewer);
    (session.id().unwrap(), reader)
}

/// A browser with its cookie.
#[derive(Clone)]
pub(super) struct Browser {
    router: Router,
    pub(super) cookie: Option<String>,
}

impl Browser {
    pub(super) fn new(router: &Router) -> Self {
        Self {
            router: router.clone(),
            cookie: None,
        }
    }

    pub(super) async fn ask(&mut self, method: Method, path: &str) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let request = request.body(Body::empty()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        // The session's, and not the one by which the browser is known again.
        let set = answer.headers().get_all(header::SET_COOKIE).iter();
        let mut set = set.map(|set| set.to_str().unwrap().split(';').next().unwrap());
        if let Some(set) = set.find(|set| set.starts_with("id=")) {
            self.cookie = Some(set.to_owned());
        }
        answer
    }

    pub(super) async fn get(&mut self, path: &str) -> Response {
        self.ask(Method::GET, path).await
    }

    pub(super) async fn post(&mut self, path: &str) -> Response {
        self.ask(Method::POST, path).await
    }
}
