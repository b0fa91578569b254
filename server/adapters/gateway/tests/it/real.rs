//! The real gateway, in a container of its own on the daemon that `PANEL_TEST_DOCKER` names
//! (`unix:///…` or `tcp://…`): the present version and the oldest protocol. Every container is made
//! here and removed here.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use adapter_gateway::control::{GatewayLinks, Reach};
use adapter_gateway::device::DeviceIdentity;
use adapter_gateway::http::Trust;
use adapter_gateway::link::{Approver, Key, Limits, LinkConfig, takes_key};
use adapter_gateway::probe::Prober;
use async_trait::async_trait;
use domain::fact::{Control, State};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{AccountId, GatewayId};
use domain::ports::{Abilities, GatewayControl};
use secrecy::SecretString;
use tokio::process::Command;

use crate::support::{Linked, RealClock, TestKey, link_as, until};

pub(crate) const KEY: &str = "a-key-for-this-test-only";
/// A start takes half a minute on two idle cores, and these are rarely idle.
pub(crate) const START: Duration = Duration::from_secs(600);
pub(crate) const SOON: Duration = Duration::from_secs(120);

/// Two gateways that start at once starve each other.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A container; removed when dropped.
pub(crate) struct Gateway {
    _alone: tokio::sync::MutexGuard<'static, ()>,
    docker: Docker,
    name: String,
    pub(crate) url: String,
}

#[derive(Clone)]
struct Docker {
    host: String,
}

impl Docker {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests have no configuration file"
    )]
    fn of_the_tests() -> Self {
        let Ok(host) = std::env::var("PANEL_TEST_DOCKER") else {
            panic!(
                "PANEL_TEST_DOCKER is not set: run `make test`, which starts a Docker daemon for the tests, or set it to the address of one whose containers do not matter"
            );
        };
        Self { host }
    }

    async fn run(&self, args: &[&str]) -> Result<String, String> {
        let output = Command::new("docker")
            .arg("--host")
            .arg(&self.host)
            .args(args)
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

impl Gateway {
    pub(crate) async fn start(version: &str) -> Self {
        let alone = ONE_AT_A_TIME.lock().await;
        let docker = Docker::of_the_tests();
        let image = format!("openclaw:{version}");
        if let Err(error) = docker.run(&["image", "inspect", &image]).await {
            panic!(
                "the image {image} is not there: run openclaw/image/build.sh {version} ({error})"
            );
        }
        let port = free_port();
        let name = format!("gwdev-{version}-{:08x}", rand::random::<u32>());
        let gateway = Self {
            _alone: alone,
            docker: docker.clone(),
            name: name.clone(),
            url: format!("http://127.0.0.1:{port}"),
        };
        docker
            .run(&[
                "run",
                "--detach",
                "--init",
                // As the vendor's compose file: on a starved machine its start gives up (“state lease
                // heartbeat did not become ready”) and wants another try.
                "--restart",
                "unless-stopped",
                "--name",
                &name,
                "--hostname",
                "openclaw-gateway",
                "--publish",
                &format!("127.0.0.1:{port}:18789"),
                "--env",
                &format!("OPENCLAW_GATEWAY_TOKEN={KEY}"),
                "--env",
                "NODE_OPTIONS=--max-old-space-size=1536",
                &image,
            ])
            .await
            .unwrap();
        gateway
    }

    pub(crate) fn approver(&self) -> Arc<Exec> {
        Arc::new(Exec {
            docker: self.docker.clone(),
            container: self.name.clone(),
            asked: AtomicU32::new(0),
        })
    }

    /// Links, a prober and the port over both.
    fn reach(&self, linked: &Linked, key: &Arc<TestKey>) -> (GatewayLinks, GatewayId, Prober) {
        let prober = Prober::new(
            self.url.parse().unwrap(),
            self.url.parse().unwrap(),
            &Trust::load(None).unwrap(),
            Arc::new(RealClock),
        )
        .unwrap();
        let id: GatewayId = "openclaw".parse().unwrap();
        let reach = Reach {
            link: linked.link.clone(),
            prober: prober.clone(),
            key: Arc::clone(key) as Arc<dyn Key>,
            identity: own_device(),
        };
        let links = GatewayLinks::new(BTreeMap::from([(id.clone(), reach)]));
        (links, id, prober)
    }
}

/// Below the ports that the kernel hands out, so that nobody takes it while the container restarts.
fn free_port() -> u16 {
    loop {
        let port = rand::random_range(20_000..30_000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        std::process::Command::new("docker")
            .args(["--host", &self.docker.host, "rm", "--force", "--volumes"])
            .arg(&self.name)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok();
    }
}

/// Approves as the server does: a command in the container.
pub(crate) struct Exec {
    docker: Docker,
    container: String,
    pub(crate) asked: AtomicU32,
}

#[async_trait]
impl Approver for Exec {
    async fn approve(&self, request_id: &str) -> Result<(), Fault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let command = [
            "node",
            "dist/index.js",
            "devices",
            "approve",
            request_id,
            "--json",
        ];
        let mut args = vec!["exec", self.container.as_str()];
        args.extend(command);
        match self.docker.run(&args).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Fault::new(FaultKind::Refused, Boundary::Docker, error)),
        }
    }
}

pub(crate) fn patient() -> Limits {
    Limits {
        longest_wait: Duration::from_secs(2),
        ..Limits::default()
    }
}

pub(crate) fn own_device() -> Arc<DeviceIdentity> {
    Arc::new(DeviceIdentity::from_secret(rand::random()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_present_gateway_is_paired_asked_drained_and_found_again() {
    let gateway = Gateway::start("2026.9.6").await;
    let (key, approver, device) = (TestKey::new(KEY), gateway.approver(), own_device());
    let linked = link_as(
        &gateway.url,
        patient(),
        key.clone(),
        approver.clone(),
        device.clone(),
    );

    // From nothing to connected, by way of an approval.
    until(&linked.link, START, |it| it.control == Control::Pairing).await;
    let state = until(&linked.link, SOON, |it| it.control == Control::Connected).await;
    assert_eq!(approver.asked.load(Ordering::SeqCst), 1);
    assert_eq!(state.version.as_deref(), Some("2026.9.6"));
    assert_eq!(state.protocol, Some(4));

    let (links, id, prober) = gateway.reach(&linked, &key);
    probes(&prober, &linked).await;
    knocks(&gateway.url, &device).await;
    accounts(&links, &id).await;
    drain(&links, &id).await;

    // A wrong key is told apart from a broken gateway.
    let wrong = TestKey::new("not-the-key-at-all");
    let refused = link_as(
        &gateway.url,
        patient(),
        wrong,
        gateway.approver(),
        own_device(),
    );
    until(&refused.link, SOON, |it| it.control == Control::KeyRefused).await;
    let fault = refused.link.accounts().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(!fault.message.contains("not-the-key"));
    drop(refused);

    // A restart is survived without help, and without another approval.
    gateway
        .docker
        .run(&["restart", "--time", "30", &gateway.name])
        .await
        .unwrap();
    until(&linked.link, SOON, |it| it.control != Control::Connected).await;
    until(&linked.link, START, |it| it.control == Control::Connected).await;
    assert_eq!(approver.asked.load(Ordering::SeqCst), 1);
    assert!(links.accounts(&id).await.unwrap().is_some());
}

async fn probes(prober: &Prober, linked: &Linked) {
    let token = SecretString::from(KEY);
    let deadline = tokio::time::Instant::now() + START;
    let look = loop {
        let look = prober.process(Some(&token), &linked.link.state()).await;
        if look.state == State::Ok || tokio::time::Instant::now() > deadline {
            break look;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    assert_eq!(look.state, State::Ok, "{look:?}");
    let process = look.detail.unwrap();
    assert_eq!((process.started, process.ready), (Some(true), Some(true)));
    assert!(process.uptime_ms.is_some_and(|uptime| uptime > 0));
    assert_eq!(process.control, Control::Connected);
    assert_eq!(prober.edge().await.state, State::Ok);
    assert!(prober.takes_key(&token).await.unwrap());
    let wrong = SecretString::from("not-the-key-at-all");
    assert!(!prober.takes_key(&wrong).await.unwrap());
}

/// The socket tells a good key from a bad one, also to a device that it knows.
async fn knocks(url: &str, device: &DeviceIdentity) {
    let config = LinkConfig::new(url.parse().unwrap(), Trust::load(None).unwrap());
    let key = SecretString::from(KEY);
    assert!(takes_key(&config, device, &key).await.unwrap());
    let wrong = SecretString::from("not-the-key-at-all");
    assert!(!takes_key(&config, device, &wrong).await.unwrap());
}

/// It has no `/startupz`, and says `ready` in other words: operations must not wait for it in vain.
async fn old_probes(prober: &Prober, linked: &Linked) {
    let token = SecretString::from(KEY);
    let deadline = tokio::time::Instant::now() + SOON;
    let look = loop {
        let look = prober.process(Some(&token), &linked.link.state()).await;
        if look.state == State::Ok || tokio::time::Instant::now() > deadline {
            break look;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    assert_eq!(look.state, State::Ok, "{look:?}");
    let process = look.detail.unwrap();
    assert_eq!((process.live, process.ready), (true, Some(true)));
    assert_eq!(process.protocol, Some(3));
    let said = prober.readiness(Some(&token)).await;
    assert!(said.live && said.ready, "{said:?}");
}

async fn accounts(links: &GatewayLinks, id: &GatewayId) {
    let abilities = links.abilities(id).await.unwrap();
    assert_eq!(
        abilities,
        Abilities {
            reconnect: true,
            suspend: true,
            scan: true,
        }
    );
    let accounts = links.accounts(id).await.unwrap().unwrap();
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    let account = &accounts[0];
    assert_eq!(account.id.as_str(), "default");
    assert!(!account.linked && !account.connected, "{account:?}");
    // Nothing to stop is success, and an account without a link is not started, with the reason.
    links.stop_account(id, &account.id).await.unwrap();
    let outcome = links.start_account(id, &account.id).await.unwrap();
    assert!(!outcome.started, "{outcome:?}");
    assert_eq!(outcome.word, "skipped");
    let nobody: AccountId = "nobody".parse().unwrap();
    let outcome = links.start_account(id, &nobody).await;
    assert!(outcome.is_err() || !outcome.unwrap().started);
}

async fn drain(links: &GatewayLinks, id: &GatewayId) {
    links.resume(id).await.unwrap();
    assert_eq!(links.suspend(id, SOON).await.unwrap(), None);
    let fault = links.accounts(id).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
    // The same lease again, as after a crash of the panel.
    assert_eq!(links.suspend(id, SOON).await.unwrap(), None);
    links.resume(id).await.unwrap();
    links.resume(id).await.unwrap();
    assert!(links.accounts(id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_gateway_is_read_and_what_it_lacks_is_said() {
    let gateway = Gateway::start("2026.3.31").await;
    let (key, approver, device) = (TestKey::new(KEY), gateway.approver(), own_device());
    let linked = link_as(
        &gateway.url,
        patient(),
        key.clone(),
        approver.clone(),
        device.clone(),
    );
    let state = until(&linked.link, START, |it| it.control == Control::Connected).await;
    assert_eq!(state.protocol, Some(3));

    let (links, id, prober) = gateway.reach(&linked, &key);
    old_probes(&prober, &linked).await;
    knocks(&gateway.url, &device).await;
    assert_eq!(links.abilities(&id).await.unwrap(), Abilities::default());
    links.accounts(&id).await.unwrap();
    let account: AccountId = "default".parse().unwrap();
    for fault in [
        links.start_account(&id, &account).await.unwrap_err(),
        links.stop_account(&id, &account).await.unwrap_err(),
        links.suspend(&id, SOON).await.unwrap_err(),
    ] {
        assert_eq!(fault.kind, FaultKind::NotOffered, "{fault}");
    }
    // Nothing to take back is success.
    links.resume(&id).await.unwrap();
}
