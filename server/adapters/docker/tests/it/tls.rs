//! The daemon's other door: tcp, with certificates on both sides.

use std::collections::BTreeMap;
use std::path::PathBuf;

use adapter_docker::{DockerGateways, Endpoint, GatewayDocker};
use domain::fault::FaultKind;
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::ports::Containers as _;
use futures::StreamExt as _;

use crate::bench::{Bench, PATIENCE, PLAIN, socket, unique};

/// What `.setup/test-docker.sh` has made beside the socket.
fn tls(name: &str) -> PathBuf {
    socket().with_file_name("tls").join(name)
}

/// The daemon's address, by these certificates.
fn endpoint(ca: &str, who: &str) -> Endpoint {
    let url = std::fs::read_to_string(tls("address")).expect(
        "the tests' Docker daemon was started before it had this door: `.setup/test-docker.sh stop`, then again",
    );
    Endpoint::Tcp {
        url: url.trim().to_owned(),
        ca: tls(&format!("{ca}.pem")),
        cert: tls(&format!("{who}.pem")),
        key: tls(&format!("{who}-key.pem")),
    }
}

fn through(endpoint: Endpoint, folder: PathBuf) -> (DockerGateways, GatewayId) {
    let id: GatewayId = "test".parse().unwrap();
    let gateways = DockerGateways::new(vec![GatewayDocker {
        id: id.clone(),
        endpoint,
        compose_dir: folder,
        service: "gateway".to_owned(),
        environment: BTreeMap::new(),
    }]);
    (gateways, id)
}

#[tokio::test]
async fn a_container_is_made_watched_and_removed_over_tcp_with_certificates() {
    let bench = Bench::new(PLAIN).await;
    let (gateways, id) = through(endpoint("ca", "client"), bench.folder.clone());
    let mut events = gateways.watch(&id);
    let comparison = gateways.compare(&id).await.unwrap();
    let operation = OperationId(unique());
    let made = gateways.create(&id, operation, &comparison.fingerprint);
    let container = made.await.unwrap();
    gateways.start(&id, &container).await.unwrap();
    let seen = tokio::time::timeout(PATIENCE, events.next()).await;
    assert!(seen.unwrap().is_some());
    let said = gateways
        .exec(&id, &["echo", "hello"], PATIENCE)
        .await
        .unwrap();
    assert_eq!(said.stdout, "hello\n");
    let grace = std::time::Duration::from_secs(1);
    gateways.stop(&id, &container, grace).await.unwrap();
    gateways.remove(&id, &container).await.unwrap();
    assert_eq!(gateways.current(&id).await.unwrap(), None);
}

#[tokio::test]
async fn a_stranger_is_turned_away_and_a_daemon_that_cannot_prove_itself_is_not_believed() {
    for (ca, who) in [("ca", "stranger"), ("stranger-ca", "client")] {
        let (gateways, id) = through(endpoint(ca, who), PathBuf::from("/nonexistent"));
        let fault = gateways.ping(&id).await.unwrap_err();
        assert!(
            fault.message.contains("certificate"),
            "{ca} and {who}: {fault}"
        );
    }
}

#[tokio::test]
async fn certificates_that_are_not_there_are_named() {
    let (gateways, id) = through(endpoint("ca", "nobody"), PathBuf::from("/nonexistent"));
    let fault = gateways.ping(&id).await.unwrap_err();
    assert_ne!(fault.kind, FaultKind::Unexpected);
    assert!(fault.message.contains("nobody"), "{fault}");
}
