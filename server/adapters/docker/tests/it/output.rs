//! Logs, measurements and programs run inside.

use std::time::Duration;

use domain::logs::LogLine;
use domain::ports::Containers;
use futures::{Stream, StreamExt};
use secrecy::ExposeSecret;

use crate::bench::{Bench, PATIENCE, PLAIN, RICH};

async fn until(lines: &mut (impl Stream<Item = LogLine> + Unpin), text: &str) -> LogLine {
    let waiting = async {
        loop {
            let line = lines.next().await.expect("following never ends");
            if line.text.contains(text) {
                return line;
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect(text)
}

#[tokio::test]
async fn the_log_has_times_and_no_secret_old_or_new() {
    let bench = Bench::new(RICH).await;
    let id = bench.up().await;
    let mut lines = Vec::new();
    for _ in 0..50 {
        lines = bench.gateways.logs(&bench.gateway, &id, 30).await.unwrap();
        if !lines.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(lines[0].text, "key [hidden]");
    assert!(lines[0].at.is_some());
    // The folder has a new key, and the container still says the old one.
    bench.write_env("OPENCLAW_API_KEY=second-secret-value\n");
    let lines = bench.gateways.logs(&bench.gateway, &id, 30).await.unwrap();
    assert_eq!(lines[0].text, "key [hidden]");
}

#[tokio::test]
async fn a_terminal_and_a_tail_are_read_too() {
    let command =
        "    command: [\"sh\", \"-c\", \"echo one; echo two; exec sleep 600\"]\n    tty: true\n";
    let bench = Bench::new(&format!("{PLAIN}{command}")).await;
    let id = bench.up().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let lines = bench.gateways.logs(&bench.gateway, &id, 1).await.unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (lines[0].text.as_str(), lines[0].at.is_some()),
        ("two", true)
    );
}

#[tokio::test]
async fn following_goes_over_to_the_next_container_without_repeating() {
    let command = "    command: [\"sh\", \"-c\", \"echo I am $$HOSTNAME; exec sleep 600\"]\n";
    let bench = Bench::new(&format!("{PLAIN}{command}")).await;
    let old = bench.up().await;
    let mut lines = Box::pin(bench.gateways.follow_logs(&bench.gateway, 10));
    until(&mut lines, &old[..12]).await;
    bench
        .gateways
        .stop(&bench.gateway, &old, Duration::from_secs(1))
        .await
        .unwrap();
    bench
        .gateways
        .rename(&bench.gateway, &old, &format!("{}-before", bench.name()))
        .await
        .unwrap();
    let new = bench.create(2).await;
    bench.gateways.start(&bench.gateway, &new).await.unwrap();
    let next = tokio::time::timeout(PATIENCE, lines.next())
        .await
        .unwrap()
        .unwrap();
    assert!(next.text.contains(&new[..12]), "{next:?}");
    // The same container again: its earlier lines are not told twice.
    bench
        .gateways
        .restart(&bench.gateway, &new, Duration::from_secs(1))
        .await
        .unwrap();
    let again = tokio::time::timeout(PATIENCE, lines.next())
        .await
        .unwrap()
        .unwrap();
    assert!(
        again.text.contains(&new[..12]) && again.at > next.at,
        "{again:?}"
    );
}

#[tokio::test]
async fn measurements_come_and_end_with_the_container() {
    let bench = Bench::new(RICH).await;
    let id = bench.up().await;
    let mut stats = Box::pin(bench.gateways.stats(&bench.gateway));
    let first = tokio::time::timeout(PATIENCE, stats.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(first.memory_limit_bytes, Some(64 << 20));
    let second = tokio::time::timeout(PATIENCE, stats.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(second.cpu_percent.is_some() && second.at > first.at);
    bench.kill(&id).await;
    let ending = async { while stats.next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, ending)
        .await
        .expect("it ends with the container");
    let none = bench
        .gateways
        .stats(&bench.gateway)
        .collect::<Vec<_>>()
        .await;
    assert!(none.is_empty(), "a stopped one is not measured");
}

#[tokio::test]
async fn a_program_inside_gives_both_outputs_and_its_code() {
    let bench = Bench::new(PLAIN).await;
    bench.up().await;
    let argv = ["sh", "-c", "echo out; echo complaint >&2; exit 3"];
    let done = bench
        .gateways
        .exec(&bench.gateway, &argv, PATIENCE)
        .await
        .unwrap();
    assert_eq!(
        (done.exit_code, done.stdout.as_str(), done.stderr.as_str()),
        (3, "out\n", "complaint\n")
    );
    let words = bench
        .gateways
        .exec(&bench.gateway, &["echo", "$HOME; ls"], PATIENCE)
        .await
        .unwrap();
    assert_eq!(words.stdout, "$HOME; ls\n", "no shell reads it");
    let slow = bench
        .gateways
        .exec(&bench.gateway, &["sleep", "60"], Duration::from_millis(300))
        .await;
    assert!(slow.unwrap_err().message.contains("within 300 ms"));
    let missing = bench
        .gateways
        .exec(&bench.gateway, &["no-such-program"], PATIENCE)
        .await;
    assert!(missing.is_err() || missing.is_ok_and(|done| done.exit_code != 0));
}

#[tokio::test]
async fn a_secret_is_read_as_compose_would_set_it() {
    let bench = Bench::new(RICH).await;
    let token = bench
        .gateways
        .secret(&bench.gateway, "OPENCLAW_GATEWAY_TOKEN")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(token.expose_secret(), "first-secret-value");
    assert!(
        bench
            .gateways
            .secret(&bench.gateway, "NOT_THERE")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_secret_is_the_one_of_the_container_that_runs() {
    let bench = Bench::new(RICH).await;
    bench.up().await;
    let secret = || async {
        let found = bench
            .gateways
            .secret(&bench.gateway, "OPENCLAW_GATEWAY_TOKEN");
        found.await.unwrap().unwrap()
    };
    std::fs::write(
        bench.folder.join(".env"),
        "OPENCLAW_API_KEY=second-secret-value\n",
    )
    .unwrap();
    assert_eq!(secret().await.expose_secret(), "first-secret-value");
    std::fs::write(bench.folder.join("docker-compose.yml"), "not: [compose").unwrap();
    assert_eq!(secret().await.expose_secret(), "first-secret-value");
}
