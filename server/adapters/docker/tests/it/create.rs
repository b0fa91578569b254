//! Creating: it works, twice, and what it leaves behind when it does not.

use domain::fault::FaultKind;
use domain::ports::Containers;

use crate::bench::{Bench, PLAIN, RICH};

#[tokio::test]
async fn what_was_just_created_differs_in_nothing() {
    let bench = Bench::new(RICH).await;
    let id = bench.create(1).await;
    assert_eq!(bench.differing().await, Vec::<String>::new());
    bench.gateways.start(&bench.gateway, &id).await.unwrap();
    assert_eq!(
        bench.differing().await,
        Vec::<String>::new(),
        "nor while it runs"
    );

    let current = bench
        .gateways
        .current(&bench.gateway)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((current.id, current.name), (id.clone(), bench.name()));
    assert_eq!(
        (current.hostname.as_str(), current.hostname_is_default),
        ("gateway", false)
    );
    assert_eq!(current.memory_limit_bytes, Some(64 << 20));
    let api = current
        .ports
        .iter()
        .find(|port| port.container_port == 18_789)
        .unwrap();
    assert!(
        api.bound.as_ref().unwrap().starts_with("127.0.0.1:"),
        "{api:?}"
    );
    assert!(
        current
            .volumes
            .contains(&format!("{}_state → /state", bench.project)),
        "{:?}",
        current.volumes
    );

    let found = bench.docker.inspect_container(&id, None).await.unwrap();
    let labels = found.config.unwrap().labels.unwrap();
    assert_eq!(labels["com.docker.compose.project"], bench.project);
    assert_eq!(labels["panel.operation"], bench.operation(1).to_string());
    let networks = found.network_settings.unwrap().networks.unwrap();
    let default = &networks[&format!("{}_default", bench.project)];
    for alias in ["gateway", "claw", bench.name().as_str()] {
        assert!(
            default
                .aliases
                .as_ref()
                .unwrap()
                .iter()
                .any(|known| known == alias),
            "{alias}"
        );
    }
    assert!(networks.contains_key(&format!("{}_side", bench.project)));
    let volume = bench
        .docker
        .inspect_volume(&format!("{}_state", bench.project))
        .await
        .unwrap();
    assert_eq!(volume.labels["com.docker.compose.volume"], "state");
}

#[tokio::test]
async fn the_least_container_differs_in_nothing_either() {
    let bench = Bench::new(PLAIN).await;
    bench.up().await;
    assert_eq!(bench.differing().await, Vec::<String>::new());
    let current = bench
        .gateways
        .current(&bench.gateway)
        .await
        .unwrap()
        .unwrap();
    assert!(current.hostname_is_default);
    assert!(
        !bench
            .gateways
            .compare(&bench.gateway)
            .await
            .unwrap()
            .fixed_hostname
    );
}

#[tokio::test]
async fn created_twice_for_one_operation_is_one_container() {
    let bench = Bench::new(RICH).await;
    let first = bench.create(1).await;
    let second = bench.create(1).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_with_its_holder_and_leaves_nothing() {
    let bench = Bench::new(PLAIN).await;
    let first = bench.create(1).await;
    let fingerprint = bench
        .gateways
        .compare(&bench.gateway)
        .await
        .unwrap()
        .fingerprint;
    let refused = bench
        .gateways
        .create(&bench.gateway, bench.operation(2), &fingerprint)
        .await
        .unwrap_err();
    assert_eq!(refused.kind, FaultKind::Refused);
    assert!(
        refused.message.contains(&first[..12]) && refused.message.contains(&bench.name()),
        "{refused}"
    );
    let still = bench
        .gateways
        .find(&bench.gateway, &bench.name())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(still.id, first, "the holder is untouched");
}

#[tokio::test]
async fn a_folder_that_changed_since_it_was_shown_is_refused() {
    let bench = Bench::new(RICH).await;
    let shown = bench
        .gateways
        .compare(&bench.gateway)
        .await
        .unwrap()
        .fingerprint;
    assert_eq!(
        shown,
        bench
            .gateways
            .compare(&bench.gateway)
            .await
            .unwrap()
            .fingerprint
    );
    bench.write_env("OPENCLAW_API_KEY=second-secret-value\n");
    let refused = bench
        .gateways
        .create(&bench.gateway, bench.operation(1), &shown)
        .await
        .unwrap_err();
    assert_eq!(refused.kind, FaultKind::Invalid);
    assert!(
        bench
            .gateways
            .current(&bench.gateway)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_missing_image_is_told_with_what_to_do_and_leaves_nothing() {
    let bench = Bench::new(&RICH.replace("IMAGE", "nobody/has-this:1")).await;
    let comparison = bench.gateways.compare(&bench.gateway).await.unwrap();
    assert_eq!(comparison.image_id, None);
    let operation = bench.operation(1);
    let fault = bench
        .gateways
        .create(&bench.gateway, operation, &comparison.fingerprint)
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
    assert!(
        fault.message.contains("nobody/has-this:1")
            && fault.message.contains("docker compose pull"),
        "{fault}"
    );
    let network = format!("{}_default", bench.project);
    assert!(bench.docker.inspect_network(&network, None).await.is_err());
}

#[tokio::test]
async fn half_a_creation_leaves_nothing() {
    // The last network cannot be made; all before it can.
    let compose = RICH.replace(
        "  side: {}\nvolumes",
        "  side: { driver: no-such-driver }\nvolumes",
    );
    let bench = Bench::new(&compose).await;
    let fingerprint = bench
        .gateways
        .compare(&bench.gateway)
        .await
        .unwrap()
        .fingerprint;
    bench
        .gateways
        .create(&bench.gateway, bench.operation(1), &fingerprint)
        .await
        .unwrap_err();
    assert!(
        bench
            .gateways
            .current(&bench.gateway)
            .await
            .unwrap()
            .is_none()
    );
    let network = format!("{}_default", bench.project);
    assert!(
        bench.docker.inspect_network(&network, None).await.is_err(),
        "the network just made is gone"
    );
}

#[tokio::test]
async fn data_in_a_volume_that_only_the_image_asks_for_goes_over() {
    let bench = Bench::new(PLAIN).await;
    let old = bench.up().await;
    let of = async |id: &str| {
        let mounts = bench
            .docker
            .inspect_container(id, None)
            .await
            .unwrap()
            .mounts
            .unwrap();
        mounts
            .into_iter()
            .find(|one| one.destination.as_deref() == Some("/anonymous"))
            .unwrap()
            .name
    };
    let before = of(&old).await;
    bench
        .gateways
        .stop(&bench.gateway, &old, std::time::Duration::from_secs(1))
        .await
        .unwrap();
    bench
        .gateways
        .rename(&bench.gateway, &old, &format!("{}-before", bench.name()))
        .await
        .unwrap();
    let new = bench.create(2).await;
    assert_eq!(of(&new).await, before);
    assert_eq!(bench.differing().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_external_volume_that_is_missing_is_never_made() {
    let compose = RICH.replace(
        "  state: {}\n",
        "  state: { external: true, name: pt-nobody-made-this }\n",
    );
    let bench = Bench::new(&compose).await;
    let fingerprint = bench
        .gateways
        .compare(&bench.gateway)
        .await
        .unwrap()
        .fingerprint;
    let fault = bench
        .gateways
        .create(&bench.gateway, bench.operation(1), &fingerprint)
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
    assert!(fault.message.contains("pt-nobody-made-this"), "{fault}");
    assert!(
        bench
            .docker
            .inspect_volume("pt-nobody-made-this")
            .await
            .is_err()
    );
}
