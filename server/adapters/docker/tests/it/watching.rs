//! The stream of events, with a daemon that comes and goes.

use adapter_docker::Watch;
use domain::fault::FaultKind;
use domain::ports::Containers;
use futures::{Stream, StreamExt};

use crate::bench::{Bench, PATIENCE, PLAIN};
use crate::proxy::{Mood, Proxy};

async fn next(stream: &mut (impl Stream<Item = Watch> + Unpin)) -> Watch {
    let next = tokio::time::timeout(PATIENCE, stream.next()).await;
    next.expect("something happens")
        .expect("watching never ends")
}

async fn until(stream: &mut (impl Stream<Item = Watch> + Unpin), wanted: &str) -> Watch {
    loop {
        let heard = next(stream).await;
        if matches!(&heard, Watch::Event { action, .. } if action == wanted) {
            return heard;
        }
    }
}

#[tokio::test]
async fn a_kill_from_outside_is_heard_with_its_exit_code() {
    let bench = Bench::new(PLAIN).await;
    let stranger = Bench::new(PLAIN).await;
    let mut events = Box::pin(bench.gateways.watch(&bench.gateway));
    assert_eq!(next(&mut events).await, Watch::Connected);
    let theirs = stranger.up().await;
    let ours = bench.up().await;
    bench.kill(&ours).await;
    loop {
        let Watch::Event {
            action,
            container_id,
            exit_code,
            ..
        } = next(&mut events).await
        else {
            panic!("the connection holds");
        };
        assert_ne!(container_id, theirs, "others' events are not ours");
        if action == "die" {
            assert_eq!((container_id, exit_code), (ours, Some(137)));
            break;
        }
    }
}

#[tokio::test]
async fn ends_before_the_panel_came_are_told_once_each_and_only_ours() {
    let bench = Bench::new(PLAIN).await;
    let stranger = Bench::new(PLAIN).await;
    let hour = std::time::Duration::from_secs(3_600);
    let told = bench.gateways.deaths(&bench.gateway, hour).await.unwrap();
    assert_eq!(told, []);
    let theirs = stranger.up().await;
    stranger.kill(&theirs).await;
    let mut events = Box::pin(bench.gateways.watch(&bench.gateway));
    assert_eq!(next(&mut events).await, Watch::Connected);
    let ours = bench.up().await;
    bench.kill(&ours).await;
    let Watch::Event { at, .. } = until(&mut events, "die").await else {
        panic!("it died")
    };
    let told = bench.gateways.deaths(&bench.gateway, hour).await.unwrap();
    assert_eq!(told, [at], "the same moment as in the stream");
}

#[tokio::test]
async fn a_daemon_that_goes_and_comes_back_is_listened_to_again() {
    let proxy = Proxy::new();
    let bench = Bench::at(PLAIN, proxy.path.clone()).await;
    let mut events = Box::pin(bench.gateways.watch(&bench.gateway));
    let Watch::Lost(fault) = next(&mut events).await else {
        panic!("nobody listens yet")
    };
    assert!(fault.message.contains("There is no Docker at"), "{fault}");
    proxy.up(Mood::Honest);
    assert_eq!(next(&mut events).await, Watch::Connected);
    for _ in 0..2 {
        proxy.down();
        assert!(matches!(next(&mut events).await, Watch::Lost(_)));
        proxy.up(Mood::Honest);
        loop {
            match next(&mut events).await {
                Watch::Connected => break,
                Watch::Lost(_) => {}
                Watch::Event { .. } => panic!("nothing happened"),
            }
        }
    }
    let id = bench.up().await;
    let Watch::Event { container_id, .. } = until(&mut events, "start").await else {
        unreachable!()
    };
    assert_eq!(container_id, id);
}

#[tokio::test]
async fn a_daemon_that_hangs_in_the_middle_is_noticed_though_it_hangs_up_on_nobody() {
    let proxy = Proxy::new();
    proxy.up(Mood::Honest);
    let bench = Bench::at(PLAIN, proxy.path.clone()).await;
    bench.up().await;
    let mut events = Box::pin(bench.gateways.watch(&bench.gateway));
    assert_eq!(next(&mut events).await, Watch::Connected);
    let mut stats = Box::pin(bench.gateways.stats(&bench.gateway));
    stats.next().await.unwrap().unwrap();
    proxy.freeze();
    let measuring = async { while stats.next().await.unwrap().is_ok() {} };
    let (heard, ()) = futures::join!(next(&mut events), measuring);
    assert!(matches!(heard, Watch::Lost(fault) if fault.kind == FaultKind::TimedOut));
}

#[tokio::test]
async fn a_health_check_and_a_rename_are_heard() {
    let check = "    healthcheck: { test: [\"CMD\", \"true\"], interval: 1s }\n";
    let bench = Bench::new(&format!("{PLAIN}{check}")).await;
    let mut events = Box::pin(bench.gateways.watch(&bench.gateway));
    assert_eq!(next(&mut events).await, Watch::Connected);
    let id = bench.up().await;
    until(&mut events, "health_status: healthy").await;
    bench
        .gateways
        .rename(&bench.gateway, &id, &format!("{}-before", bench.name()))
        .await
        .unwrap();
    until(&mut events, "rename").await;
}
