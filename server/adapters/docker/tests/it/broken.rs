//! Daemons that are dead, hang or talk nonsense: a sentence in bounded time, never a panic.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use adapter_docker::{DockerGateways, Endpoint, GatewayDocker, Watch};
use domain::fault::FaultKind;
use domain::gateway::GatewayId;
use domain::ports::Containers;
use futures::StreamExt;

use crate::proxy::{Mood, Proxy};

fn at(endpoint: Endpoint) -> (DockerGateways, GatewayId) {
    let id: GatewayId = "test".parse().unwrap();
    let gateways = DockerGateways::new(vec![GatewayDocker {
        id: id.clone(),
        endpoint,
        compose_dir: PathBuf::from("/nonexistent/openclaw"),
        service: "gateway".to_owned(),
        environment: BTreeMap::new(),
    }]);
    (gateways, id)
}

#[tokio::test]
async fn no_daemon_at_all_says_how_to_start_one() {
    let (gateways, id) = at(Endpoint::Unix("/nonexistent/docker.sock".into()));
    let fault = gateways.ping(&id).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.message.contains("systemctl start docker"), "{fault}");
    assert_eq!(
        gateways.compare(&id).await.unwrap_err().kind,
        FaultKind::NotFound
    );
}

#[tokio::test]
async fn a_socket_that_nobody_serves_any_more_is_a_dead_daemon() {
    let proxy = Proxy::new();
    // Bound and dropped: the file stays, as after a killed daemon.
    drop(std::os::unix::net::UnixListener::bind(&proxy.path).unwrap());
    let (gateways, id) = at(Endpoint::Unix(proxy.path.clone()));
    let fault = gateways.current(&id).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.message.starts_with("Docker does not run"), "{fault}");
}

#[tokio::test]
async fn a_hung_daemon_is_given_up_in_time() {
    let proxy = Proxy::new();
    proxy.up(Mood::Mute);
    let (gateways, id) = at(Endpoint::Unix(proxy.path.clone()));
    let began = Instant::now();
    let fault = gateways.current(&id).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TimedOut);
    assert!(fault.message.contains("did not answer"), "{fault}");
    assert!(began.elapsed() < Duration::from_secs(20));
    let mut events = Box::pin(gateways.watch(&id));
    assert!(
        matches!(events.next().await, Some(Watch::Lost(fault)) if fault.kind == FaultKind::TimedOut)
    );
}

#[tokio::test]
async fn nonsense_is_a_sentence_and_never_a_panic() {
    for nonsense in [
        &b""[..],
        b"\0\x01\x02\xff\xfe",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"Api",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{\"ApiVersion\": \"nine\"}",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\n{\"me",
        b"HTTP/1.1 404 No\r\nContent-Length: 13\r\n\r\n<html></html>",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let proxy = Proxy::new();
        proxy.up(Mood::Says(nonsense));
        let (gateways, id) = at(Endpoint::Unix(proxy.path.clone()));
        let fault = gateways.current(&id).await.unwrap_err();
        assert!(!fault.message.is_empty(), "{nonsense:?}");
        let heard = Box::pin(gateways.watch(&id)).next().await;
        assert!(
            matches!(heard, Some(Watch::Lost(_))),
            "{nonsense:?}: {heard:?}"
        );
        assert!(gateways.logs(&id, "x", 10).await.is_err());
        assert!(Box::pin(gateways.stats(&id)).next().await.unwrap().is_err());
    }
}

#[tokio::test]
async fn tls_files_that_are_missing_are_named() {
    let (gateways, id) = at(Endpoint::Tcp {
        url: "tcp://127.0.0.1:1".to_owned(),
        ca: "/nonexistent/ca.pem".into(),
        cert: "/nonexistent/cert.pem".into(),
        key: "/nonexistent/key.pem".into(),
    });
    let fault = gateways.ping(&id).await.unwrap_err();
    assert!(fault.message.contains("/nonexistent/ca.pem"), "{fault}");
}

#[tokio::test]
async fn an_unknown_gateway_is_a_fault_and_a_silent_stream() {
    let (gateways, _) = at(Endpoint::Unix("/nonexistent".into()));
    let other: GatewayId = "other".parse().unwrap();
    assert_eq!(
        gateways.ping(&other).await.unwrap_err().kind,
        FaultKind::Invalid
    );
    let mut events = Box::pin(gateways.watch(&other));
    assert!(matches!(events.next().await, Some(Watch::Lost(_))));
}
