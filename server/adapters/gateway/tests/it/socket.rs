//! The socket against a gateway that misbehaves on purpose.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::fact::Control;
use domain::fault::FaultKind;
use serde_json::json;

use crate::scripted::{Act, Manner, Scripted};
use crate::support::{
    Linked, Remembering, TestKey, link, quick, until, until_connected, until_failing,
};

const SOON: Duration = Duration::from_secs(5);

fn usual(url: &str) -> Linked {
    link(
        url,
        quick(),
        TestKey::new("key-123456"),
        Remembering::unasked(),
    )
}

fn good() -> Act {
    Act::Good(Manner::default())
}

#[tokio::test]
async fn it_connects_and_says_what_it_found() {
    let gateway = Scripted::start([good()]).await;
    let it = usual(&gateway.url);
    let state = until_connected(&it.link).await;
    assert_eq!(state.version.as_deref(), Some("2026.9.6-scripted"));
    assert_eq!(state.protocol, Some(4));
    assert!(state.methods.contains("channels.start"));
    let connects = gateway.connects.lock().unwrap();
    let connect = &connects[0];
    assert_eq!(connect["minProtocol"], 3);
    assert_eq!(connect["maxProtocol"], 4);
    assert_eq!(
        connect["scopes"],
        json!(["operator.read", "operator.admin"])
    );
    assert_eq!(connect["auth"]["token"], "key-123456");
    assert_eq!(connect["device"]["signedAt"], 1_795_374_453_059_u64);
}

#[tokio::test]
async fn a_broken_gateway_is_named_and_tried_again_until_it_is_well() {
    for (act, part) in [
        (Act::Close, "closed the connection"),
        (Act::Mute, "in time"),
        (Act::MuteSocket, "then said nothing"),
        (Act::NoSocket, "answered 502"),
        (Act::Noise, "does not speak WebSocket"),
        (Act::Garbage, "no frame"),
        (Act::LateGarbage, "no frame"),
        (Act::Huge(30 * 1024 * 1024), "message of 30 MB"),
        (Act::FallsSilent(100), "silent"),
        (Act::CloseAfterHello, "closed the connection"),
    ] {
        let named = format!("{act:?}");
        let gateway = Scripted::start([act, good()]).await;
        let it = usual(&gateway.url);
        let why = until_failing(&it.link).await;
        assert!(why.contains(part), "{named}: {why}");
        until_connected(&it.link).await;
    }
}

#[tokio::test]
async fn half_a_frame_is_silence() {
    let gateway = Scripted::start([Act::HalfFrame]).await;
    let it = usual(&gateway.url);
    until_connected(&it.link).await;
    let begun = Instant::now();
    let fault = it
        .link
        .call("channels.status", json!({}), Duration::from_millis(300))
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn nobody_there_is_a_sentence_and_a_call_does_not_wait_for_ever() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let it = usual(&url);
    let why = until_failing(&it.link).await;
    assert!(why.starts_with("Nothing listens at 127.0.0.1:"), "{why}");
    let begun = Instant::now();
    let fault = it
        .link
        .call("channels.status", json!({}), Duration::from_secs(30))
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_call_wakes_a_socket_that_waits() {
    let gateway = Scripted::start([Act::Close]).await;
    let mut limits = quick();
    limits.shortest_wait = Duration::from_secs(120);
    limits.longest_wait = Duration::from_secs(120);
    let it = link(
        &gateway.url,
        limits,
        TestKey::new("key-123456"),
        Remembering::unasked(),
    );
    until_failing(&it.link).await;
    gateway.play(Act::Good(Manner {
        answers: vec![("health", Ok(json!({"ok":true})))],
        ..Manner::default()
    }));
    let answer = it.link.call("health", json!({}), SOON).await.unwrap();
    assert_eq!(answer, json!({"ok":true}));
}

#[tokio::test]
async fn starting_is_no_failure() {
    let starting = json!({"code":"UNAVAILABLE","message":"gateway starting",
        "details":{"reason":"startup-sidecars"},"retryable":true,"retryAfterMs":200});
    let gateway = Scripted::start([Act::Refuse(starting), good()]).await;
    let it = usual(&gateway.url);
    let mut states = it.link.control();
    while states.borrow_and_update().control != Control::Connected {
        let seen = states.borrow().control.clone();
        assert_eq!(seen, Control::Connecting);
        tokio::time::timeout(SOON, states.changed())
            .await
            .unwrap()
            .unwrap();
    }
}

fn pairing(request_id: &str) -> Act {
    Act::Refuse(
        json!({"code":"NOT_PAIRED","message":"device pairing required",
        "details":{"code":"PAIRING_REQUIRED","requestId":request_id}}),
    )
}

#[tokio::test]
async fn an_unknown_device_is_approved_and_let_in() {
    let gateway = Scripted::start([pairing("req-1"), good()]).await;
    let approver = Arc::new(Remembering::default());
    let it = link(&gateway.url, quick(), TestKey::new("k"), approver.clone());
    until_connected(&it.link).await;
    assert_eq!(*approver.asked.lock().unwrap(), ["req-1"]);
}

#[tokio::test]
async fn only_a_proper_request_id_gets_to_the_approver() {
    let gateway = Scripted::start([pairing("--all; rm -rf /")]).await;
    let approver = Arc::new(Remembering::default());
    let it = link(&gateway.url, quick(), TestKey::new("k"), approver.clone());
    let why = until_failing(&it.link).await;
    assert!(why.contains("names no request"), "{why}");
    assert!(approver.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_approval_that_fails_is_named_and_one_that_changes_nothing_is_not_repeated_for_ever() {
    let gateway = Scripted::start([pairing("req-1")]).await;
    let approver = Arc::new(Remembering::default());
    approver.refuses.store(true, Ordering::SeqCst);
    let it = link(&gateway.url, quick(), TestKey::new("k"), approver.clone());
    let why = until_failing(&it.link).await;
    assert!(why.contains("the container is not running"), "{why}");
    approver.refuses.store(false, Ordering::SeqCst);
    until(
        &it.link,
        SOON,
        |state| matches!(&state.control, Control::Failing { why } if why.contains("several times")),
    )
    .await;
    assert!(approver.count.load(Ordering::SeqCst) <= 3);
}

#[tokio::test]
async fn a_refused_key_is_said_and_a_new_one_is_tried_soon() {
    let refused = json!({"code":"INVALID_REQUEST","message":"unauthorized: key-123456",
        "details":{"code":"AUTH_TOKEN_MISMATCH","canRetryWithDeviceToken":true}});
    let gateway = Scripted::start([Act::Refuse(refused)]).await;
    let key = TestKey::new("key-123456");
    let it = link(&gateway.url, quick(), key.clone(), Remembering::unasked());
    until(&it.link, SOON, |state| state.control == Control::KeyRefused).await;
    let fault = it.link.accounts().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(!fault.message.contains("key-123456"));
    let tries = gateway.connects.lock().unwrap().len();
    assert_eq!(tries, 1, "a refused key is not tried again at once");
    gateway.play(good());
    key.change("key-654321");
    until_connected(&it.link).await;
    let connects = gateway.connects.lock().unwrap();
    assert_eq!(connects.last().unwrap()["auth"]["token"], "key-654321");
}

#[tokio::test]
async fn a_protocol_that_does_not_fit_is_named() {
    let mismatch = json!({"code":"INVALID_REQUEST","message":"protocol mismatch",
        "details":{"expectedProtocol":5}});
    let gateway = Scripted::start([Act::Refuse(mismatch)]).await;
    let it = usual(&gateway.url);
    let why = until_failing(&it.link).await;
    assert!(why.contains("speaks protocol 5"), "{why}");

    let gateway = Scripted::start([Act::Good(Manner {
        protocol: 9,
        ..Manner::default()
    })])
    .await;
    let it = usual(&gateway.url);
    let why = until_failing(&it.link).await;
    assert!(why.contains("insists on protocol 9"), "{why}");
}

#[tokio::test]
async fn a_missing_scope_is_seen_at_hello_and_at_the_first_call() {
    let gateway = Scripted::start([Act::Good(Manner {
        scopes: Some(vec![]),
        ..Manner::default()
    })])
    .await;
    let it = usual(&gateway.url);
    until(&it.link, SOON, |state| {
        matches!(&state.control, Control::ScopeMissing { scope } if scope == "operator.read")
    })
    .await;

    let old = json!({"code":"INVALID_REQUEST","message":"missing scope: operator.read"});
    let gateway = Scripted::start([Act::Good(Manner {
        protocol: 3,
        scopes: None,
        answers: vec![("channels.status", Err(old))],
        ..Manner::default()
    })])
    .await;
    let it = usual(&gateway.url);
    until_connected(&it.link).await;
    let fault = it.link.accounts().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(matches!(
        it.link.state().control,
        Control::ScopeMissing { .. }
    ));
}

#[tokio::test]
async fn answers_find_their_calls_and_an_unanswered_one_times_out_alone() {
    let gateway = Scripted::start([Act::Good(Manner {
        answers: vec![
            ("a", Ok(json!(1))),
            ("b", Ok(json!(2))),
            ("never", Ok(json!(null))),
        ],
        ..Manner::default()
    })])
    .await;
    let it = usual(&gateway.url);
    let link = &it.link;
    let (never, a, b, unknown) = tokio::join!(
        link.call("never", json!({}), Duration::from_millis(500)),
        link.call("a", json!({}), SOON),
        link.call("b", json!({}), SOON),
        link.call("c", json!({}), SOON),
    );
    assert_eq!(never.unwrap_err().kind, FaultKind::TimedOut);
    assert_eq!((a.unwrap(), b.unwrap()), (json!(1), json!(2)));
    assert_eq!(unknown.unwrap_err().kind, FaultKind::NotOffered);
}

#[tokio::test]
async fn it_ends_when_told_to() {
    let gateway = Scripted::start([good()]).await;
    let it = usual(&gateway.url);
    until_connected(&it.link).await;
    it.tracker.close();
    it.cancel.cancel();
    tokio::time::timeout(SOON, it.tracker.wait()).await.unwrap();
}
