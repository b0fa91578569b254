//! Keys, approvers, clocks and waiting, for every test here.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_gateway::device::DeviceIdentity;
use adapter_gateway::http::Trust;
use adapter_gateway::link::{Approver, GatewayLink, Identity, Key, Limits, LinkConfig, LinkState};
use async_trait::async_trait;
use domain::fact::Control;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::ports::Clock;
use domain::time::Timestamp;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A key that can be changed.
pub(crate) struct TestKey(Mutex<String>);

impl TestKey {
    pub(crate) fn new(key: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(key.to_owned())))
    }

    pub(crate) fn change(&self, key: &str) {
        key.clone_into(&mut self.0.lock().unwrap());
    }
}

#[async_trait]
impl Key for TestKey {
    async fn token(&self) -> Option<SecretString> {
        Some(SecretString::from(self.0.lock().unwrap().clone()))
    }
}

/// Remembers what it was asked to approve.
#[derive(Default)]
pub(crate) struct Remembering {
    pub(crate) asked: Mutex<Vec<String>>,
    pub(crate) refuses: AtomicBool,
    pub(crate) count: AtomicU32,
}

impl Remembering {
    /// For tests that need no approval.
    pub(crate) fn unasked() -> Arc<dyn Approver> {
        Arc::new(Self::default())
    }
}

#[async_trait]
impl Approver for Remembering {
    async fn approve(&self, request_id: &str) -> Result<(), Fault> {
        self.asked.lock().unwrap().push(request_id.to_owned());
        self.count.fetch_add(1, Ordering::SeqCst);
        if self.refuses.load(Ordering::SeqCst) {
            return Err(Fault::new(
                FaultKind::Refused,
                Boundary::Docker,
                "the container is not running",
            ));
        }
        Ok(())
    }
}

/// The real time.
pub(crate) struct RealClock;

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock of the tests")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
    }
}

/// Limits that a test can wait for.
pub(crate) fn quick() -> Limits {
    Limits {
        connect: Duration::from_secs(2),
        handshake: Duration::from_secs(1),
        approval: Duration::from_secs(2),
        shortest_wait: Duration::from_millis(100),
        longest_wait: Duration::from_millis(400),
        refused_wait: Duration::from_secs(2),
        ..Limits::default()
    }
}

/// A link and what belongs to it; ends when dropped.
pub(crate) struct Linked {
    pub(crate) link: GatewayLink,
    pub(crate) tracker: TaskTracker,
    pub(crate) cancel: CancellationToken,
}

impl Drop for Linked {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

pub(crate) fn link(
    url: &str,
    limits: Limits,
    key: Arc<TestKey>,
    approver: Arc<dyn Approver>,
) -> Linked {
    let device = Arc::new(DeviceIdentity::from_secret([5; 32]));
    link_as(url, limits, key, approver, device)
}

pub(crate) fn link_as(
    url: &str,
    limits: Limits,
    key: Arc<TestKey>,
    approver: Arc<dyn Approver>,
    device: Arc<dyn Identity>,
) -> Linked {
    let mut config = LinkConfig::new(url.parse().unwrap(), Trust::load(None).unwrap());
    config.limits = limits;
    link_with(config, key, approver, device)
}

pub(crate) fn link_with(
    config: LinkConfig,
    key: Arc<TestKey>,
    approver: Arc<dyn Approver>,
    device: Arc<dyn Identity>,
) -> Linked {
    let tracker = TaskTracker::new();
    let cancel = CancellationToken::new();
    let link = GatewayLink::spawn(config, key, approver, device, &tracker, cancel.clone());
    Linked {
        link,
        tracker,
        cancel,
    }
}

/// Waits for a state of the link.
pub(crate) async fn until(
    link: &GatewayLink,
    limit: Duration,
    what: impl Fn(&LinkState) -> bool,
) -> LinkState {
    let mut states = link.control();
    let Ok(found) = tokio::time::timeout(limit, states.wait_for(|state| what(state))).await else {
        panic!(
            "not within {limit:?}; the state is {:?}",
            link.state().control
        );
    };
    found.unwrap().clone()
}

pub(crate) async fn until_connected(link: &GatewayLink) -> LinkState {
    until(link, Duration::from_secs(10), |state| {
        state.control == Control::Connected
    })
    .await
}

/// The clause of a failing socket.
pub(crate) async fn until_failing(link: &GatewayLink) -> String {
    let state = until(link, Duration::from_secs(10), |state| {
        matches!(state.control, Control::Failing { .. })
    })
    .await;
    match state.control {
        Control::Failing { why } => why,
        other => panic!("{other:?}"),
    }
}
