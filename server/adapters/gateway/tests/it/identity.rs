//! Who the panel is, changed while it is connected; and visits apart from the supervised socket.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_gateway::device::DeviceIdentity;
use adapter_gateway::http::Trust;
use adapter_gateway::link::{Identity, LinkConfig, Visit, visit};
use adapter_gateway::pairing;
use async_trait::async_trait;
use domain::fact::Control;
use domain::fault::{Fault, FaultKind};
use secrecy::SecretString;
use serde_json::json;

use crate::scripted::{Act, Manner, Scripted};
use crate::support::{Remembering, TestKey, link_as, quick, until_connected};

const SOON: Duration = Duration::from_secs(5);

/// Identities in turn, the last one again and again.
struct Turning(Mutex<VecDeque<DeviceIdentity>>);

impl Turning {
    fn of(secrets: &[u8]) -> Arc<Self> {
        let all = secrets.iter().map(|secret| identity(*secret)).collect();
        Arc::new(Self(Mutex::new(all)))
    }

    fn turn(&self) {
        self.0.lock().unwrap().pop_front();
    }
}

#[async_trait]
impl Identity for Turning {
    async fn present(&self) -> Result<DeviceIdentity, Fault> {
        Ok(self.0.lock().unwrap()[0].clone())
    }
}

/// The same, turned by every look.
struct Hasty(Arc<Turning>);

#[async_trait]
impl Identity for Hasty {
    async fn present(&self) -> Result<DeviceIdentity, Fault> {
        let present = self.0.present().await;
        if self.0.0.lock().unwrap().len() > 1 {
            self.0.turn();
        }
        present
    }
}

fn identity(secret: u8) -> DeviceIdentity {
    DeviceIdentity::from_secret([secret; 32])
}

fn good() -> Act {
    Act::Good(Manner::default())
}

fn pairing_of(request_id: &str) -> Act {
    Act::Refuse(
        json!({"code":"NOT_PAIRED","message":"device pairing required",
        "details":{"code":"PAIRING_REQUIRED","requestId":request_id}}),
    )
}

#[tokio::test]
async fn it_connects_anew_as_somebody_else_and_only_then() {
    let gateway = Scripted::start([good()]).await;
    let turning = Turning::of(&[1, 2]);
    let it = link_as(
        &gateway.url,
        quick(),
        TestKey::new("k"),
        Remembering::unasked(),
        turning.clone(),
    );
    let state = until_connected(&it.link).await;
    let (old, new) = (identity(1), identity(2));
    assert_eq!(state.device.as_ref(), Some(old.id()));
    it.link.connect_as(old.id(), SOON).await.unwrap();
    assert_eq!(gateway.connects.lock().unwrap().len(), 1);

    turning.turn();
    let state = it.link.connect_as(new.id(), SOON).await.unwrap();
    assert_eq!(state.device.as_ref(), Some(new.id()));
    assert_eq!(state.control, Control::Connected);
    let named: Vec<String> = gateway
        .connects
        .lock()
        .unwrap()
        .iter()
        .map(|connect| connect["device"]["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(named, [old.id().to_string(), new.id().to_string()]);
    // Nobody is that one any more.
    let limit = Duration::from_millis(700);
    let fault = it.link.connect_as(old.id(), limit).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
    it.link.connect_as(new.id(), SOON).await.unwrap();
}

#[tokio::test]
async fn a_wish_to_connect_anew_ends_a_long_wait() {
    let refused = json!({"code":"INVALID_REQUEST","message":"unauthorized",
        "details":{"code":"AUTH_RATE_LIMITED"}});
    let gateway = Scripted::start([Act::Refuse(refused)]).await;
    let turning = Turning::of(&[1]);
    let mut limits = quick();
    limits.refused_wait = Duration::from_secs(600);
    let it = link_as(
        &gateway.url,
        limits,
        TestKey::new("k"),
        Remembering::unasked(),
        turning,
    );
    crate::support::until_failing(&it.link).await;
    gateway.play(good());
    it.link.connect_as(identity(1).id(), SOON).await.unwrap();
}

#[tokio::test]
async fn a_device_that_was_replaced_meanwhile_is_not_approved() {
    let gateway = Scripted::start([pairing_of("req-1"), good()]).await;
    let approver = Arc::new(Remembering::default());
    let it = link_as(
        &gateway.url,
        quick(),
        TestKey::new("k"),
        approver.clone(),
        Arc::new(Hasty(Turning::of(&[1, 2]))),
    );
    let state = until_connected(&it.link).await;
    assert_eq!(state.device.as_ref(), Some(identity(2).id()));
    assert!(approver.asked.lock().unwrap().is_empty());
}

/// What became of a pairing that met this, and what was approved.
async fn paired(acts: Vec<Act>, approver: &Remembering) -> (Result<(), Fault>, Vec<String>) {
    let gateway = Scripted::start(acts).await;
    let mut config = LinkConfig::new(gateway.url.parse().unwrap(), Trust::load(None).unwrap());
    config.limits = quick();
    let key = SecretString::from("key-123456");
    let outcome = pairing::pair(&config, &identity(1), Some(&key), approver).await;
    (outcome, approver.asked.lock().unwrap().clone())
}

#[tokio::test]
async fn a_device_is_approved_until_it_is_known_and_not_for_ever() {
    let known = || {
        Act::Good(Manner {
            answers: vec![("channels.status", Ok(json!({"channelAccounts": {}})))],
            ..Manner::default()
        })
    };
    let approver = Remembering::default();
    let (outcome, asked) = paired(vec![known()], &approver).await;
    assert!(outcome.is_ok() && asked.is_empty(), "{outcome:?}");
    let (outcome, asked) = paired(vec![pairing_of("req-1"), known()], &approver).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(asked, ["req-1"]);
    let approver = Remembering::default();
    let (outcome, asked) = paired(vec![pairing_of("req-2")], &approver).await;
    assert!(outcome.unwrap_err().message.contains("several times"));
    assert_eq!(asked, ["req-2"; 3]);
}

#[tokio::test]
async fn what_somebody_else_has_approved_in_the_same_moment_is_known_all_the_same() {
    let known = Manner {
        answers: vec![("channels.status", Ok(json!({"channelAccounts": {}})))],
        ..Manner::default()
    };
    let approver = Remembering::default();
    approver.refuses.store(true, Ordering::SeqCst);
    let (outcome, asked) = paired(vec![pairing_of("req-1"), Act::Good(known)], &approver).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(asked, ["req-1"]);
    let (outcome, _) = paired(vec![pairing_of("req-1")], &approver).await;
    let why = outcome.unwrap_err().message;
    assert!(why.contains("the container is not running"), "{why}");
}

async fn visited(act: Act) -> Result<Visit, Fault> {
    let gateway = Scripted::start([act]).await;
    let mut config = LinkConfig::new(gateway.url.parse().unwrap(), Trust::load(None).unwrap());
    config.limits = quick();
    let key = SecretString::from("key-123456");
    visit(&config, &identity(1), Some(&key)).await
}

#[tokio::test]
async fn a_visit_tells_whether_the_device_is_known() {
    let told = Manner {
        answers: vec![("channels.status", Ok(json!({"channelAccounts": {}})))],
        ..Manner::default()
    };
    assert_eq!(visited(Act::Good(told)).await.unwrap(), Visit::Known);
    let request_id = Some("req-1".to_owned());
    let unknown = visited(pairing_of("req-1")).await.unwrap();
    assert_eq!(unknown, Visit::Unknown { request_id });
    let odd = visited(pairing_of("--all")).await.unwrap();
    assert_eq!(odd, Visit::Unknown { request_id: None });
}

#[tokio::test]
async fn a_visit_that_tells_nothing_says_why() {
    let refused = |message: &str, code: &str| {
        Act::Refuse(json!({"code":"INVALID_REQUEST","message":message,"details":{"code":code}}))
    };
    let no_answer = Manner {
        answers: vec![(
            "channels.status",
            Err(json!({"code":"FORBIDDEN","message":"not for key-123456"})),
        )],
        ..Manner::default()
    };
    let no_scope = Manner {
        scopes: Some(vec!["operator.read"]),
        ..Manner::default()
    };
    for (act, part) in [
        (refused("no", "AUTH_TOKEN_MISMATCH"), "refuses the key"),
        (refused("odd key-123456", "ODD"), "It refused: odd"),
        (Act::Good(no_answer), "refuses channels.status"),
        (Act::Good(no_scope), "without the scope operator.admin"),
        (Act::Close, "closed the connection"),
    ] {
        let fault = visited(act).await.unwrap_err();
        assert!(fault.message.contains(part), "{part}: {fault}");
        assert!(!fault.message.contains("key-123456"), "{fault}");
    }
}
