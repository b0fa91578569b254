//! Every change is named, and only it, and no value of the environment is shown.

use domain::ports::Containers;

use crate::bench::{Bench, RICH, import};

#[tokio::test]
async fn a_changed_secret_is_named_without_its_value() {
    let bench = Bench::new(RICH).await;
    bench.up().await;
    bench.write_env("OPENCLAW_API_KEY=second-secret-value\n");
    let comparison = bench.gateways.compare(&bench.gateway).await.unwrap();
    assert_eq!(
        comparison.differences.len(),
        1,
        "{:?}",
        comparison.differences
    );
    let only = &comparison.differences[0];
    assert_eq!(only.what, "environment OPENCLAW_GATEWAY_TOKEN");
    assert_eq!(only.running, "another value");
    assert!(only.wanted.starts_with("set in"), "{}", only.wanted);
    let all = format!("{comparison:?}");
    assert!(!all.contains("first-secret") && !all.contains("second-secret"));
}

#[tokio::test]
async fn each_change_of_the_file_is_exactly_one_difference() {
    let bench = Bench::new(RICH).await;
    bench.up().await;
    for (from, to, what) in [
        ("hostname: gateway", "hostname: other", "host name"),
        ("    hostname: gateway\n", "", "host name"),
        ("init: true", "init: false", "init process"),
        (
            "restart: unless-stopped",
            "restart: on-failure:3",
            "restart policy",
        ),
        ("GREETING: hello", "GREETING: hi", "environment GREETING"),
        (
            "GREETING: hello",
            "BROUGHT: 'no'\n      GREETING: hello",
            "environment BROUGHT",
        ),
        (
            "GREETING: hello",
            "GREETING: hello\n      FURTHER: x",
            "environment FURTHER",
        ),
        ("exec sleep 600", "exec sleep 601", "command"),
        ("127.0.0.1::18789", "127.0.0.1:1234:18789", "port 18789/tcp"),
        (
            "expose: [\"18790\"]",
            "expose: [\"18791\", \"18790\"]",
            "exposed port 18791/tcp",
        ),
        ("./conf:/conf:ro", "./conf:/conf", "mount /conf"),
        ("state:/state", "state:/state:ro", "mount /state"),
        ("size: 1048576", "size: 2097152", "tmpfs /scratch"),
        ("/run:size=1m", "/run:size=2m", "tmpfs /run"),
        ("aliases: [claw]", "aliases: [paw]", "network NET_default"),
        ("      side: {}\n    mem", "    mem", "network NET_side"),
        ("mem_limit: 64m", "mem_limit: 65m", "memory limit"),
        ("cpus: 0.5", "cpus: 0.75", "CPU limit"),
        ("pids_limit: 50", "pids_limit: 51", "process limit"),
        ("interval: 1s", "interval: 3s", "health check"),
        ("team: ops", "team: dev", "label team"),
        ("user: \"0:0\"", "user: \"1:1\"", "user"),
        (
            "working_dir: /state",
            "working_dir: /conf",
            "working folder",
        ),
        (
            "cap_drop: [ALL]",
            "cap_drop: [CHOWN]",
            "dropped capabilities",
        ),
        (
            "cap_add: [NET_BIND_SERVICE]",
            "cap_add: [CHOWN]",
            "added capabilities",
        ),
        (
            "    security_opt: [\"no-new-privileges:true\"]\n",
            "",
            "security options",
        ),
        ("max-size: 1m", "max-size: 2m", "log option max-size"),
        ("standin:1.2.3.4", "standin:1.2.3.5", "extra hosts"),
        ("    read_only: true\n", "", "read-only root file system"),
        ("soft: 1000", "soft: 999", "ulimit nofile"),
        (
            "stop_grace_period: 3s",
            "stop_grace_period: 4s",
            "stop grace period",
        ),
        ("stop_signal: SIGTERM", "stop_signal: SIGINT", "stop signal"),
        ("shm_size: 32m", "shm_size: 33m", "shared memory"),
        ("9.9.9.9", "9.9.9.10", "name servers"),
    ] {
        assert!(RICH.contains(from), "{from}");
        bench.write(&RICH.replacen(from, to, 1));
        let what = what.replace("NET", &bench.project);
        assert_eq!(bench.differing().await, [what], "{from} → {to}");
    }
    bench.write(RICH);
    assert_eq!(bench.differing().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_newer_image_of_the_same_name_is_one_difference() {
    let bench = Bench::new(RICH).await;
    bench.up().await;
    import(&bench.docker, &bench.image).await;
    assert_eq!(bench.differing().await, ["image"]);
}

#[tokio::test]
async fn a_network_joined_by_hand_is_named() {
    let bench = Bench::new(RICH).await;
    let id = bench.up().await;
    let request = bollard::models::NetworkConnectRequest {
        container: id,
        endpoint_config: None,
    };
    bench
        .docker
        .connect_network("bridge", request)
        .await
        .unwrap();
    assert_eq!(bench.differing().await, ["network bridge"]);
}

#[tokio::test]
async fn a_broken_file_does_not_blind_the_panel_for_the_container() {
    let bench = Bench::new(RICH).await;
    let id = bench.up().await;
    bench.write("services: [");
    bench.gateways.compare(&bench.gateway).await.unwrap_err();
    let current = bench
        .gateways
        .current(&bench.gateway)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(current.id, id);
}

#[tokio::test]
async fn what_the_panel_does_not_do_is_noted() {
    let compose = "
services:
  gateway:
    image: IMAGE
    pull_policy: always
    environment: [PATH]
    depends_on: [db]
  db:
    image: IMAGE
";
    let bench = Bench::new(compose).await;
    let said = bench.gateways.compare(&bench.gateway).await.unwrap();
    let notes = said.notes.join("\n");
    assert!(notes.contains("pulls nothing"), "{notes}");
    assert!(notes.contains("depends on `db`"), "{notes}");
}
