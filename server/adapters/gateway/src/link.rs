//! One supervised control socket of one gateway: connects, proves who the panel is, keeps itself
//! alive, carries calls. Whatever the other side does (garbage, half a frame, 30 MB, silence), it
//! ends in a sentence and another try, never in a hang.

mod dial;
mod knock;
mod session;
mod supervisor;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::device::DeviceId;
use domain::fact::{Account, Control};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::scrub::Scrubber;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

pub use knock::{Visit, takes_key, visit};

use crate::device::{DeviceIdentity, Identities};
use crate::http::Trust;
use crate::probe::sentence;
use crate::protocol::ErrorShape;
use crate::status;

/// How long `channels.status` may take: the gateway gives every channel up to 8 s of it.
const ACCOUNTS_LIMIT: Duration = Duration::from_secs(12);

/// Supplies the gateway's key. Asked at every connect, since it may have been rotated.
#[async_trait]
pub trait Key: Send + Sync {
    /// The key; `None` when there is none.
    async fn token(&self) -> Option<SecretString>;
}

/// Supplies who the panel is to the gateway. Asked at every connect, since it may have been renewed meanwhile, by another
/// process of the panel, too.
#[async_trait]
pub trait Identity: Send + Sync {
    /// The identity in use.
    async fn present(&self) -> Result<DeviceIdentity, Fault>;
}

/// One that stays.
#[async_trait]
impl Identity for DeviceIdentity {
    async fn present(&self) -> Result<DeviceIdentity, Fault> {
        Ok(self.clone())
    }
}

#[async_trait]
impl Identity for Identities {
    async fn present(&self) -> Result<DeviceIdentity, Fault> {
        let identities = self.clone();
        let read = tokio::task::spawn_blocking(move || Self::present(&identities)).await;
        let broke = |_| {
            let why = "The panel failed while it read its device key; its own log says more.";
            Fault::new(FaultKind::Unexpected, Boundary::Panel, why)
        };
        Ok(read.map_err(broke)??)
    }
}

/// Approves the panel's own device in the gateway.
#[async_trait]
pub trait Approver: Send + Sync {
    /// Approves exactly this pairing request. The id was checked: it fits the vendor's pattern and
    /// belongs to this panel's device.
    async fn approve(&self, request_id: &str) -> Result<(), Fault>;
}

/// Where the socket leads and what it may cost.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// `http://127.0.0.1:18789`; `ws`, `wss` and `https` are as good.
    pub url: Url,
    /// Whom to trust with `https` and `wss`: the same as the probes do.
    pub trust: Trust,
    /// Time and size limits.
    pub limits: Limits,
}

impl LinkConfig {
    /// The usual limits.
    pub fn new(url: Url, trust: Trust) -> Self {
        Self {
            url,
            trust,
            limits: Limits::default(),
        }
    }
}

/// Time and size limits of a socket.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From the name look-up to the open socket.
    pub connect: Duration,
    /// For each half of the hand-shake; the vendor's own is 15 s.
    pub handshake: Duration,
    /// For an approval, which is a command in the container (2.3 s seen).
    pub approval: Duration,
    /// First wait after a failure; doubles.
    pub shortest_wait: Duration,
    /// Longest wait after failures.
    pub longest_wait: Duration,
    /// Wait after a refusal that only a person or a rotation can end.
    pub refused_wait: Duration,
    /// Largest message taken; `channels.status` is a few kB, `hello-ok` some 50 kB.
    pub message_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(15),
            approval: Duration::from_secs(45),
            shortest_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(10),
            refused_wait: Duration::from_secs(60),
            message_bytes: 8 * 1024 * 1024,
        }
    }
}

/// What is known of the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// For people and for the verdict.
    pub control: Control,
    /// The gateway's version, of the present or the last connection.
    pub version: Option<String>,
    /// The protocol agreed, likewise.
    pub protocol: Option<u32>,
    /// The methods it offers, likewise.
    pub methods: Arc<BTreeSet<String>>,
    /// As whom the panel is connected, likewise.
    pub device: Option<DeviceId>,
    /// Counts attempts that ended, so that a caller can wait for one.
    attempts: u64,
    patience: Patience,
}

/// How soon another try makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// Soon, and at once when somebody calls.
    Short,
    /// Only after a while, or with another key.
    Long,
}

impl Default for LinkState {
    fn default() -> Self {
        Self {
            control: Control::Connecting,
            version: None,
            protocol: None,
            methods: Arc::default(),
            device: None,
            attempts: 0,
            patience: Patience::Short,
        }
    }
}

impl LinkState {
    /// Why there is no connection, as a fault.
    fn fault(&self) -> Fault {
        let fault = |kind, text: String| Fault::new(kind, Boundary::Gateway, text);
        match &self.control {
            Control::KeyRefused => fault(
                FaultKind::Refused,
                "The gateway refuses the key that the panel has for it.".to_owned(),
            ),
            Control::Pairing => fault(
                FaultKind::Unreachable,
                "The gateway does not know this panel yet; its device is being approved."
                    .to_owned(),
            ),
            Control::Failing { why } => fault(
                FaultKind::Unreachable,
                format!("The panel has no connection to the gateway: {why}"),
            ),
            Control::Connected | Control::Connecting | Control::ScopeMissing { .. } => fault(
                FaultKind::Unreachable,
                "The panel is still connecting to the gateway.".to_owned(),
            ),
        }
    }
}

/// A call on its way to the session.
struct Call {
    method: String,
    params: Value,
    answer: oneshot::Sender<Result<Value, ErrorShape>>,
}

type Line = mpsc::Sender<Call>;

struct Shared {
    state: watch::Sender<LinkState>,
    line: watch::Sender<Option<Line>>,
    wake: Notify,
    /// Counts wishes to connect anew.
    renewed: watch::Sender<u64>,
    scrubber: Mutex<Scrubber>,
}

impl Shared {
    fn scrubber(&self) -> Scrubber {
        self.scrubber
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn learn_secret(&self, token: &str) {
        *self.scrubber.lock().unwrap_or_else(PoisonError::into_inner) =
            Scrubber::new([token.to_owned()]);
    }
}

/// The handle of a supervised socket.
#[derive(Clone)]
pub struct GatewayLink {
    shared: Arc<Shared>,
}

impl GatewayLink {
    /// Starts the supervisor on `tracker`; it ends with `cancel`.
    pub fn spawn(
        config: LinkConfig,
        key: Arc<dyn Key>,
        approver: Arc<dyn Approver>,
        identity: Arc<dyn Identity>,
        tracker: &TaskTracker,
        cancel: CancellationToken,
    ) -> Self {
        let shared = Arc::new(Shared {
            state: watch::Sender::new(LinkState::default()),
            line: watch::Sender::new(None),
            wake: Notify::new(),
            renewed: watch::Sender::new(0),
            scrubber: Mutex::new(Scrubber::default()),
        });
        let supervisor = supervisor::Supervisor {
            dial: dial::Dial::new(config.url, &config.trust, &config.limits),
            limits: config.limits,
            key,
            approver,
            identity,
            shared: Arc::clone(&shared),
        };
        tracker.spawn(async move {
            cancel.run_until_cancelled(Box::pin(supervisor.run())).await;
        });
        Self { shared }
    }

    /// The state, and every change of it.
    pub fn control(&self) -> watch::Receiver<LinkState> {
        self.shared.state.subscribe()
    }

    /// The state now.
    pub fn state(&self) -> LinkState {
        self.shared.state.borrow().clone()
    }

    /// Ends a short wait between two tries: the container was just seen to start.
    pub fn wake(&self) {
        self.shared.wake.notify_one();
    }

    /// Connects as `device`, which is in use by now, and waits until that is so; at once when it is so already.
    ///
    /// # Errors
    /// When there is no such connection within the limit.
    pub async fn connect_as(&self, device: &DeviceId, limit: Duration) -> Result<LinkState, Fault> {
        let is_it = |state: &LinkState| {
            let connected = matches!(
                state.control,
                Control::Connected | Control::ScopeMissing { .. }
            );
            connected && state.device.as_ref() == Some(device)
        };
        let mut states = self.control();
        if !is_it(&states.borrow_and_update()) {
            self.shared.renewed.send_modify(|count| *count += 1);
        }
        let reached = timeout(limit, states.wait_for(is_it)).await;
        match reached {
            Ok(Ok(state)) => Ok(state.clone()),
            Ok(Err(_)) | Err(_) => Err(self.state().fault()),
        }
    }

    /// Calls a method. Without a connection it asks for one try at once and waits for its outcome.
    pub async fn call(&self, method: &str, params: Value, limit: Duration) -> Result<Value, Fault> {
        self.try_call(method, params, limit)
            .await?
            .map_err(|error| error.fault(method, &self.shared.scrubber()))
    }

    /// The same, with the gateway's own error for those who decide by it.
    pub(crate) async fn try_call(
        &self,
        method: &str,
        params: Value,
        limit: Duration,
    ) -> Result<Result<Value, ErrorShape>, Fault> {
        let deadline = Instant::now() + limit;
        let late = || {
            Fault::new(
                FaultKind::TimedOut,
                Boundary::Gateway,
                format!(
                    "The gateway did not answer {method} within {} seconds.",
                    limit.as_secs_f32()
                ),
            )
        };
        let line = timeout_at(deadline, self.line())
            .await
            .map_err(|_| self.state().fault())??;
        let (answer, answered) = oneshot::channel();
        let call = Call {
            method: method.to_owned(),
            params,
            answer,
        };
        timeout_at(deadline, line.send(call))
            .await
            .map_err(|_| late())?
            .map_err(|_| lost(method))?;
        let outcome = timeout_at(deadline, answered)
            .await
            .map_err(|_| late())?
            .map_err(|_| lost(method))?;
        if let Err(error) = &outcome {
            self.note_missing_scope(error);
        }
        Ok(outcome)
    }

    /// The WhatsApp accounts from `channels.status`; `None` when there is no WhatsApp channel.
    pub async fn accounts(&self) -> Result<Option<Vec<Account>>, Fault> {
        let payload = self
            .call("channels.status", json!({"probe": false}), ACCOUNTS_LIMIT)
            .await?;
        status::accounts(&payload, &self.shared.scrubber()).map_err(|bad| {
            Fault::new(
                FaultKind::Unexpected,
                Boundary::Gateway,
                sentence(&bad.to_string()),
            )
        })
    }

    /// The state once there is a connection; without one it asks for one try and waits for its outcome.
    pub async fn ready(&self, limit: Duration) -> Result<LinkState, Fault> {
        let deadline = Instant::now() + limit;
        timeout_at(deadline, self.line())
            .await
            .map_err(|_| self.state().fault())??;
        Ok(self.state())
    }

    pub(crate) fn scrubber(&self) -> Scrubber {
        self.shared.scrubber()
    }

    async fn line(&self) -> Result<Line, Fault> {
        let mut state = self.shared.state.subscribe();
        let begun = state.borrow_and_update().attempts;
        loop {
            let open = self.shared.line.borrow().clone();
            if let Some(line) = open.filter(|line| !line.is_closed()) {
                return Ok(line);
            }
            let now = state.borrow_and_update().clone();
            if now.patience == Patience::Long || now.attempts > begun {
                return Err(now.fault());
            }
            self.shared.wake.notify_one();
            if state.changed().await.is_err() {
                return Err(now.fault());
            }
        }
    }

    fn note_missing_scope(&self, error: &ErrorShape) {
        let Some(scope) = error.missing_scope() else {
            return;
        };
        let scope: String = scope.chars().take(60).collect();
        self.shared.state.send_if_modified(|state| {
            let is_new = state.control == Control::Connected;
            if is_new {
                state.control = Control::ScopeMissing { scope };
            }
            is_new
        });
    }
}

fn lost(method: &str) -> Fault {
    Fault::new(
        FaultKind::Unreachable,
        Boundary::Gateway,
        format!(
            "The connection to the gateway was lost before it answered {method}; whether it was carried out is not known."
        ),
    )
}
