//! A little model of Docker and one gateway: names, running, live after 20 s, ready after 30 s, accounts
//! after 33 s, the owner lease, crashes; with faults on chosen calls and a crash of the panel at any.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::compare::{Comparison, Difference};
use domain::fact::{Account, Container, ContainerState, Disconnect, Health};
use domain::fault::Fault;
use domain::operation::OperationId;
use domain::ports::{Abilities, Clock};
use domain::scan::{Login, Scan};
use domain::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::plugins::FakePlugin;
use super::{FakeClock, FakeDevices, FakeKeys};

/// A secret that must never get into a journal.
pub const CANARY: &str = "canary-7f3a91c2-secret";
/// The compose name.
pub const NAME: &str = "openclaw-openclaw-gateway-1";
const LIVE: Duration = Duration::from_secs(20);
const READY: Duration = Duration::from_secs(30);
const CONNECTED: Duration = Duration::from_secs(33);

/// What becomes of a container when it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Live, ready, connected.
    Healthy,
    /// Live, never ready.
    NeverReady,
    /// Runs and never answers; Docker's health check says so after a while.
    Mute {
        /// After how long.
        unhealthy_after: Duration,
    },
    /// Ends after a while with this code.
    Crashes {
        /// After how long.
        after: Duration,
        /// With which code.
        code: i64,
    },
    /// Does not stop when asked: killed when the grace is over.
    Stubborn,
    /// Its start gives up again and again for this long, as on a starved machine; Docker starts it again.
    Starved {
        /// For how long.
        during: Duration,
    },
}

/// What becomes of a code that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phone {
    /// The second one is scanned, and the account connects.
    Scans,
    /// Nobody scans.
    Away,
    /// It is scanned, the link is made, but WhatsApp does not let the account in.
    Stalls,
    /// It is scanned, and WhatsApp does not finish the link; the gateway goes on waiting.
    Hangs,
    /// As [`Phone::Hangs`], and WhatsApp does not let the account in with what the scan left.
    Passkey,
    /// It is scanned, and WhatsApp does not let the device in; the next scan goes well.
    Refused,
    /// The gateway cannot reach WhatsApp.
    Unreachable,
}

/// What brings an account back that does not connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// Stopping and starting it.
    Reconnect,
    /// A new process.
    Restart,
    /// A new container.
    Recreate,
    /// A new link.
    NewLink,
    /// Nothing that the panel does.
    Nothing,
}

/// A container.
#[derive(Clone, Debug)]
pub struct Box {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: ContainerState,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// With which code.
    pub exit_code: Option<i64>,
    /// The operation that made it.
    pub operation: Option<OperationId>,
    /// Its host name.
    pub hostname: String,
    /// What becomes of it.
    pub fate: Fate,
    /// Whether its gateway was asked to take no new work.
    pub suspended: bool,
    /// Its state folder is the gateway's own (and not an empty one).
    pub has_state: bool,
    /// The key that it was made with, counted.
    pub key: u32,
}

/// Everything that is.
pub struct Inner {
    /// The containers.
    pub boxes: Vec<Box>,
    /// What the compose folder says.
    pub comparison: Comparison,
    /// What becomes of a new container.
    pub new_fate: Fate,
    /// New containers get the old state folder.
    pub new_has_state: bool,
    /// The accounts as they are when all is well.
    pub accounts: Option<Vec<Account>>,
    /// Accounts that were stopped.
    pub stopped: Vec<String>,
    /// Linked accounts do not connect until this is done.
    pub ails: Option<Cure>,
    /// What the gateway's version offers.
    pub abilities: Abilities,
    /// How many codes the active login has given, three once the second was scanned and hangs; `None` without one.
    pub login: Option<u32>,
    /// What becomes of a code that is shown.
    pub phone: Phone,
    /// The number of the phone that scans; `None`: the one from before.
    pub scans_with: Option<String>,
    /// When the active login began.
    pub login_at: Option<Timestamp>,
    /// When its code was scanned.
    pub scanned_at: Timestamp,
    /// What the panel believes of the active login.
    pub known_login: Option<Login>,
    /// What is shown to be scanned.
    pub shown: Option<Scan>,
    /// Whether there is a key for backups.
    pub backup_key: bool,
    /// The operations whose archive lies in the container.
    pub archives: Vec<OperationId>,
    /// The operations whose backup is kept.
    pub kept: Vec<OperationId>,
    /// The operations that have brought a link from a backup.
    pub brought: Vec<OperationId>,
    /// The account as it was, and what ailed it, once its link was set aside.
    pub aside: Option<(Account, Option<Cure>)>,
    /// The WhatsApp plugin.
    pub plugin: FakePlugin,
    /// The accounts as they were, and what ailed them, once the state folder was emptied.
    pub wiped: Option<(Option<Vec<Account>>, Option<Cure>)>,
    /// The gateway's key.
    pub key: FakeKeys,
    /// The panel's identities.
    pub devices: FakeDevices,
    /// Whether WhatsApp refuses a link from a backup.
    pub refuses_restored: bool,
    /// Faults to come, by call.
    pub faults: Vec<(&'static str, VecDeque<Fault>)>,
    /// Calls so far that change something.
    pub changes: Vec<String>,
    /// Whose host name holds the owner lease, and until when.
    pub lease: Option<(String, Timestamp)>,
    /// Kill the panel in the n-th call that changes something.
    pub crash_in: Option<(usize, CancellationToken)>,
    made: u32,
}

/// The world. Shared by the fakes.
#[derive(Clone)]
pub struct World {
    inner: Arc<Mutex<Inner>>,
    /// Its time.
    pub clock: Arc<FakeClock>,
}

impl World {
    /// A gateway that has run for an hour, with one connected account, and a compose folder that asks
    /// for another image.
    pub fn running() -> Self {
        let world = Self::empty();
        let started = world.clock.now().minus(Duration::from_secs(3600));
        world.lock().add(Box {
            id: format!("old{}", "0".repeat(61)),
            name: NAME.to_owned(),
            state: ContainerState::Running,
            started_at: Some(started),
            finished_at: None,
            exit_code: None,
            operation: None,
            hostname: "openclaw-gateway".to_owned(),
            fate: Fate::Healthy,
            suspended: false,
            has_state: true,
            key: 1,
        });
        world
    }

    /// A gateway whose one account was never linked.
    pub fn unlinked() -> Self {
        let world = Self::running();
        world.account(|account| {
            account.linked = false;
            account.connected = false;
            account.running = false;
            account.phone = None;
        });
        world
    }

    /// A gateway whose one account has dropped, and stays away until this is done.
    pub fn dropped(cure: Cure) -> Self {
        let world = Self::running();
        world.lock().ails = Some(cure);
        world.account(|account| {
            account.last_disconnect = Some(Disconnect {
                code: Some(428),
                at: None,
                logged_out: false,
            });
        });
        world
    }

    /// A gateway whose one account was logged out from the phone.
    pub fn logged_out() -> Self {
        let world = Self::unlinked();
        world.account(|account| account.last_disconnect = Some(logged_out()));
        world
    }

    /// A gateway whose container has ended a minute ago.
    pub fn stopped() -> Self {
        let world = Self::running();
        {
            let mut inner = world.lock();
            let finished = world.clock.now().minus(Duration::from_secs(60));
            inner.boxes[0].end(finished, 0);
        }
        world
    }

    /// A compose folder, and nothing else.
    pub fn empty() -> Self {
        let account = Account {
            id: "default".parse().unwrap_or_else(|_| unreachable!()),
            enabled: true,
            configured: true,
            linked: true,
            running: true,
            connected: true,
            phone: Some("+4915112345642".to_owned()),
            connected_at: None,
            reconnect_attempts: 0,
            last_disconnect: None,
            last_error: None,
            last_inbound_at: None,
            last_outbound_at: None,
            credential_age_ms: None,
            health_state: None,
            breaker_tripped: false,
        };
        let inner = Inner {
            boxes: Vec::new(),
            comparison: Comparison {
                file: "/srv/openclaw/docker-compose.yml".to_owned(),
                project: "openclaw".to_owned(),
                container_name: NAME.to_owned(),
                image: "openclaw:2026.9.6".to_owned(),
                image_id: Some("sha256:new".to_owned()),
                fingerprint: "fp-1".to_owned(),
                fixed_hostname: true,
                stop_grace_seconds: 30,
                notes: Vec::new(),
                differences: vec![Difference {
                    what: "image".to_owned(),
                    running: "openclaw:2026.8.1".to_owned(),
                    wanted: "openclaw:2026.9.6".to_owned(),
                }],
            },
            new_fate: Fate::Healthy,
            new_has_state: true,
            accounts: Some(vec![account]),
            stopped: Vec::new(),
            ails: None,
            abilities: Abilities {
                reconnect: true,
                suspend: true,
                scan: true,
            },
            login: None,
            phone: Phone::Scans,
            scans_with: None,
            login_at: None,
            scanned_at: Timestamp::default(),
            known_login: None,
            shown: None,
            backup_key: true,
            archives: Vec::new(),
            kept: Vec::new(),
            brought: Vec::new(),
            aside: None,
            plugin: FakePlugin {
                installed: true,
                loads_at_once: false,
                loaded: true,
            },
            wiped: None,
            key: FakeKeys::default(),
            devices: FakeDevices::default(),
            refuses_restored: false,
            faults: Vec::new(),
            changes: Vec::new(),
            lease: None,
            crash_in: None,
            made: 0,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            clock: Arc::default(),
        }
    }

    /// The world as it is now.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.settle(self.clock.now());
        inner
    }

    /// Changes the one account there is.
    pub fn account(&self, change: impl FnOnce(&mut Account)) {
        let mut inner = self.lock();
        if let Some(account) = inner.accounts.as_mut().and_then(|list| list.first_mut()) {
            change(account);
        }
    }

    /// The next calls of this name fail so.
    pub fn fail(&self, call: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.lock()
            .faults
            .push((call, faults.into_iter().collect()));
    }

    /// What was changed, in order: `stop`, `rename`, …
    pub fn changes(&self) -> Vec<String> {
        self.lock().changes.clone()
    }

    /// Exactly one container, with the compose name, of a gateway that runs and takes work.
    ///
    /// # Panics
    /// When it is otherwise.
    pub fn assert_runs(&self) -> String {
        let found = self.assert_one();
        assert_eq!(found.state, ContainerState::Running, "{found:?}");
        assert!(!found.suspended, "left suspended: {found:?}");
        found.id
    }

    /// Exactly one container, with the compose name.
    ///
    /// # Panics
    /// When it is otherwise.
    pub fn assert_one(&self) -> Box {
        let inner = self.lock();
        let names: Vec<&str> = inner
            .boxes
            .iter()
            .map(|found| found.name.as_str())
            .collect();
        assert_eq!(names, [NAME], "{:?}", inner.boxes);
        inner.boxes[0].clone()
    }

    /// One call: kills the panel or fails when that was asked for. `change` runs in between.
    pub(super) async fn call<T>(
        &self,
        name: &'static str,
        change: impl FnOnce(&mut Inner, Timestamp) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        tokio::task::yield_now().await;
        let now = self.clock.now();
        let (answer, killed) = {
            let mut inner = self.lock();
            let planned = inner.faults.iter_mut().find(|(call, _)| *call == name);
            if let Some(fault) = planned.and_then(|(_, faults)| faults.pop_front()) {
                return Err(fault);
            }
            let before = inner.changes.len();
            let answer = change(&mut inner, now);
            let after = inner.changes.len();
            let killed = inner
                .crash_in
                .clone()
                .filter(|(at, _)| before < *at && after >= *at);
            (answer, killed)
        };
        if let Some((_, panel)) = killed {
            panel.cancel();
            std::future::pending::<()>().await;
        }
        answer
    }
}

impl Box {
    fn end(&mut self, at: Timestamp, code: i64) {
        self.state = ContainerState::Exited;
        self.finished_at = Some(at);
        self.exit_code = Some(code);
        self.suspended = false;
    }

    /// How long its process has run.
    fn age(&self, now: Timestamp) -> Option<Duration> {
        (self.state == ContainerState::Running)
            .then(|| self.started_at.map(|at| now.since(at)))
            .flatten()
    }
}

impl Inner {
    pub(super) fn add(&mut self, new: Box) {
        self.boxes.push(new);
    }

    /// Notes that something was changed.
    pub(super) fn changed(&mut self, what: impl Into<String>) {
        self.changes.push(what.into());
    }

    /// Something was done that brings back what this, or less, cures.
    pub(super) fn cure(&mut self, done: Cure) {
        let strength = |cure| match cure {
            Cure::Reconnect => 0,
            Cure::Restart => 1,
            Cure::Recreate => 2,
            Cure::NewLink => 3,
            Cure::Nothing => 4,
        };
        self.ails = self.ails.filter(|ails| strength(*ails) > strength(done));
    }

    pub(super) fn next_id(&mut self) -> String {
        self.made += 1;
        format!("new{}{}", self.made, "0".repeat(60))
    }

    /// By name or id.
    pub fn find(&mut self, name_or_id: &str) -> Option<&mut Box> {
        self.boxes
            .iter_mut()
            .find(|found| found.id == name_or_id || found.name == name_or_id)
    }

    /// Kills a container as the kernel would: its owner lease stays.
    pub fn kill(&mut self, name_or_id: &str, now: Timestamp) {
        if let Some(found) = self.find(name_or_id) {
            found.end(now, 137);
            let lease = (found.hostname.clone(), now.plus(Duration::from_secs(300)));
            self.lease = Some(lease);
        }
    }

    /// Lets time have its effect.
    fn settle(&mut self, now: Timestamp) {
        for found in &mut self.boxes {
            if let (Fate::Crashes { after, code }, Some(age)) = (found.fate, found.age(now))
                && age >= after
            {
                found.end(now, code);
            }
        }
    }

    /// Whether the owner lease or a starved machine keeps this container's gateway from starting, and
    /// since when not.
    fn held_until(&self, found: &Box) -> Option<Timestamp> {
        let started = found.started_at?;
        if let Fate::Starved { during } = found.fate {
            return Some(started.plus(during));
        }
        let (owner, until) = self.lease.as_ref()?;
        (*owner != found.hostname && started < *until).then_some(*until)
    }

    /// What Docker says of a container.
    pub(super) fn inspect(&self, found: &Box, now: Timestamp) -> Container {
        let mut seen = Container {
            id: found.id.clone(),
            name: found.name.clone(),
            state: found.state,
            started_at: found.started_at,
            finished_at: found.finished_at,
            exit_code: found.exit_code,
            oom_killed: false,
            restart_count: 0,
            restarts_last_hour: 0,
            health: match (found.fate, found.age(now)) {
                (Fate::Mute { unhealthy_after }, Some(age)) if age >= unhealthy_after => {
                    Some(Health::Unhealthy)
                }
                _ => None,
            },
            image: "openclaw".to_owned(),
            image_id: "sha256:old".to_owned(),
            image_digest: None,
            ports: Vec::new(),
            memory_bytes: None,
            memory_limit_bytes: None,
            cpu_percent: None,
            volumes: Vec::new(),
            hostname: found.hostname.clone(),
            hostname_is_default: found.id.starts_with(&found.hostname),
        };
        if found.state == ContainerState::Running
            && let Some(until) = self.held_until(found)
        {
            let started = found.started_at.unwrap_or(now);
            let tries = until.min(now).since(started).as_secs() / 20;
            seen.restart_count = u32::try_from(tries).unwrap_or(0);
            if now < until && tries > 0 {
                seen.state = ContainerState::Restarting;
                // As Docker says of what has ended.
                seen.health = Some(Health::Unhealthy);
                seen.exit_code = Some(1);
            }
        }
        seen
    }

    /// The age of the gateway's process: not before the lease has ended.
    pub(super) fn process(&self, now: Timestamp) -> Option<(&Box, Duration)> {
        let found = self.boxes.iter().find(|found| found.age(now).is_some())?;
        let started = found
            .started_at?
            .max(self.held_until(found).unwrap_or_default());
        (now >= started).then(|| (found, now.since(started)))
    }

    pub(super) fn live(&self, now: Timestamp) -> bool {
        self.process(now)
            .is_some_and(|(found, age)| age >= LIVE && !matches!(found.fate, Fate::Mute { .. }))
    }

    pub(super) fn ready(&self, now: Timestamp) -> bool {
        self.process(now)
            .is_some_and(|(found, age)| age >= READY && found.fate != Fate::NeverReady)
            && self.live(now)
    }

    /// The accounts as `channels.status` would list them.
    pub(super) fn list_accounts(&self, now: Timestamp) -> Option<Vec<Account>> {
        let (found, age) = self.process(now)?;
        if !self.plugin.loaded {
            return None;
        }
        let mut accounts = self.accounts.clone()?;
        for account in &mut accounts {
            if !found.has_state {
                account.linked = false;
            }
            let stopped = self.stopped.iter().any(|id| id == account.id.as_str());
            account.running &= !stopped && !account.breaker_tripped;
            account.connected &= account.running && account.linked && age >= CONNECTED;
            account.connected &= self.ails.is_none();
        }
        Some(accounts)
    }
}

/// A log-out from the phone.
pub fn logged_out() -> Disconnect {
    Disconnect {
        code: Some(401),
        at: None,
        logged_out: true,
    }
}
