//! Comparisons of recorded containers.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use bollard::models::{ContainerInspectResponse, ImageInspect};
use domain::fact::ContainerState;

use super::*;

/// Made by Docker Compose's own request, on Engine 20.10.
const RECORDED: &str = include_str!("recorded/engine-20.10.json");
const IMAGE: &str = include_str!("recorded/image.json");
const FILE: &str = "
services:
  openclaw-gateway:
    image: bb:1
    hostname: openclaw-gateway
    init: true
    restart: unless-stopped
    environment:
      OPENCLAW_GATEWAY_TOKEN: ${OPENCLAW_API_KEY}
    ports: ['127.0.0.1:18789:18789', '18790:18790']
    volumes: ['state:/home/node/.openclaw']
volumes:
  state: {}
";

fn read(file: &str, env: &str) -> Read {
    let files = |path: &Path| match path.file_name().and_then(|name| name.to_str()) {
        Some("docker-compose.yml") => Ok(file.to_owned()),
        Some(".env") => Ok(env.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let project =
        compose::read_project(Path::new("/srv/openclaw"), &files, &BTreeMap::new()).unwrap();
    Read::new(project, "openclaw-gateway").unwrap()
}

fn recorded() -> ContainerInspectResponse {
    serde_json::from_str(RECORDED).unwrap()
}

fn image() -> ImageInspect {
    serde_json::from_str(IMAGE).unwrap()
}

fn compared(read: &Read, running: &ContainerInspectResponse) -> Vec<Difference> {
    let plan = Plan::of(read).unwrap();
    differences(read, &plan, Some(&image()), running, Some(&image()))
}

fn names(differences: &[Difference]) -> Vec<&str> {
    differences.iter().map(|one| one.what.as_str()).collect()
}

const ENV: &str = "OPENCLAW_API_KEY=recorded-secret-1\n";

#[test]
fn what_compose_made_differs_in_nothing() {
    assert_eq!(compared(&read(FILE, ENV), &recorded()), Vec::new());
}

#[test]
fn a_variable_that_the_file_takes_away_from_the_image_is_a_difference_until_it_is_gone() {
    let file = FILE.replace(
        "    environment:\n",
        "    environment:\n      PATH:\n      NOT_THERE:\n",
    );
    let unset = read(&file, ENV);
    let env = Plan::of(&unset).unwrap().body.env.unwrap();
    assert!(env.contains(&"PATH".to_owned()), "{env:?}");
    let found = compared(&unset, &recorded());
    assert_eq!(names(&found), ["environment PATH"]);
    assert_eq!(found[0].wanted, "not set");
    let mut gone = recorded();
    let config = gone.config.as_mut().unwrap();
    for entry in config.env.iter_mut().flatten() {
        if entry.starts_with("PATH=") {
            "PATH".clone_into(entry);
        }
    }
    assert_eq!(compared(&unset, &gone), Vec::new());
}

/// Newer Engines drop the short id from the aliases, fill the stop signal and keep empty lists.
#[test]
fn a_newer_engine_writes_the_same_container_otherwise() {
    let mut newer = recorded();
    let networks = newer
        .network_settings
        .as_mut()
        .unwrap()
        .networks
        .as_mut()
        .unwrap();
    for endpoint in networks.values_mut() {
        endpoint
            .aliases
            .as_mut()
            .unwrap()
            .retain(|alias| alias.len() != 12);
        endpoint.dns_names = endpoint.aliases.clone();
    }
    let config = newer.config.as_mut().unwrap();
    config.stop_signal = Some("SIGTERM".to_owned());
    config.working_dir = Some(String::new());
    let host = newer.host_config.as_mut().unwrap();
    host.cap_add = Some(Vec::new());
    host.pids_limit = Some(0);
    host.memory_swap = Some(-1);
    assert_eq!(compared(&read(FILE, ENV), &newer), Vec::new());
}

#[test]
fn one_made_by_docker_run_is_told_apart_in_every_way() {
    let mut by_hand = recorded();
    by_hand.name = Some("/openclaw".to_owned());
    by_hand.host_config.as_mut().unwrap().network_mode = Some("default".to_owned());
    let config = by_hand.config.as_mut().unwrap();
    config.hostname = by_hand.id.as_ref().map(|id| id[..12].to_owned());
    config.image = Some("docker.io/library/bb:1".to_owned());
    let found = compared(&read(FILE, ENV), &by_hand);
    assert_eq!(
        names(&found),
        [
            "container name",
            "host name",
            "network mode",
            "network openclaw_default"
        ]
    );
    assert_eq!(found[1].running, "not set");
}

#[test]
fn a_secret_is_told_by_name_only_and_where_to_find_it() {
    let found = compared(
        &read(FILE, "OPENCLAW_API_KEY=another-secret-2\n"),
        &recorded(),
    );
    assert_eq!(
        found,
        [Difference {
            what: "environment OPENCLAW_GATEWAY_TOKEN".to_owned(),
            running: "another value".to_owned(),
            wanted: "set in the compose file or .env".to_owned(),
        }]
    );
    let direct = FILE.replace("${OPENCLAW_API_KEY}", "${OPENCLAW_GATEWAY_TOKEN}");
    let found = compared(
        &read(&direct, "OPENCLAW_GATEWAY_TOKEN=another-secret-2\n"),
        &recorded(),
    );
    assert_eq!(found[0].wanted, "set in .env");
}

#[test]
fn a_secret_in_a_command_is_hidden() {
    let file = FILE.replace(
        "    init",
        "    command: ['x', '--token=${OPENCLAW_API_KEY}', 'recorded-secret-1']\n    init",
    );
    let found = compared(&read(&file, ENV), &recorded());
    assert_eq!(names(&found), ["command"]);
    assert!(!format!("{found:?}").contains("recorded-secret-1"));
}

#[test]
fn an_image_that_is_gone_makes_no_differences_of_its_defaults() {
    let read = read(FILE, ENV);
    let plan = Plan::of(&read).unwrap();
    let found = differences(&read, &plan, None, &recorded(), None);
    assert_eq!(names(&found), Vec::<&str>::new());
}

#[test]
fn a_newer_image_with_other_defaults_is_one_difference() {
    let mut newer = image();
    newer.id = Some("sha256:1111111111111111".to_owned());
    let config = newer.config.as_mut().unwrap();
    config.env = Some(vec![
        "PATH=/usr/bin".to_owned(),
        "NODE_VERSION=24".to_owned(),
    ]);
    config.cmd = Some(vec!["node".to_owned()]);
    let read = read(FILE, ENV);
    let plan = Plan::of(&read).unwrap();
    let found = differences(&read, &plan, Some(&newer), &recorded(), Some(&image()));
    assert_eq!(names(&found), ["image"]);
    assert_eq!(found[0].wanted, "bb:1 (111111111111)");
}

#[test]
fn the_fingerprint_follows_the_meaning_and_the_secrets() {
    let of = |file: &str, env: &str| Plan::of(&read(file, env)).unwrap().fingerprint().unwrap();
    let first = of(FILE, ENV);
    assert_eq!(first.len(), 64);
    assert_eq!(first, of(&format!("# a comment\n{FILE}"), ENV));
    assert_ne!(first, of(FILE, "OPENCLAW_API_KEY=other\n"));
    assert_ne!(first, of(&FILE.replace("init: true", "init: false"), ENV));
}

#[test]
fn a_recorded_container_is_mapped() {
    let told = inspect::container(&recorded());
    assert_eq!(told.name, "openclaw-openclaw-gateway-1");
    assert_eq!(
        (told.state, told.exit_code),
        (ContainerState::Running, None)
    );
    assert_eq!(
        (told.hostname.as_str(), told.hostname_is_default),
        ("openclaw-gateway", false)
    );
    let bound: Vec<_> = told
        .ports
        .iter()
        .map(|port| (port.container_port, port.bound.as_deref()))
        .collect();
    assert_eq!(
        bound,
        [
            (18_789, Some("127.0.0.1:18789")),
            (18_790, Some("0.0.0.0:18790"))
        ]
    );
    assert!(
        told.volumes
            .contains(&"openclaw_state → /home/node/.openclaw".to_owned()),
        "{:?}",
        told.volumes
    );
    assert!(told.started_at.is_some() && told.finished_at.is_none());
}

#[test]
fn an_empty_answer_is_mapped_without_a_panic() {
    let told = inspect::container(&ContainerInspectResponse::default());
    assert_eq!(told.state, ContainerState::Exited);
    assert_eq!(told.ports.len(), 2);
    assert!(compared(&read(FILE, ENV), &ContainerInspectResponse::default()).len() > 3);
}

#[test]
fn one_name_of_an_image_is_written_in_many_ways() {
    for same in [
        "x",
        "x:latest",
        "docker.io/x",
        "docker.io/library/x:latest",
        "library/x",
    ] {
        assert_eq!(familiar(same), "x:latest", "{same}");
    }
    assert_eq!(familiar("registry:5000/a/b"), "registry:5000/a/b:latest");
    assert_eq!(familiar("ghcr.io/a/b@sha256:12"), "ghcr.io/a/b@sha256:12");
}
