use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use insta::assert_snapshot;

use crate::{Project, read_project};

fn project(text: &str) -> Project {
    let files = |path: &Path| {
        if path == Path::new("/srv/openclaw/compose.yaml") {
            Ok(text.to_owned())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    };
    read_project(Path::new("/srv/openclaw"), &files, &BTreeMap::new()).expect("a good project")
}

const FILE: &str = "\
services:
  web:
    image: web:1
    labels: {team: ops}
    networks: {default: {aliases: [www, web]}, inner: }
    depends_on: {db: {condition: service_healthy, restart: true}}
    volumes: [data:/data, shared:/shared]
  db:
    image: db:1
    container_name: the-db
networks:
  inner: {labels: {a: b}}
  outer: {external: true, name: backbone}
volumes:
  data: {name: big-data}
  shared: {external: true}
  rest:
";

fn lines(labels: BTreeMap<String, String>) -> String {
    let lines: Vec<String> = labels
        .into_iter()
        .map(|(label, value)| format!("{label}={value}"))
        .collect();
    lines.join("\n")
}

#[test]
fn names_are_those_of_docker_compose() {
    let project = project(FILE);
    assert_eq!(project.container_name("web"), "openclaw-web-1");
    assert_eq!(project.container_name("db"), "the-db");
    assert_eq!(project.network_name("default"), "openclaw_default");
    assert_eq!(project.network_name("inner"), "openclaw_inner");
    assert_eq!(project.network_name("outer"), "backbone");
    assert_eq!(project.volume_name("data"), "big-data");
    assert_eq!(project.volume_name("shared"), "shared");
    assert_eq!(project.volume_name("rest"), "openclaw_rest");
}

#[test]
fn a_container_is_known_by_its_name_its_service_and_its_aliases() {
    let project = project(FILE);
    let network = &project.services["web"].networks[0];
    assert_eq!(
        project.network_aliases("web", network),
        ["openclaw-web-1", "web", "www"]
    );
}

#[test]
fn labels_are_those_of_docker_compose_and_of_the_file() {
    let mut labels = project(FILE).labels("web");
    let hash = labels
        .remove("com.docker.compose.config-hash")
        .expect("there is a hash");
    assert_eq!(hash.len(), 64);
    assert_snapshot!(lines(labels), @"
    com.docker.compose.container-number=1
    com.docker.compose.depends_on=db:service_healthy:true
    com.docker.compose.oneoff=False
    com.docker.compose.project=openclaw
    com.docker.compose.project.config_files=/srv/openclaw/compose.yaml
    com.docker.compose.project.working_dir=/srv/openclaw
    com.docker.compose.service=web
    com.docker.compose.version=openclaw-panel-0.1.0
    team=ops
    ");
}

#[test]
fn networks_and_volumes_carry_labels_too() {
    let project = project(FILE);
    assert_snapshot!(lines(project.network_labels("inner")), @"
    a=b
    com.docker.compose.network=inner
    com.docker.compose.project=openclaw
    com.docker.compose.version=openclaw-panel-0.1.0
    ");
    assert_snapshot!(lines(project.volume_labels("rest")), @"
    com.docker.compose.project=openclaw
    com.docker.compose.version=openclaw-panel-0.1.0
    com.docker.compose.volume=rest
    ");
}

fn hash(service: &str) -> String {
    let text = format!("services:\n  web:\n{service}volumes: {{data: }}\n");
    project(&text)
        .config_hash("web")
        .expect("the service is there")
}

#[test]
fn the_hash_is_the_same_for_the_same_meaning() {
    let one = hash(
        "    image: web:1\n    environment: {A: 1, B: x}\n    ports: [\"80:80\"]\n    mem_limit: 1g\n",
    );
    let other = hash(
        "    # said otherwise\n    mem_limit: 1024m\n    environment: [B=x, A=1]\n    \
         ports: [{target: 80, published: 80}]\n    image: web:1\n    profiles: [a]\n    \
         pull_policy: always\n",
    );
    assert_eq!(one, other);
}

#[test]
fn the_hash_of_this_release_is_the_hash_of_the_next() {
    assert_snapshot!(hash("    image: web:1\n"), @"e41ee3d59edeac88d1c8f1793424670f4a79ace70fe2b657174b16855de3d149");
}

#[test]
fn the_hash_changes_with_everything_a_container_is_made_from() {
    let settings = [
        "",
        "environment: {A: 1}",
        "environment: {A: 2}",
        "environment: {A: }",
        "command: a",
        "command: []",
        "entrypoint: a",
        "user: a",
        "working_dir: /a",
        "hostname: a",
        "domainname: a",
        "container_name: aa",
        "init: true",
        "init: false",
        "restart: always",
        "restart: on-failure:3",
        "ports: [80]",
        "ports: [\"80:80\"]",
        "ports: [\"80:80/udp\"]",
        "ports: [\"127.0.0.1:80:80\"]",
        "expose: [80]",
        "volumes: [data:/a]",
        "volumes: [data:/a:ro]",
        "volumes: [./data:/a]",
        "tmpfs: /a",
        "tmpfs: /a:size=1",
        "volumes: [{type: tmpfs, target: /a}]",
        "network_mode: host",
        "network_mode: none",
        "networks: {default: {aliases: [a]}}",
        "networks: {default: {ipv4_address: 10.0.0.2}}",
        "mem_limit: 1g",
        "mem_reservation: 1g",
        "memswap_limit: 1g",
        "cpus: 1",
        "pids_limit: 9",
        "shm_size: 1g",
        "oom_score_adj: 9",
        "labels: [a]",
        "labels: [a=b]",
        "cap_add: [A]",
        "cap_drop: [A]",
        "security_opt: [no-new-privileges]",
        "sysctls: {a: 1}",
        "logging: {driver: none}",
        "logging: {options: {a: b}}",
        "extra_hosts: [a=1.1.1.1]",
        "read_only: true",
        "privileged: true",
        "stdin_open: true",
        "tty: true",
        "stop_grace_period: 5s",
        "stop_signal: INT",
        "ulimits: {nofile: 5}",
        "dns: 1.1.1.1",
        "dns_search: a",
        "dns_opt: [a]",
        "group_add: [a]",
        "platform: linux/arm64",
        "healthcheck: {disable: true}",
        "healthcheck: {retries: 3}",
        "healthcheck: {test: a}",
        "healthcheck: {interval: 3s}",
        "healthcheck: {timeout: 3s}",
        "healthcheck: {start_period: 3s}",
        "healthcheck: {start_interval: 3s}",
    ];
    let mut seen = BTreeMap::new();
    for setting in settings {
        let hash = hash(&format!("    image: web:1\n    {setting}\n"));
        if let Some(other) = seen.insert(hash, setting) {
            panic!("`{setting}` and `{other}` have the same hash");
        }
    }
}
