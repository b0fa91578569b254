//! A panel of fakes: what the pages are told, and what they did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::{Panel, SiteFiles};
use async_trait::async_trait;
use domain::account_history::{AccountChange, Drops};
use domain::api_token::ApiToken;
use domain::audit::{Archive, AuditEvent, Checkpoint, NewAuditEvent, SavedView};
use domain::backup::{Adopt, Backup, NewKey};
use domain::can::Permit;
use domain::compare::Comparison;
use domain::credential::{Credential, Reminder, Rotation};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{AccountId, Gateway, GatewayId};
use domain::hand_off::{HandOff, OPENS_WITHIN};
use domain::history::{Incident, Strip};
use domain::invitation::Invitation;
use domain::logs::LogLine;
use domain::mailbox::OwnMailbox;
use domain::observation::Observation;
use domain::operation::{Command, Operation, OperationId, OperationView};
use domain::passkey::Passkey;
use domain::person::{Actor, Person, Role};
use domain::ports::{
    AccountHistory, AuditChain, Backups, CalendarLink, ChainStanding, Clock, HandOffs,
    IdentityProvider, Ids, Mail, Observations, Opener, Operations, Proofs, Scans, StartError,
    StateFolder, StoreError, Verified,
};
use domain::proposal::Proposal;
use domain::report::Facts;
use domain::review::{Agreed, OfficeHours, Review};
use domain::scan::{Login, Scan};
use domain::second_factor::SetUp;
use domain::session::SessionLimits;
use domain::survey::Survey;
use domain::time::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::fake_identity::FakeProvider;
use crate::fake_keys::FakeKeys;
use crate::fake_reports::checkpoint;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// Everybody's present password.
pub(crate) const PASSWORD: &str = "present-password-44";

/// Everything the fakes tell, and everything they were asked to do.
pub(crate) struct World {
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) observation: Option<Arc<Observation>>,
    pub(crate) strips: Arc<Vec<Strip>>,
    pub(crate) incidents: Arc<Vec<Incident>>,
    pub(crate) holder: Option<Operation>,
    pub(crate) views: Vec<OperationView>,
    pub(crate) scan: Option<Scan>,
    pub(crate) folder_fault: Option<Fault>,
    pub(crate) keys: FakeKeys,
    /// Whether a second person has to agree, and who waits for one.
    pub(crate) second_person: bool,
    pub(crate) proposal: Option<Proposal>,
    pub(crate) hand_offs: Vec<HandOff>,
    pub(crate) account_changes: Vec<AccountChange>,
    pub(crate) recipient: Option<String>,
    pub(crate) backups: Result<Vec<Backup>, Fault>,
    pub(crate) logs: Result<Vec<LogLine>, Fault>,
    pub(crate) comparison: Result<Comparison, Fault>,
    pub(crate) people: Vec<Person>,
    /// Tokens of programs.
    pub(crate) tokens: Vec<ApiToken>,
    /// What the one-time link is for.
    pub(crate) invitation: Option<Invitation>,
    /// The set-up of a second factor that was begun.
    pub(crate) set_up: Option<SetUp>,
    pub(crate) passkeys: Vec<Passkey>,
    pub(crate) passkeys_possible: bool,
    /// What the identity provider is called, where there is one.
    pub(crate) provider: Option<&'static str>,
    /// Who of it somebody is, and whether they have a password.
    pub(crate) proofs: Proofs,
    /// Where mail about one's own account goes.
    pub(crate) mailbox: Option<OwnMailbox>,
    pub(crate) saved_views: Vec<SavedView>,
    /// Who must have one.
    pub(crate) second_factor_for: BTreeSet<Role>,
    pub(crate) audit: Vec<AuditEvent>,
    pub(crate) reviews: Vec<Review>,
    pub(crate) agreed: Agreed,
    /// What takes the database too long to say.
    pub(crate) unsaid: Option<&'static str>,
    pub(crate) down_since: Option<Timestamp>,
    pub(crate) new_addresses: Vec<i64>,
    pub(crate) searched_to: Option<i64>,
    pub(crate) office_hours: Option<Arc<OfficeHours>>,
    pub(crate) chain: ChainStanding,
    pub(crate) facts: Facts,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) rotations: Vec<Rotation>,
    pub(crate) reminders: Vec<Reminder>,
    pub(crate) calendar_link: Option<CalendarLink>,
    pub(crate) database_away: bool,
    pub(crate) done: Mutex<Vec<String>>,
    pub(crate) written: Mutex<Vec<NewAuditEvent>>,
}

impl World {
    pub(crate) fn note(&self, done: String) {
        self.done.lock().unwrap().push(done);
    }

    pub(crate) fn done(&self) -> Vec<String> {
        self.done.lock().unwrap().clone()
    }

    pub(crate) fn store<T>(&self, of: T) -> Result<T, StoreError> {
        if self.database_away {
            Err(away())
        } else {
            Ok(of)
        }
    }
}

pub(crate) fn away() -> StoreError {
    let source = std::io::Error::other("secret detail of the database");
    StoreError {
        doing: "being asked by a test",
        source: Box::new(source),
    }
}

pub(crate) struct Fake(pub(crate) Arc<World>);

#[async_trait]
impl Observations for Fake {
    fn gateways(&self) -> Vec<Gateway> {
        self.0.gateways.clone()
    }
    fn observation(&self, _: &GatewayId) -> Option<Arc<Observation>> {
        self.0.observation.clone()
    }
    fn strips(&self, _: &GatewayId) -> Arc<Vec<Strip>> {
        self.0.strips.clone()
    }
    fn incidents(&self, _: &GatewayId) -> Arc<Vec<Incident>> {
        self.0.incidents.clone()
    }
    async fn logs(&self, _: &GatewayId, _: u32) -> Result<Vec<LogLine>, Fault> {
        self.0.logs.clone()
    }
}

#[async_trait]
impl Operations for Fake {
    async fn start(
        &self,
        permit: Permit,
        command: Command,
        key: String,
        reason: Option<String>,
    ) -> Result<OperationId, StartError> {
        if let Some(holder) = &self.0.holder {
            let holder = Box::new(holder.clone());
            return Err(StartError::Busy { holder });
        }
        let mut by = permit.actor().name().to_owned();
        if let Some(second) = permit.second() {
            by.push_str(" and ");
            by.push_str(second.name());
        }
        let what = match &command {
            Command::Restore {
                backup,
                ticket,
                replace,
                ..
            } => format!(
                "{} of {backup} with ticket {}, replace {replace}",
                command.title(),
                ticket.as_u128()
            ),
            Command::RotateKey { cause, .. } | Command::RotateDevice { cause, .. } => {
                format!("{} ({cause:?})", command.title())
            }
            _ => command.title(),
        };
        self.0
            .note(format!("{by} started {what} ({key}) because {reason:?}"));
        Ok(OperationId(Uuid::from_u128(9)))
    }
    async fn view(&self, id: OperationId) -> Result<Option<OperationView>, StoreError> {
        let view = self.0.views.iter().find(|view| view.operation.id == id);
        self.0.store(view.cloned())
    }
    fn holder(&self, _: &GatewayId) -> Option<Operation> {
        self.0.holder.clone()
    }
    async fn list(
        &self,
        _: &GatewayId,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        let all = self.0.views.iter().map(|view| view.operation.clone());
        let older = all.filter(|one| before.is_none_or(|before| one.id < before));
        self.0.store(older.take(limit as usize).collect())
    }
    async fn cancel(&self, permit: Permit, id: OperationId) -> Result<bool, StoreError> {
        self.0
            .note(format!("{} cancelled {id}", permit.actor().name()));
        Ok(true)
    }
    async fn skip(&self, permit: Permit, id: OperationId, step: &str) -> Result<bool, StoreError> {
        let by = permit.actor().name().to_owned();
        self.0.note(format!("{by} went on in {id} at {step}"));
        Ok(true)
    }
    async fn abandon(
        &self,
        permit: Permit,
        id: OperationId,
        comment: String,
    ) -> Result<bool, StoreError> {
        self.0.note(format!(
            "{} abandoned {id}: {comment}",
            permit.actor().name()
        ));
        Ok(true)
    }
    async fn compare(&self, _: &GatewayId) -> Result<Comparison, Fault> {
        self.0.comparison.clone()
    }
    async fn usual_durations(
        &self,
        _: &GatewayId,
    ) -> Result<BTreeMap<String, Duration>, StoreError> {
        let usual = [("restart", 31), ("recreate", 33), ("reconnect", 2)];
        let usual = usual.map(|(name, secs)| (name.to_owned(), Duration::from_secs(secs)));
        self.0.store(BTreeMap::from(usual))
    }
}

#[async_trait]
impl AuditChain for Fake {
    async fn standing(&self) -> Result<ChainStanding, StoreError> {
        self.0.store(self.0.chain.clone())
    }
    async fn verify(&self, permit: Permit) -> Result<Verified, StoreError> {
        self.0.note(format!("verify by {}", permit.actor().name()));
        let goes_on = self.0.chain.checking_since.is_some();
        let last = self.0.chain.last.clone().filter(|_| !goes_on);
        self.0.store(last.map_or(Verified::GoesOn, Verified::Done))
    }
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.0.store(checkpoint())
    }
    async fn archived(&self) -> Result<Option<Archive>, StoreError> {
        self.0.store(self.0.chain.archived.clone())
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Ids for Counting {
    fn next(&self) -> Uuid {
        Uuid::from_u128(self.0.fetch_add(1, Ordering::Relaxed).into())
    }
}

pub(crate) fn no_docker() -> Fault {
    Fault::new(
        FaultKind::Unreachable,
        Boundary::Docker,
        "Docker does not answer.",
    )
}

#[async_trait]
impl Backups for Fake {
    async fn recipient(&self) -> Result<Option<String>, Fault> {
        match &self.0.backups {
            Ok(_) => Ok(self.0.recipient.clone()),
            Err(fault) => Err(fault.clone()),
        }
    }

    fn new_key(&self) -> NewKey {
        NewKey {
            recipient: "age1fake".to_owned(),
            secret: SecretString::from("AGE-SECRET-KEY-1FAKE"),
        }
    }

    async fn adopt_key(&self, permit: Permit, recipient: &str, _: Adopt) -> Result<(), Fault> {
        if self.0.recipient.is_some() {
            let why = "There is a key already.";
            return Err(Fault::new(FaultKind::Refused, Boundary::Panel, why));
        }
        self.0
            .note(format!("{} adopts {recipient}", permit.actor().name()));
        Ok(())
    }

    async fn archive(&self, _: &GatewayId, _: OperationId) -> Result<String, Fault> {
        unreachable!("pages only look")
    }

    async fn keep(&self, _: &GatewayId, _: OperationId, _: Timestamp) -> Result<Backup, Fault> {
        unreachable!("pages only look")
    }

    async fn keep_folder(
        &self,
        _: &GatewayId,
        _: OperationId,
        _: Timestamp,
    ) -> Result<Backup, Fault> {
        unreachable!("pages only look")
    }

    async fn clear(&self, _: &GatewayId, _: OperationId) -> Result<(), Fault> {
        unreachable!("pages only look")
    }

    async fn forget(&self, _: &GatewayId, _: OperationId) -> Result<(), Fault> {
        unreachable!("pages only look")
    }

    async fn list(&self, _: &GatewayId) -> Result<Vec<Backup>, Fault> {
        self.0.backups.clone()
    }

    async fn unlock(
        &self,
        _: &GatewayId,
        _: &AccountId,
        _: &str,
        key: SecretString,
    ) -> Result<Uuid, Fault> {
        if key.expose_secret() != "AGE-SECRET-KEY-1FAKE" {
            let why = "This key does not open this backup.";
            return Err(Fault::new(FaultKind::Refused, Boundary::Panel, why));
        }
        Ok(Uuid::from_u128(77))
    }

    async fn bring(
        &self,
        _: &GatewayId,
        _: &AccountId,
        _: OperationId,
        _: Uuid,
    ) -> Result<Option<String>, Fault> {
        unreachable!("pages only look")
    }

    async fn read(&self, _: &GatewayId, _: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(None)
    }
}

#[async_trait]
impl StateFolder for Fake {
    async fn survey(&self, _: &GatewayId) -> Result<Survey, Fault> {
        if let Some(fault) = &self.0.folder_fault {
            return Err(fault.clone());
        }
        Ok(Survey {
            folder: "/home/node/.openclaw".to_owned(),
            volume: "volume openclaw_session_data".to_owned(),
            bytes: 84_300_000,
            config: true,
            links: vec!["default".to_owned(), "work".to_owned()],
            devices: 2,
            agents: vec!["main".to_owned()],
            workspaces: vec!["workspace".to_owned()],
            plugins: vec!["@openclaw/whatsapp".to_owned()],
        })
    }

    async fn set_aside(&self, _: &GatewayId, _: OperationId) -> Result<(), Fault> {
        unreachable!("pages only look")
    }

    async fn bring(&self, _: &GatewayId, _: OperationId) -> Result<(), Fault> {
        unreachable!("pages only look")
    }

    async fn put_back(&self, _: &GatewayId, _: OperationId) -> Result<(), Fault> {
        unreachable!("pages only look")
    }

    async fn clear(&self, _: &GatewayId, _: OperationId) -> Result<(), Fault> {
        unreachable!("pages only look")
    }
}

#[async_trait]
impl AccountHistory for Fake {
    async fn changes(
        &self,
        _: &GatewayId,
        _: &AccountId,
        _: u32,
    ) -> Result<Vec<AccountChange>, StoreError> {
        self.0.store(self.0.account_changes.clone())
    }
    async fn drops(&self, _: &GatewayId, _: &AccountId) -> Result<Drops, StoreError> {
        self.0.store(Drops {
            lately: 3,
            before: 1,
        })
    }
}

#[async_trait]
impl Mail for Fake {
    async fn send(&self, to: &str, _: &str, text: &str) -> Result<(), Fault> {
        if to != "otto@example.org" {
            let why = "That is no mail address.";
            return Err(Fault::new(FaultKind::Invalid, Boundary::Panel, why));
        }
        let link = text
            .split_whitespace()
            .find(|word| word.starts_with("https://"));
        self.0.note(format!("mailed {} to {to}", link.unwrap()));
        Ok(())
    }
}

#[async_trait]
impl HandOffs for Fake {
    async fn make(
        &self,
        permit: Permit,
        operation: OperationId,
    ) -> Result<(HandOff, SecretString), StoreError> {
        self.0
            .note(format!("{} hands off {operation}", permit.actor().name()));
        let made = hand_off(permit.actor().clone(), operation);
        self.0.store((made, SecretString::from("token-44")))
    }
    async fn find(&self, token: &str) -> Result<Option<HandOff>, StoreError> {
        let mut known = self.0.hand_offs.iter().filter(|_| token == "token-44");
        self.0.store(known.next().cloned())
    }
    async fn open(
        &self,
        _: &str,
        _: Opener,
    ) -> Result<Option<(HandOff, SecretString)>, StoreError> {
        unreachable!("the server opens links")
    }
    async fn of_device(&self, _: &str) -> Result<Option<HandOff>, StoreError> {
        unreachable!("the server knows devices")
    }
    async fn revoke(&self, _: Permit, _: OperationId, id: Uuid) -> Result<bool, StoreError> {
        self.0.note(format!("took back {id}"));
        self.0.store(true)
    }
    async fn list(&self, _: OperationId) -> Result<Vec<HandOff>, StoreError> {
        self.0.store(self.0.hand_offs.clone())
    }
}

pub(crate) fn hand_off(made_by: Actor, operation: OperationId) -> HandOff {
    HandOff {
        id: Uuid::from_u128(5),
        operation,
        made_by,
        made_at: NOW,
        expires_at: NOW.plus(OPENS_WITHIN),
        opened: None,
        revoked_at: None,
    }
}

impl Scans for Fake {
    fn note_login(&self, _: &GatewayId, _: &AccountId, _: Option<Login>) {
        unreachable!("pages only look")
    }

    fn login(&self, _: &GatewayId, _: &AccountId) -> Option<Login> {
        None
    }

    fn show(&self, _: OperationId, _: Option<Scan>) {
        unreachable!("pages only look")
    }

    fn of(&self, _: OperationId) -> Option<Scan> {
        self.0.scan.clone()
    }
}

pub(crate) fn panel(world: &Arc<World>) -> Panel {
    let fake = || Arc::new(Fake(world.clone()));
    Panel {
        observations: fake(),
        operations: fake(),
        audit: fake(),
        chain: fake(),
        trail: fake(),
        reports: fake(),
        reviews: fake(),
        review_policy: Arc::default(),
        office_hours: world.office_hours.clone(),
        people: fake(),
        sessions: fake(),
        tokens: fake(),
        new_tokens: Arc::default(),
        invitations: fake(),
        second_factors: fake(),
        passkeys: fake(),
        provider: world
            .provider
            .map(|name| -> Arc<dyn IdentityProvider> { Arc::new(FakeProvider(name)) }),
        identities: fake(),
        mailboxes: fake(),
        views: fake(),
        second_factor_for: Arc::new(world.second_factor_for.clone()),
        session_limits: SessionLimits::default(),
        factor_codes: Arc::default(),
        clock: Arc::new(Still),
        ids: Arc::new(Counting::default()),
        site: Arc::new(SiteFiles {
            css: "panel-1.css".to_owned(),
            boot: Some("boot-1.js".to_owned()),
            module: None,
            wasm: None,
            icon: None,
            touch_icon: None,
            manifest: None,
        }),
        rendered: Arc::default(),
        reveals: Arc::default(),
        backups: fake(),
        folder: fake(),
        backup_keys: Arc::default(),
        keys: fake(),
        rotations: fake(),
        new_keys: Arc::default(),
        proposals: fake(),
        second_person: Arc::new(
            world
                .gateways
                .iter()
                .filter(|_| world.second_person)
                .map(|gateway| gateway.id.clone())
                .collect(),
        ),
        secrets: fake(),
        rotation_log: fake(),
        scans: fake(),
        viewings: Arc::default(),
        account_history: fake(),
        hand_offs: fake(),
        mail: Some(fake()),
        hand_off_links: Arc::default(),
        register: fake(),
        reminders: fake(),
        calendars: fake(),
        calendar_links: Arc::default(),
        public_url: "https://panel.example".into(),
    }
}
