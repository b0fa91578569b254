//! The five facts and what each knows.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::compare::Difference;
use crate::gateway::AccountId;
use crate::time::Timestamp;

/// The five facts, in the order they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// The public URL through the proxy.
    Edge,
    /// Liveness and readiness of the gateway's process.
    Process,
    /// The Docker container.
    Container,
    /// The WhatsApp accounts.
    Session,
    /// What runs against what the compose folder says.
    Config,
}

impl FactKind {
    /// All five, in the order they are shown.
    pub const ALL: [Self; 5] = [
        Self::Edge,
        Self::Process,
        Self::Container,
        Self::Session,
        Self::Config,
    ];

    /// The word used in code, tables and URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Process => "process",
            Self::Container => "container",
            Self::Session => "session",
            Self::Config => "config",
        }
    }

    /// The word shown to people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Edge => "Edge",
            Self::Process => "Process",
            Self::Container => "Container",
            Self::Session => "Session",
            Self::Config => "Config",
        }
    }

    /// Reads [`FactKind::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// How old a fact of this kind may be before the page calls it stale: about three missed probes.
    pub const fn stale_after(self) -> Duration {
        match self {
            Self::Edge | Self::Process | Self::Session => Duration::from_secs(75),
            Self::Container => Duration::from_secs(45),
            Self::Config => Duration::from_secs(240),
        }
    }
}

/// The state of a fact. Words, shape and colour all follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, but wants attention.
    Warn,
    /// Does not work.
    Down,
    /// Could not be had. Never shown as good.
    Unknown,
}

impl State {
    /// The word used in code, tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }

    /// Reads [`State::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ok, Self::Warn, Self::Down, Self::Unknown]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// One fact: its state, in words, since when, from where, how fresh, and the details behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact<D> {
    /// Good, bad or unknown.
    pub state: State,
    /// Two to five words: `200 in 38 ms`, `Logged out`.
    pub headline: String,
    /// One line of evidence or the cause; empty when there is nothing to add.
    pub reason: String,
    /// Where it was learnt: `https://…/healthz`, `Docker Engine`, `channels.status`.
    pub source: String,
    /// Since when `state` holds.
    pub since: Timestamp,
    /// When it was last looked at, with success or not; `None` before the first look.
    pub checked_at: Option<Timestamp>,
    /// What is known; `None` while unknown.
    pub detail: Option<D>,
}

impl<D> Fact<D> {
    /// A fact nobody has looked at yet.
    pub fn not_yet(source: impl Into<String>, now: Timestamp) -> Self {
        Self {
            state: State::Unknown,
            headline: "Not checked yet".to_owned(),
            reason: String::new(),
            source: source.into(),
            since: now,
            checked_at: None,
            detail: None,
        }
    }

    /// How long ago it was looked at.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        self.checked_at.map(|at| now.since(at))
    }

    /// Whether it is too old to be believed without a word.
    pub fn is_stale(&self, kind: FactKind, now: Timestamp) -> bool {
        self.age(now).is_none_or(|age| age > kind.stale_after())
    }
}

/// What the public URL answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Time to the answer, in milliseconds.
    pub latency_ms: u32,
    /// When the certificate that was shown began; `None` over plain HTTP.
    pub tls_begins_at: Option<Timestamp>,
    /// When it ends; `None` over plain HTTP.
    pub tls_expires_at: Option<Timestamp>,
}

impl Edge {
    /// When the certificate ends, if that is soon: less than a fifth of its life and less than 14 days
    /// are left. Caddy renews when a third is left, and its internal certificates live 12 hours.
    pub fn certificate_ends_soon(&self, now: Timestamp) -> Option<Timestamp> {
        const SOON: Duration = Duration::from_secs(14 * 86_400);
        let ends = self.tls_expires_at?;
        let life = self.tls_begins_at.map(|begins| ends.since(begins));
        let soon = life.map_or(SOON, |life| SOON.min(life / 5));
        (ends.since(now) < soon).then_some(ends)
    }
}

/// What the gateway's process says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// `/healthz` said `{"ok":true}`. Says nothing about WhatsApp.
    pub live: bool,
    /// `/startupz`; `None` when this version has no such path.
    pub started: Option<bool>,
    /// `/readyz`; `None` when its answer cannot be used. Live counts as ready where a version has no such path.
    pub ready: Option<bool>,
    /// What `/readyz` names as failing (only with authorisation).
    pub failing: Vec<String>,
    /// Time to the answer of `/healthz`, in milliseconds.
    pub latency_ms: u32,
    /// The gateway's version, from `hello-ok`.
    pub version: Option<String>,
    /// The protocol agreed on the socket.
    pub protocol: Option<u32>,
    /// Event loop delay in milliseconds, when told.
    pub event_loop_ms: Option<f64>,
    /// Time since the process started, in milliseconds, when told.
    pub uptime_ms: Option<u64>,
    /// State of the control socket, for people: `connected`, `pairing`, `key refused`, …
    pub control: Control,
}

/// The panel's socket to the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Control {
    /// Connected with the scopes it needs.
    Connected,
    /// Connecting, or waiting to try again.
    Connecting,
    /// The gateway does not know the panel's device yet; it is being approved.
    Pairing,
    /// The gateway refuses the key in `.env`.
    KeyRefused,
    /// Connected, but a scope is missing.
    ScopeMissing {
        /// The scope.
        scope: String,
    },
    /// Cannot connect.
    Failing {
        /// Why, in one sentence.
        why: String,
    },
}

/// Docker's word for the state of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContainerState {
    /// Made, never started.
    Created,
    /// Running.
    Running,
    /// Frozen by `docker pause`.
    Paused,
    /// Being started again by Docker after an exit.
    Restarting,
    /// Being removed.
    Removing,
    /// Ended.
    Exited,
    /// Broken beyond use, Docker says.
    Dead,
    /// There is no such container.
    Missing,
}

/// Docker's own health check of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Not decided yet.
    Starting,
    /// Passing.
    Healthy,
    /// Failing.
    Unhealthy,
}

/// The gateway's port: API, socket and Control UI. Without it nothing works.
pub const API_PORT: u16 = 18_789;

/// One port the gateway must offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Port inside the container (18789 API, 18790 bridge).
    pub container_port: u16,
    /// Where it is bound on the host (`127.0.0.1:18789`); `None` when it is not.
    pub bound: Option<String>,
}

/// What Docker knows of the container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// Full id; empty when missing.
    pub id: String,
    /// Name without the slash.
    pub name: String,
    /// Docker's state.
    pub state: ContainerState,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// When it last ended.
    pub finished_at: Option<Timestamp>,
    /// Exit code of the last run, when it has ended.
    pub exit_code: Option<i64>,
    /// Killed by the kernel for memory.
    pub oom_killed: bool,
    /// Restarts by Docker's policy since it was created.
    pub restart_count: u32,
    /// Starts seen in the last hour, planned ones not counted.
    pub restarts_last_hour: u32,
    /// Docker's health check, when there is one.
    pub health: Option<Health>,
    /// Image as named at creation.
    pub image: String,
    /// Image id (`sha256:…`): what it holds, on this machine.
    pub image_id: String,
    /// `name@sha256:…` in its registry; `None` for an image that came from none.
    pub image_digest: Option<String>,
    /// The two ports of the gateway and any other published.
    pub ports: Vec<Port>,
    /// Memory in use without page cache, in bytes; `None` until the first sample.
    pub memory_bytes: Option<u64>,
    /// Memory limit in bytes; `None` without one.
    pub memory_limit_bytes: Option<u64>,
    /// CPU use in percent of one core; `None` until two samples.
    pub cpu_percent: Option<f64>,
    /// Volumes and binds, `name → /path`.
    pub volumes: Vec<String>,
    /// Host name inside; a fixed one avoids the five minutes of the owner lease.
    pub hostname: String,
    /// Whether `hostname` is Docker's default (the short container id), which changes at every recreate.
    pub hostname_is_default: bool,
}

/// The WhatsApp accounts of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whether the gateway has a WhatsApp channel at all (a plugin since 2026).
    pub plugin: Plugin,
    /// Every account, as `channels.status` lists them.
    pub accounts: Vec<Account>,
}

/// The WhatsApp plugin of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plugin {
    /// Installed: there is a `whatsapp` channel.
    Present,
    /// Not installed: WhatsApp cannot work until it is.
    Missing,
}

/// One WhatsApp account, with its link and its connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the gateway's own independent flags"
)]
pub struct Account {
    /// Its id in the gateway.
    pub id: AccountId,
    /// Switched on in the gateway's configuration.
    pub enabled: bool,
    /// Set up in the gateway's configuration.
    pub configured: bool,
    /// Credentials exist.
    pub linked: bool,
    /// The gateway runs its channel.
    pub running: bool,
    /// Connected to WhatsApp now.
    pub connected: bool,
    /// The number, `+4915…`. Masked by pages for roles that need not see it.
    pub phone: Option<String>,
    /// When it last became connected.
    pub connected_at: Option<Timestamp>,
    /// Tries since the last connection.
    pub reconnect_attempts: u32,
    /// The last drop.
    pub last_disconnect: Option<Disconnect>,
    /// The gateway's last error for it, scrubbed.
    pub last_error: Option<String>,
    /// Last message received.
    pub last_inbound_at: Option<Timestamp>,
    /// Last message sent.
    pub last_outbound_at: Option<Timestamp>,
    /// Age of the credentials in milliseconds.
    pub credential_age_ms: Option<u64>,
    /// The gateway's own word: `healthy`, `reconnecting`, `logged-out`, `not-running`, …
    pub health_state: Option<String>,
    /// The gateway's restart-loop breaker keeps this account from starting.
    pub breaker_tripped: bool,
}

impl Account {
    /// Whether there is a link that may still work: it exists, and the phone has not logged it out. A
    /// gateway keeps the files of a link that was logged out until the next one, and says `linked` of
    /// them (seen on 2026.9.6).
    pub fn has_working_link(&self) -> bool {
        let last = self.last_disconnect.as_ref();
        let gone = last.is_some_and(|last| last.logged_out || last.code == Some(401));
        let ended = gone && !self.running;
        self.linked && (self.connected || !ended)
    }
}

/// How a connection to WhatsApp ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnect {
    /// WhatsApp's code, see [`crate::disconnect`].
    pub code: Option<u16>,
    /// When.
    pub at: Option<Timestamp>,
    /// The gateway counts it as a log-out.
    pub logged_out: bool,
}

/// What runs against what the compose folder says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The compose file.
    pub file: String,
    /// Every difference; empty when the container is what the file says.
    pub differences: Vec<Difference>,
}
