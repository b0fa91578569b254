//! Start, stop, restart, rename, remove: once, twice, and of a frozen one.

use std::net::TcpListener;
use std::time::Duration;

use domain::fact::ContainerState;
use domain::fault::FaultKind;
use domain::ports::Containers;

use crate::bench::{Bench, PLAIN, RICH};

const GRACE: Duration = Duration::from_secs(2);

async fn state(bench: &Bench) -> ContainerState {
    bench
        .gateways
        .current(&bench.gateway)
        .await
        .unwrap()
        .unwrap()
        .state
}

#[tokio::test]
async fn every_change_may_be_asked_for_twice() {
    let bench = Bench::new(PLAIN).await;
    let id = bench.create(1).await;
    assert_eq!(state(&bench).await, ContainerState::Created);
    for _ in 0..2 {
        bench.gateways.start(&bench.gateway, &id).await.unwrap();
        assert_eq!(state(&bench).await, ContainerState::Running);
    }
    bench
        .gateways
        .restart(&bench.gateway, &id, GRACE)
        .await
        .unwrap();
    assert_eq!(state(&bench).await, ContainerState::Running);
    let refused = bench
        .gateways
        .remove(&bench.gateway, &id)
        .await
        .unwrap_err();
    assert_eq!(
        refused.kind,
        FaultKind::Refused,
        "a running one is not removed"
    );
    for _ in 0..2 {
        bench
            .gateways
            .stop(&bench.gateway, &id, GRACE)
            .await
            .unwrap();
        assert_eq!(state(&bench).await, ContainerState::Exited);
    }
    for _ in 0..2 {
        bench.gateways.remove(&bench.gateway, &id).await.unwrap();
        assert!(
            bench
                .gateways
                .current(&bench.gateway)
                .await
                .unwrap()
                .is_none()
        );
    }
    let gone = bench.gateways.start(&bench.gateway, &id).await.unwrap_err();
    assert_eq!(gone.kind, FaultKind::NotFound);
}

#[tokio::test]
async fn one_set_aside_is_not_current_until_it_is_put_back() {
    let bench = Bench::new(PLAIN).await;
    let id = bench.up().await;
    let aside = format!("{}-before-1", bench.name());
    for _ in 0..2 {
        bench
            .gateways
            .rename(&bench.gateway, &id, &aside)
            .await
            .unwrap();
    }
    assert!(
        bench
            .gateways
            .current(&bench.gateway)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        bench
            .gateways
            .find(&bench.gateway, &aside)
            .await
            .unwrap()
            .is_some()
    );
    bench
        .gateways
        .rename(&bench.gateway, &id, &bench.name())
        .await
        .unwrap();
    assert_eq!(
        bench
            .gateways
            .current(&bench.gateway)
            .await
            .unwrap()
            .unwrap()
            .id,
        id
    );
    assert_eq!(bench.differing().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_frozen_one_is_woken_to_be_stopped() {
    let bench = Bench::new(PLAIN).await;
    let id = bench.up().await;
    bench.docker.pause_container(&id).await.unwrap();
    assert_eq!(state(&bench).await, ContainerState::Paused);
    bench
        .gateways
        .stop(&bench.gateway, &id, GRACE)
        .await
        .unwrap();
    let ended = bench
        .gateways
        .current(&bench.gateway)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (ended.state, ended.exit_code),
        (ContainerState::Exited, Some(143)),
        "it heard the signal"
    );

    bench.gateways.start(&bench.gateway, &id).await.unwrap();
    bench.docker.pause_container(&id).await.unwrap();
    bench
        .gateways
        .restart(&bench.gateway, &id, GRACE)
        .await
        .unwrap();
    assert_eq!(state(&bench).await, ContainerState::Running);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let compose = RICH.replace("127.0.0.1::18789", &format!("127.0.0.1:{port}:18789"));
    let bench = Bench::new(&compose).await;
    let id = bench.create(1).await;
    let fault = bench.gateways.start(&bench.gateway, &id).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.message.contains(&format!("Port {port}")), "{fault}");

    drop(holder);
    bench.gateways.start(&bench.gateway, &id).await.unwrap();
    let other = Bench::new(&compose).await;
    let id = other.create(1).await;
    let fault = other.gateways.start(&other.gateway, &id).await.unwrap_err();
    assert!(fault.message.contains(&bench.name()), "{fault}");
}

#[tokio::test]
async fn names_that_are_none_find_nothing_and_change_nothing() {
    let bench = Bench::new(PLAIN).await;
    assert!(
        bench
            .gateways
            .find(&bench.gateway, "../images/json")
            .await
            .unwrap()
            .is_none()
    );
    let fault = bench
        .gateways
        .remove(&bench.gateway, "a/../../x")
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Invalid);
    let unknown = "nobody".parse().unwrap();
    assert_eq!(
        bench.gateways.current(&unknown).await.unwrap_err().kind,
        FaultKind::Invalid
    );
}
