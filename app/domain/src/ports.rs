//! What the inner layers need from the outside, as object-safe traits. Adapters implement them; tests
//! have fakes that keep the same contract.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use crate::account_history::{AccountChange, Drops, Standing};
use crate::audit::{AuditEvent, NewAuditEvent};
use crate::backup::{Adopt, Backup, NewKey};
use crate::can::Permit;
use crate::compare::Comparison;
use crate::fact::{Account, Container};
use crate::fault::Fault;
use crate::gateway::{AccountId, Gateway, GatewayId};
use crate::hand_off::HandOff;
use crate::history::{Incident, Sample, Strip, Transition};
use crate::logs::LogLine;
use crate::observation::Observation;
use crate::operation::{Command, Event, Operation, OperationId, OperationView, Outcome, Recorded};
use crate::person::{Actor, Person, Role};
use crate::scan::{Code, Scan};
use crate::time::Timestamp;

/// The only source of the present time.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;
}

/// The only source of identifiers.
pub trait Ids: Send + Sync {
    /// A new version 7 UUID.
    fn next(&self) -> Uuid;
}

// ---------------------------------------------------------------------------------------------------
// The outside world of operations
// ---------------------------------------------------------------------------------------------------

/// Docker, as operations need it. Every call tolerates being made twice: “already so” is success.
#[async_trait]
pub trait Containers: Send + Sync {
    /// The gateway's container by its compose name; `None` when there is none. Fresh from Docker.
    async fn current(&self, gateway: &GatewayId) -> Result<Option<Container>, Fault>;
    /// A container by name or id; `None` when there is none.
    async fn find(&self, gateway: &GatewayId, name_or_id: &str)
    -> Result<Option<Container>, Fault>;
    /// Reads the compose folder and compares it with the container that runs. Changes nothing.
    async fn compare(&self, gateway: &GatewayId) -> Result<Comparison, Fault>;
    /// Creates the container that the compose folder asks for, under its compose name, with missing
    /// networks and volumes, labelled `panel.operation=<operation>`. When one with that label exists
    /// it is returned instead. Fails `Invalid` when the folder's fingerprint is not `fingerprint`.
    async fn create(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        fingerprint: &str,
    ) -> Result<String, Fault>;
    /// Starts it; already running is success.
    async fn start(&self, gateway: &GatewayId, id: &str) -> Result<(), Fault>;
    /// Stops it with `grace` before the kill; a frozen one is woken first; already stopped is success.
    async fn stop(&self, gateway: &GatewayId, id: &str, grace: Duration) -> Result<(), Fault>;
    /// Restarts it with `grace`; a frozen one is woken first.
    async fn restart(&self, gateway: &GatewayId, id: &str, grace: Duration) -> Result<(), Fault>;
    /// Renames it; already so named is success.
    async fn rename(&self, gateway: &GatewayId, id: &str, name: &str) -> Result<(), Fault>;
    /// Removes a stopped container, never its named volumes; already gone is success.
    async fn remove(&self, gateway: &GatewayId, id: &str) -> Result<(), Fault>;
    /// The last lines of its output, scrubbed, oldest first.
    async fn logs(&self, gateway: &GatewayId, id: &str, lines: u32) -> Result<Vec<LogLine>, Fault>;
}

/// What the gateway's process says when asked now.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Readiness {
    /// `/healthz` said `{"ok":true}`.
    pub live: bool,
    /// `/readyz` said `{"ready":true}`.
    pub ready: bool,
    /// What is failing, when told.
    pub failing: Vec<String>,
}

/// What this gateway's version offers on its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Abilities {
    /// `channels.start` and `channels.stop`.
    pub reconnect: bool,
    /// A way to ask the gateway to drain before a stop.
    pub suspend: bool,
    /// `web.login.start` and `web.login.wait`.
    pub scan: bool,
}

/// How the gateway answered `channels.start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelOutcome {
    /// The gateway's own word: `handed-off`, `retry`, `skipped`, …
    pub word: String,
    /// Whether the account is being started.
    pub started: bool,
    /// What it means, in one sentence.
    pub explanation: String,
}

/// How the gateway answered `web.login.start` or `web.login.wait`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginAnswer {
    /// A code to be scanned, when there is a new one.
    pub code: Option<Code>,
    /// Whether the link is made and the account is being connected.
    pub connected: bool,
    /// The gateway's own words. Failures have nothing else: no code and no error tell them apart.
    pub message: String,
}

/// The gateway, as operations need it. Every answer is fresh.
#[async_trait]
pub trait GatewayControl: Send + Sync {
    /// Asks `/healthz` and `/readyz`. A gateway that does not answer is `live: false`, not a fault.
    async fn readiness(&self, gateway: &GatewayId) -> Result<Readiness, Fault>;
    /// The WhatsApp accounts; `None` when there is no WhatsApp channel (plugin missing).
    async fn accounts(&self, gateway: &GatewayId) -> Result<Option<Vec<Account>>, Fault>;
    /// What this version offers.
    async fn abilities(&self, gateway: &GatewayId) -> Result<Abilities, Fault>;
    /// Asks the gateway to take no new work and finish what it has; answers when drained or after
    /// `limit`, with a sentence about what was still busy.
    async fn suspend(&self, gateway: &GatewayId, limit: Duration) -> Result<Option<String>, Fault>;
    /// Takes a suspension back; none is success.
    async fn resume(&self, gateway: &GatewayId) -> Result<(), Fault>;
    /// Stops one account, keeping its link.
    async fn stop_account(&self, gateway: &GatewayId, account: &AccountId) -> Result<(), Fault>;
    /// Starts one account.
    async fn start_account(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
    ) -> Result<ChannelOutcome, Fault>;
    /// Clears one account's link in the gateway. WhatsApp is not told.
    async fn log_out(&self, gateway: &GatewayId, account: &AccountId) -> Result<(), Fault>;
    /// Asks for a code, without replacing a link that works. One login at a time for an account: two
    /// starts in the same instant both fail, so callers hold the gateway's lock. While one is active its
    /// code comes again.
    async fn start_login(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
    ) -> Result<LoginAnswer, Fault>;
    /// Waits for what becomes of a login: a newer code than `shown`, the link, a failure, or nothing new
    /// within `limit` (one second at least).
    async fn await_login(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        shown: Option<&Code>,
        limit: Duration,
    ) -> Result<LoginAnswer, Fault>;
}

/// Where an operation shows a code to those who look at it; in memory only.
pub trait Scans: Send + Sync {
    /// Shows how far it is; `None` when nothing is to be scanned any more.
    fn show(&self, operation: OperationId, scan: Option<Scan>);
    /// How far it is.
    fn of(&self, operation: OperationId) -> Option<Scan>;
}

/// Encrypted copies of a gateway's state on the panel's host. Every call of an operation tolerates being made twice.
#[async_trait]
pub trait Backups: Send + Sync {
    /// To whom backups are encrypted, as `age1…`; `None` when there is no key yet.
    async fn recipient(&self) -> Result<Option<String>, Fault>;
    /// Makes a key. Nothing is encrypted to it before [`Backups::adopt_key`], so that the other half can be
    /// put away first.
    fn new_key(&self) -> NewKey;
    /// Encrypts to a key from now on; audited. Fails `Refused` when there is one and this is to be the first.
    async fn adopt_key(&self, permit: Permit, recipient: &str, adopt: Adopt) -> Result<(), Fault>;
    /// Has the gateway write an archive of its state inside its container and verify it, in a way that is
    /// safe while it runs. Returns what it holds, in a sentence.
    async fn archive(&self, gateway: &GatewayId, operation: OperationId) -> Result<String, Fault>;
    /// Takes that archive out of the container, encrypts it on the way and keeps it; older ones beyond their
    /// time are removed.
    async fn keep(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        begun: Timestamp,
    ) -> Result<Backup, Fault>;
    /// Removes that archive from the container; none is success, and so is a container that does not run.
    async fn clear(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
    /// Removes what [`Backups::keep`] kept for this operation; nothing is success.
    async fn forget(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
    /// What is kept of a gateway, newest first.
    async fn list(&self, gateway: &GatewayId) -> Result<Vec<Backup>, Fault>;
    /// Opens one with the key's other half, takes an account's link out of it, and keeps the link in memory for
    /// an operation that begins within ten minutes; never longer than the panel runs. The ticket is for
    /// [`Backups::bring`]. Fails `NotFound` when there is no such backup, `NotOffered` when it holds no such link,
    /// `Invalid` or `Refused` when the key does not open it.
    async fn unlock(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        name: &str,
        identity: SecretString,
    ) -> Result<Uuid, Fault>;
    /// Lays the link that `ticket` unlocked beside the gateway's own files, not yet in use, see
    /// [`LinkFiles::place`]. The last digits of its number, when it says so.
    async fn bring(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
        ticket: Uuid,
    ) -> Result<Option<String>, Fault>;
    /// One of them as it lies there, encrypted; `None` when there is none of that name.
    async fn read(&self, gateway: &GatewayId, name: &str) -> Result<Option<Vec<u8>>, Fault>;
}

/// The files in which a gateway keeps the link of an account. They are moved within its state folder and
/// never leave it; the account must be stopped. Every call tolerates being made twice.
#[async_trait]
pub trait LinkFiles: Send + Sync {
    /// Moves the present link aside, so that there is none; that there was none is remembered, too.
    async fn set_aside(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
    ) -> Result<(), Fault>;
    /// Puts the link that was brought in the place of the present one.
    async fn place(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
    ) -> Result<(), Fault>;
    /// Puts back what was set aside; nothing set aside is success.
    async fn put_back(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
    ) -> Result<(), Fault>;
    /// Removes what the operation laid beside; nothing is success, and so is a container that does not run.
    async fn clear(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
}

/// One-time links for another screen. Tokens and device secrets are known to their holders alone: only their
/// hashes are kept.
#[async_trait]
pub trait HandOffs: Send + Sync {
    /// Makes a link for an operation, audited in the same transaction; the token is returned once.
    async fn make(
        &self,
        permit: Permit,
        operation: OperationId,
    ) -> Result<(HandOff, SecretString), StoreError>;
    /// The link of a token; `None` for a token that nobody made.
    async fn find(&self, token: &str) -> Result<Option<HandOff>, StoreError>;
    /// Opens the link of a token for one device, audited either way. The secret by which that device is known
    /// from then on; `None` when the link cannot be opened (any more).
    async fn open(
        &self,
        token: &str,
        from: Opener,
    ) -> Result<Option<(HandOff, SecretString)>, StoreError>;
    /// The link that a device has opened; `None` for an unknown device.
    async fn of_device(&self, secret: &str) -> Result<Option<HandOff>, StoreError>;
    /// Takes a link back, audited. `false` when it was taken back before, or is none of this operation.
    async fn revoke(
        &self,
        permit: Permit,
        operation: OperationId,
        id: Uuid,
    ) -> Result<bool, StoreError>;
    /// The links of an operation, newest first.
    async fn list(&self, operation: OperationId) -> Result<Vec<HandOff>, StoreError>;
}

/// Who opens a link, as far as that can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opener {
    /// Their address, behind trusted proxies.
    pub address: String,
    /// Their browser: `Firefox on Android`.
    pub browser: Option<String>,
}

// ---------------------------------------------------------------------------------------------------
// The journal
// ---------------------------------------------------------------------------------------------------

/// Why an operation was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another operation holds the gateway.
    #[error("{} by {} is running since {}", .holder.command.title(), .holder.asked_by.name(), .holder.created_at)]
    Busy {
        /// It.
        holder: Box<Operation>,
    },
    /// The permit was for something else: a programming error, refused all the same.
    #[error("the permission does not fit the command")]
    NotPermitted,
    /// There is no such gateway.
    #[error("there is no gateway `{0}`")]
    UnknownGateway(GatewayId),
    /// The panel is shutting down.
    #[error("the panel is shutting down; try again in a moment")]
    ShuttingDown,
    /// It cannot be done as things stand.
    #[error("{0}")]
    Refused(Fault),
    /// The database failed: nothing was done.
    #[error("the panel's database does not answer, so nothing was done")]
    Database(#[source] StoreError),
}

/// The database failed. The chain is for logs; people see a sentence.
#[derive(Debug, thiserror::Error)]
#[error("the panel's database failed while {doing}")]
pub struct StoreError {
    /// What was tried: `reading an operation`.
    pub doing: &'static str,
    /// The cause.
    #[source]
    pub source: Box<dyn core::error::Error + Send + Sync>,
}

/// A new operation, before it is stored.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// Its row.
    pub operation: Operation,
    /// Tells a repeated form apart from a second wish: the same actor and key give the same operation.
    pub idempotency_key: String,
}

/// What became of [`Journal::begin`].
#[derive(Clone, Debug)]
pub enum Begun {
    /// Stored, and the lock is held.
    New(Operation),
    /// The same actor sent the same key before: this is the operation of then.
    Same(Operation),
    /// Another one holds the gateway.
    Busy(Operation),
}

/// Where operations are kept. Every write carries the runner's generation; a write of an older one is
/// refused with [`Fenced`].
#[async_trait]
pub trait Journal: Send + Sync {
    /// In ONE transaction: audit event “requested”, the row, the gateway's lock (a unique index), a
    /// notification, and ownership by `runner`.
    async fn begin(&self, new: NewOperation, runner: Uuid) -> Result<Begun, StoreError>;
    /// Operations that have not ended, whoever runs them.
    async fn open(&self) -> Result<Vec<Operation>, StoreError>;
    /// Takes over an operation whose runner has not been heard of for `silent_for`; the new generation,
    /// or `None` when its runner lives. One that `runner` itself owns counts as silent once it is older
    /// than that: nobody asks for what it runs, so the answer to its begin was lost on the way.
    async fn adopt(
        &self,
        id: OperationId,
        runner: Uuid,
        silent_for: Duration,
    ) -> Result<Option<i32>, StoreError>;
    /// Says that `runner` lives.
    async fn heartbeat(&self, runner: Uuid) -> Result<(), StoreError>;
    /// Appends an entry and notifies. `Ok(Err(Fenced))` when the generation is not the present one.
    async fn append(
        &self,
        id: OperationId,
        generation: i32,
        event: Event,
    ) -> Result<Result<Recorded, Fenced>, StoreError>;
    /// In one transaction: the entry [`Event::Ended`], the row's outcome, the freed lock and the
    /// closing audit event.
    async fn end(
        &self,
        id: OperationId,
        generation: i32,
        outcome: Outcome,
    ) -> Result<Result<(), Fenced>, StoreError>;
    /// The operation's row.
    async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError>;
    /// Its journal from after `after` (0: all), oldest first.
    async fn events(&self, id: OperationId, after: i64) -> Result<Vec<Recorded>, StoreError>;
    /// The latest operations of a gateway, newest first, before `before` when given.
    async fn list(
        &self,
        gateway: &GatewayId,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError>;
    /// Durably notes that somebody asked to stop (with its audit event), whichever panel runs it.
    /// `false` when it has ended.
    async fn ask_cancel(&self, id: OperationId, by: &Actor) -> Result<bool, StoreError>;
    /// Durably notes that somebody asked to go on without waiting for a step (with its audit event),
    /// whichever panel runs it. `false` when the operation has ended.
    async fn ask_skip(&self, id: OperationId, step: &str, by: &Actor) -> Result<bool, StoreError>;
    /// Frees a stuck operation's gateway (with its audit event). `false` when it is not stuck.
    async fn abandon(&self, id: OperationId, by: &Actor, comment: &str)
    -> Result<bool, StoreError>;
    /// Median duration of the last successful operations of this name on this gateway.
    async fn usual_duration(
        &self,
        gateway: &GatewayId,
        name: &str,
    ) -> Result<Option<Duration>, StoreError>;
}

/// Another runner has taken the operation over: stop at once, write nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fenced;

// ---------------------------------------------------------------------------------------------------
// What pages see
// ---------------------------------------------------------------------------------------------------

/// Operations, as pages and the command line use them.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Starts one. The permit must be for exactly this command.
    async fn start(
        &self,
        permit: Permit,
        command: Command,
        idempotency_key: String,
        reason: Option<String>,
    ) -> Result<OperationId, StartError>;
    /// One, with its steps.
    async fn view(&self, id: OperationId) -> Result<Option<OperationView>, StoreError>;
    /// The one that holds the gateway's lock, from memory.
    fn holder(&self, gateway: &GatewayId) -> Option<Operation>;
    /// The latest of a gateway, newest first.
    async fn list(
        &self,
        gateway: &GatewayId,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError>;
    /// Asks one to stop and put back. `false` when it has ended.
    async fn cancel(&self, permit: Permit, id: OperationId) -> Result<bool, StoreError>;
    /// Asks one to go on without waiting for a step; the permit is the one for stopping it. `false` when
    /// it has ended.
    async fn skip(&self, permit: Permit, id: OperationId, step: &str) -> Result<bool, StoreError>;
    /// Frees a stuck one's gateway.
    async fn abandon(
        &self,
        permit: Permit,
        id: OperationId,
        comment: String,
    ) -> Result<bool, StoreError>;
    /// What a recreate would change, read now.
    async fn compare(&self, gateway: &GatewayId) -> Result<Comparison, Fault>;
    /// How long operations usually take, by name.
    async fn usual_durations(
        &self,
        gateway: &GatewayId,
    ) -> Result<BTreeMap<String, Duration>, StoreError>;
}

/// What is known of the gateways, from memory: never waits for Docker or a gateway.
#[async_trait]
pub trait Observations: Send + Sync {
    /// Every gateway, in the order of the configuration.
    fn gateways(&self) -> Vec<Gateway>;
    /// The present knowledge of one.
    fn observation(&self, gateway: &GatewayId) -> Option<Arc<Observation>>;
    /// The strips of the last 24 hours, from memory.
    fn strips(&self, gateway: &GatewayId) -> Arc<Vec<Strip>>;
    /// The incidents of the last 24 hours, newest first, from memory.
    fn incidents(&self, gateway: &GatewayId) -> Arc<Vec<Incident>>;
    /// The last lines of the gateway's log, scrubbed, from Docker.
    async fn logs(&self, gateway: &GatewayId, lines: u32) -> Result<Vec<LogLine>, Fault>;
}

/// Where transitions and samples are kept.
#[async_trait]
pub trait History: Send + Sync {
    /// Stores a transition; fills in the operation that holds the gateway's lock then.
    async fn record_transition(&self, transition: &Transition) -> Result<(), StoreError>;
    /// Stores samples in one go.
    async fn record_samples(&self, samples: &[Sample]) -> Result<(), StoreError>;
    /// Transitions since `from`, oldest first, with the last one before it for each fact.
    async fn transitions(
        &self,
        gateway: &GatewayId,
        from: Timestamp,
    ) -> Result<Vec<Transition>, StoreError>;
    /// Spans since `from` in which no sample of the fact was stored for more than ten minutes.
    async fn unobserved(
        &self,
        gateway: &GatewayId,
        from: Timestamp,
    ) -> Result<Vec<(Timestamp, Timestamp)>, StoreError>;
    /// Stores a change of an account; fills in the operation that holds the gateway's lock then.
    async fn record_account_change(&self, change: &AccountChange) -> Result<(), StoreError>;
    /// How each account was last known to stand.
    async fn account_standings(
        &self,
        gateway: &GatewayId,
    ) -> Result<BTreeMap<AccountId, Standing>, StoreError>;
    /// Rolls samples up: raw 48 h → minutes 30 days → hours 2 years; deletes what is older.
    async fn roll_up(&self, now: Timestamp) -> Result<(), StoreError>;
}

/// What became of accounts, for pages.
#[async_trait]
pub trait AccountHistory: Send + Sync {
    /// The latest changes of an account, newest first.
    async fn changes(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        limit: u32,
    ) -> Result<Vec<AccountChange>, StoreError>;
    /// How often it dropped unplanned.
    async fn drops(&self, gateway: &GatewayId, account: &AccountId) -> Result<Drops, StoreError>;
}

/// The audit trail.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Writes an event; when this fails the act must not be done.
    async fn record(&self, event: NewAuditEvent) -> Result<AuditEvent, StoreError>;
    /// The latest events, newest first, before `before` when given.
    async fn list(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEvent>, StoreError>;
}

/// Result of a sign-in.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// Name and password fit.
    Welcome(Person),
    /// They do not, or the person is kept out. The same answer and time for all.
    Refused,
    /// Too many tries: wait until then.
    Throttled {
        /// When to try again.
        until: Timestamp,
    },
}

/// Why a change to a person was refused; sentences for the field where it was typed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The name is taken.
    #[error("There is already somebody called `{0}`. Choose another name.")]
    NameTaken(String),
    /// The name cannot be used.
    #[error("Use 2 to 40 letters, digits, `.`, `-` or `_` for the name.")]
    BadName,
    /// The password is too short.
    #[error("Use at least 12 characters for the password.")]
    PasswordTooShort,
    /// The old password is wrong.
    #[error("The present password is not right.")]
    WrongPassword,
    /// The old password was guessed at.
    #[error("Too many tries. Wait {}, then try again.", crate::words::duration(*.wait))]
    TooManyTries {
        /// How long.
        wait: Duration,
    },
    /// The last admin cannot be disabled or demoted.
    #[error("This is the last admin. Make somebody else admin first.")]
    LastAdmin,
    /// There is no such person.
    #[error("There is nobody of that name.")]
    Unknown,
    /// The permit was for something else: a programming error, refused all the same.
    #[error("The permission does not fit.")]
    NotPermitted,
    /// The database failed.
    #[error("The panel's database does not answer, so nothing was changed.")]
    Database(#[from] StoreError),
}

/// People and their passwords. Every change writes its audit event in the same transaction.
#[async_trait]
pub trait People: Send + Sync {
    /// Checks name and password, with throttling per name and per address; audited either way.
    async fn sign_in(
        &self,
        name: &str,
        password: SecretString,
        address: Option<String>,
        browser: Option<String>,
    ) -> Result<SignIn, StoreError>;
    /// Everybody, by name.
    async fn list(&self) -> Result<Vec<Person>, StoreError>;
    /// One person by id.
    async fn find(&self, id: Uuid) -> Result<Option<Person>, StoreError>;
    /// Notes that somebody was here, to the minute.
    async fn note_seen(&self, id: Uuid) -> Result<(), StoreError>;
    /// Adds a person; the one-time password is returned once.
    async fn add(
        &self,
        permit: Permit,
        name: &str,
        role: Role,
    ) -> Result<(Person, SecretString), PeopleError>;
    /// Keeps a person out (and ends their sessions) or lets them in again.
    async fn set_disabled(
        &self,
        permit: Permit,
        id: Uuid,
        disabled: Disabled,
    ) -> Result<(), PeopleError>;
    /// Gives a new one-time password and ends their sessions.
    async fn reset_password(&self, permit: Permit, id: Uuid) -> Result<SecretString, PeopleError>;
    /// Changes a role; takes effect on open sessions at once.
    async fn set_role(&self, permit: Permit, id: Uuid, role: Role) -> Result<(), PeopleError>;
    /// Checks the password of whoever is signed in, throttled like a sign-in and audited either way; the
    /// person as they now are.
    async fn confirm(&self, actor: &Actor, password: SecretString) -> Result<Person, PeopleError>;
    /// Changes one's own password, which ends every session; the person as they now are, so that the
    /// caller's own session can go on.
    async fn change_password(
        &self,
        actor: &Actor,
        old: SecretString,
        new: SecretString,
    ) -> Result<Person, PeopleError>;
}

/// Whether a person is kept out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disabled {
    /// Kept out.
    Yes,
    /// Let in.
    No,
}
