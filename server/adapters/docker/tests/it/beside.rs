//! Programs run on a gateway's volumes while it is stopped.

use std::time::Duration;

use adapter_docker::ExecOutput;
use domain::fault::{Fault, FaultKind};
use domain::ports::Containers;
use futures::StreamExt;

use crate::bench::{Bench, PATIENCE, RICH};

const GRACE: Duration = Duration::from_secs(1);

async fn beside(bench: &Bench, script: &str, limit: Duration) -> Result<ExecOutput, Fault> {
    let argv = ["sh", "-c", script];
    bench.gateways.beside(&bench.gateway, &argv, limit).await
}

/// A gateway that has left a file in its volume, and is stopped.
async fn stopped() -> Bench {
    let bench = Bench::new(RICH).await;
    let id = bench.up().await;
    let argv = ["sh", "-c", "echo kept >/state/file"];
    let written = bench.gateways.exec(&bench.gateway, &argv, PATIENCE).await;
    assert_eq!(written.unwrap().exit_code, 0);
    let stopping = bench.gateways.stop(&bench.gateway, &id, GRACE);
    stopping.await.unwrap();
    bench
}

#[tokio::test]
async fn it_sees_the_volumes_and_not_the_secrets_and_leaves_nothing_behind() {
    let bench = stopped().await;
    let script = "cat /state/file; echo moved >/state/other; echo key=$OPENCLAW_GATEWAY_TOKEN; echo oh >&2; exit 3";
    let done = beside(&bench, script, PATIENCE).await.unwrap();
    assert_eq!(done.exit_code, 3);
    assert_eq!(done.stdout, "kept\nkey=\n");
    assert_eq!(done.stderr, "oh\n");
    assert_eq!(bench.helpers().await, 0);
    let again = beside(&bench, "cat /state/other", PATIENCE).await.unwrap();
    assert_eq!(again.stdout, "moved\n");
}

#[tokio::test]
async fn it_is_refused_while_the_gateway_runs_and_without_a_container() {
    let bench = Bench::new(RICH).await;
    let none = beside(&bench, "true", PATIENCE).await.unwrap_err();
    assert_eq!(none.kind, FaultKind::NotFound);
    bench.up().await;
    let runs = beside(&bench, "true", PATIENCE).await.unwrap_err();
    assert_eq!(runs.kind, FaultKind::Refused);
}

#[tokio::test]
async fn one_that_takes_too_long_is_ended_and_removed() {
    let bench = stopped().await;
    let late = beside(&bench, "sleep 600", GRACE).await.unwrap_err();
    assert_eq!(late.kind, FaultKind::TimedOut);
    assert_eq!(bench.helpers().await, 0);
}

#[tokio::test]
async fn a_stopped_gateway_tells_its_mounts_and_hands_out_its_files() {
    let bench = stopped().await;
    let mounts = bench.gateways.mounts(&bench.gateway).await.unwrap();
    let state = mounts.iter().find(|mount| mount.folder == "/state");
    let volume = format!("volume {}_state", bench.project);
    assert_eq!(state.map(|mount| mount.what.as_str()), Some(&*volume));
    let conf = mounts.iter().find(|mount| mount.folder == "/conf");
    let folder = format!("folder {}", bench.folder.join("conf").display());
    assert_eq!(conf.map(|mount| mount.what.as_str()), Some(&*folder));
    let mut parts = bench
        .gateways
        .download(&bench.gateway, "/state")
        .await
        .unwrap();
    let mut tar = Vec::new();
    while let Some(part) = parts.next().await {
        tar.extend(part.unwrap());
    }
    let text = String::from_utf8_lossy(&tar);
    assert!(text.contains("state/file") && text.contains("kept"));
}
