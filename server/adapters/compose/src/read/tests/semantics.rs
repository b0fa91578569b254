//! What a good file means.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use insta::assert_snapshot;

use super::*;
use crate::{
    Check, Condition, Dependency, Healthcheck, Mount, NetworkMode, Port, Protocol, PullPolicy,
    RestartPolicy, Ulimit, VariableSource,
};

fn ports(lines: &str) -> Vec<String> {
    web(lines)
        .ports
        .iter()
        .map(
            |Port {
                 host_ip,
                 host_port,
                 container_port,
                 protocol,
             }| {
                let ip = host_ip.map_or("*".to_owned(), |ip| ip.to_string());
                let host = host_port.map_or("?".to_owned(), |port| port.to_string());
                format!("{ip} {host} {container_port}/{protocol}")
            },
        )
        .collect()
}

fn environment(folder: Folder) -> Vec<String> {
    let service = service(folder);
    let set = service
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    set.chain(service.environment_unset.iter().cloned())
        .collect()
}

#[test]
fn the_file_of_a_gateway_is_read_whole() {
    let project = gateway().read().unwrap();
    assert_eq!(project.name, "openclaw");
    assert_eq!(project.file, Path::new("/srv/openclaw/docker-compose.yml"));
    assert_eq!(
        project.container_name("openclaw-gateway"),
        "openclaw-openclaw-gateway-1"
    );
    let gateway = &project.services["openclaw-gateway"];
    assert_eq!(gateway.image, "openclaw:local");
    assert_eq!(gateway.hostname.as_deref(), Some("openclaw-gateway"));
    assert_eq!(gateway.init, Some(true));
    assert_eq!(gateway.restart, RestartPolicy::UnlessStopped);
    assert_eq!(gateway.environment["OPENCLAW_GATEWAY_TOKEN"], "sekret-1");
    assert_eq!(gateway.environment["OPENAI_API_KEY"], "sekret-2");
    assert_eq!(gateway.environment["HOME"], "/home/node");
    assert!(gateway.environment_unset.contains("TZ"));
    assert_eq!(gateway.memory_limit_bytes, Some(2 << 30));
    assert_eq!(gateway.nano_cpus, Some(1_500_000_000));
    assert_eq!(
        gateway.ulimits["nofile"],
        Ulimit {
            soft: 4096,
            hard: 8192
        }
    );
    assert_eq!(gateway.stop_grace_period, Some(Duration::from_secs(60)));
    assert_eq!(gateway.tmpfs["/tmp"], "size=64m");
    assert_eq!(
        gateway.extra_hosts[0].to_string(),
        "host.docker.internal:host-gateway"
    );
    assert_eq!(gateway.logging.as_ref().unwrap().options["max-file"], "3");
    assert_eq!(gateway.labels["traefik.enable"], "false");
    assert_eq!(
        gateway.command.as_ref().unwrap(),
        &["node", "dist/index.js", "gateway", "--bind", "lan"]
    );
    let Some(Healthcheck::Check(check)) = &gateway.healthcheck else {
        panic!("a check")
    };
    assert_eq!(check.test.as_ref().unwrap()[..2], ["CMD", "node"]);
    assert_eq!(check.start_period, Some(Duration::from_secs(40)));
    let cli = &project.services["openclaw-cli"];
    assert_eq!(
        cli.network_mode,
        Some(NetworkMode::Service("openclaw-gateway".to_owned()))
    );
    assert!(cli.depends_on.contains_key("openclaw-gateway"));
    assert!(cli.networks.is_empty());
    assert_eq!(project.networks["default"].name, "openclaw_default");
    assert_eq!(project.volume_name("state"), "openclaw_state");
}

#[test]
fn debug_shows_no_secret() {
    let project = gateway().read().unwrap();
    let debug = format!("{project:#?}");
    assert!(!debug.contains("sekret"), "{debug}");
    assert!(debug.contains("OPENCLAW_GATEWAY_TOKEN"), "{debug}");
    let lines = "command: [\"${S}\"]\nentrypoint: [\"${S}\"]\nlabels: {a: \"${S}\"}\n\
                 healthcheck: {test: \"${S}\"}\nlogging: {options: {a: \"${S}\"}}\n\
                 sysctls: {a: \"${S}\"}";
    let project = with(lines).variable("S", "sekret").read().unwrap();
    assert!(!format!("{project:?}").contains("sekret"));
    assert!(!format!("{:?}", project.services["web"].healthcheck).contains("sekret"));
}

#[test]
fn used_variables_are_listed_with_source_and_lines() {
    let project = gateway()
        .variable("OPENCLAW_GATEWAY_PORT", "1")
        .read()
        .unwrap();
    let used: Vec<String> = project
        .env_names_used
        .iter()
        .map(|(name, used)| format!("{name} {:?} {:?}", used.source, used.lines))
        .collect();
    assert_snapshot!(used.join("\n"), @"
    MEMORY Unset {25}
    OPENCLAW_API_KEY DotEnv {15}
    OPENCLAW_GATEWAY_BIND Unset {41}
    OPENCLAW_GATEWAY_PORT Environment {19}
    OPENCLAW_IMAGE Unset {8, 44}
    TZ Unset {17}
    ");
    assert_eq!(project.env_names_used["TZ"].source, VariableSource::Unset);
}

#[test]
fn short_ports_are_expanded() {
    assert_eq!(ports("ports: [\"80\", 81]"), ["* ? 80/tcp", "* ? 81/tcp"]);
    assert_eq!(ports("ports: [\"8080:80/udp\"]"), ["* 8080 80/udp"]);
    assert_eq!(
        ports("ports: [\"8080-8081:80-81\"]"),
        ["* 8080 80/tcp", "* 8081 81/tcp"]
    );
    assert_eq!(
        ports("ports: [\"127.0.0.1:8080:80/tcp\"]"),
        ["127.0.0.1 8080 80/tcp"]
    );
    assert_eq!(
        ports("ports: [\"127.0.0.1::53/udp\"]"),
        ["127.0.0.1 ? 53/udp"]
    );
    assert_eq!(ports("ports: [\"[::1]:80:80\"]"), ["::1 80 80/tcp"]);
    assert_eq!(ports("ports: [\"::1:80:80\"]"), ["::1 80 80/tcp"]);
    assert_eq!(ports("ports: [\"90-91\"]"), ["* ? 90/tcp", "* ? 91/tcp"]);
    assert_eq!(ports("ports: [22:22]"), ["* 22 22/tcp"]);
}

#[test]
fn long_ports_mean_the_same() {
    let long = "ports:\n  - {target: 80, published: \"8080\", host_ip: 127.0.0.1, protocol: udp}";
    assert_eq!(ports(long), ["127.0.0.1 8080 80/udp"]);
    assert_eq!(ports("ports: [{target: 80}]"), ["* ? 80/tcp"]);
    let published = web("ports: [{target: 80, published: 8080, mode: host, name: web}]").ports;
    assert_eq!(
        published,
        [Port {
            host_ip: None,
            host_port: Some(8080),
            container_port: 80,
            protocol: Protocol::Tcp
        }]
    );
    assert_eq!(ports("ports: [\"[::1]:1:1\"]"), ["::1 1 1/tcp"]);
    let ip = web("ports: [\"[::1]:1:1\"]").ports[0].host_ip;
    assert_eq!(ip, Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
}

#[test]
fn environment_wins_over_env_files_and_later_files_over_earlier() {
    let folder = with("environment: {A: \"${A}\", B: , C: }\nenv_file: [one.env, two.env]")
        .file(".env", "A=env\nC=fromenv\n")
        .file("one.env", "A=one\nB=one\nD=one\nE=$A-$D-$Z\n")
        .file("two.env", "D=two\nF=$D\nZ\n")
        .variable("Z", "zz");
    assert_eq!(
        environment(folder),
        [
            "A=env",
            "C=fromenv",
            "D=two",
            "E=env-one-zz",
            "F=two",
            "Z=zz",
            "B"
        ]
    );
}

#[test]
fn the_list_form_of_the_environment_means_the_same() {
    let list = with("environment: [A=1, B, \"C=\", D=$S]")
        .variable("S", "s")
        .variable("B", "b");
    let map = with("environment: {A: 1, B: , C: \"\", D: $S}")
        .variable("S", "s")
        .variable("B", "b");
    assert_eq!(environment(list), ["A=1", "B=b", "C=", "D=s"]);
    assert_eq!(environment(map), ["A=1", "B=b", "C=", "D=s"]);
}

#[test]
fn environment_values_are_written_as_compose_writes_them() {
    let folder = with("environment: {A: true, B: 1.10, C: 010, D: yes, E: \"010\"}");
    assert_eq!(
        environment(folder),
        ["A=true", "B=1.1", "C=8", "D=yes", "E=010"]
    );
}

#[test]
fn the_callers_environment_wins_over_the_env_file() {
    let folder = with("hostname: $NAME").file(".env", "NAME=file\n");
    assert_eq!(
        service(folder.variable("NAME", "caller"))
            .hostname
            .as_deref(),
        Some("caller")
    );
    let disabled = with("hostname: x$NAME")
        .file(".env", "NAME=file\n")
        .variable("COMPOSE_DISABLE_ENV_FILE", "1");
    assert_eq!(service(disabled).hostname.as_deref(), Some("x"));
}

#[test]
fn an_optional_env_file_may_be_missing() {
    let folder = with("env_file: [{path: gone.env, required: false}]");
    assert!(environment(folder).is_empty());
}

#[test]
fn mounts_of_every_kind() {
    let lines = "volumes:\n  - data:/data/\n  - ./here:/here:ro\n  - ../up:/up\n  - /abs/../x:/x\n  \
                 - ~/home:/home\n  - {type: bind, source: ./b, target: /b, bind: \
                 {create_host_path: false}}\n  - {type: volume, source: data, target: /d2, \
                 volume: {nocopy: true}}\n  - {type: tmpfs, target: /t, tmpfs: {size: 10m, mode: \
                 01777}}";
    let folder = with(lines).variable("HOME", "/root");
    let text = folder.files.values().next().unwrap().clone() + "volumes: {data: }\n";
    let service = service(folder.file("docker-compose.yml", &text));
    let bind = |source: &str, target: &str, read_only, create_host_path| Mount::Bind {
        source: source.into(),
        target: target.to_owned(),
        read_only,
        create_host_path,
    };
    let volume = |target: &str, no_copy| Mount::Volume {
        name: "data".to_owned(),
        target: target.to_owned(),
        read_only: false,
        no_copy,
    };
    assert_eq!(
        service.mounts,
        [
            volume("/data", false),
            bind("/srv/openclaw/here", "/here", true, true),
            bind("/srv/up", "/up", false, true),
            bind("/abs/../x", "/x", false, true),
            bind("/root/home", "/home", false, true),
            bind("/srv/openclaw/b", "/b", false, false),
            volume("/d2", true),
            Mount::Tmpfs {
                target: "/t".to_owned(),
                size_bytes: Some(10 << 20),
                mode: Some(0o1777)
            },
        ]
    );
}

#[test]
fn limits_come_from_the_service_or_from_deploy() {
    let deploy = web(
        "deploy: {replicas: 1, resources: {limits: {memory: 2g, cpus: \"0.5\", pids: 9}, \
         reservations: {memory: 1g}}}",
    );
    assert_eq!(deploy.memory_limit_bytes, Some(2 << 30));
    assert_eq!(deploy.memory_reservation_bytes, Some(1 << 30));
    assert_eq!(deploy.nano_cpus, Some(500_000_000));
    assert_eq!(deploy.pids_limit, Some(9));
    let own = web("mem_limit: 512m\nmemswap_limit: -1\nshm_size: 64m\ncpus: 2\npids_limit: -1");
    assert_eq!(own.memory_limit_bytes, Some(512 << 20));
    assert_eq!(own.memory_swap_bytes, Some(-1));
    assert_eq!(own.shm_size_bytes, Some(64 << 20));
    assert_eq!(own.nano_cpus, Some(2_000_000_000));
    assert_eq!(own.pids_limit, Some(-1));
    assert_eq!(web("mem_limit: 0").memory_limit_bytes, None);
    assert_eq!(web("deploy:").memory_limit_bytes, None);
    assert_eq!(
        web("mem_limit: 1g\ndeploy: {resources: {limits: {memory: 1024m}}}").pids_limit,
        None
    );
}

#[test]
fn health_checks_are_in_the_form_of_the_engine() {
    let check = |lines: &str| web(&format!("healthcheck: {lines}")).healthcheck.unwrap();
    let words = |words: &[&str]| Some(words.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert!(check("{disable: true}") == Healthcheck::Disabled);
    assert!(check("{test: [NONE]}") == Healthcheck::Disabled);
    let expected = Check {
        test: words(&["CMD-SHELL", "curl x"]),
        interval: Some(Duration::from_secs(90)),
        retries: Some(3),
        ..Check::default()
    };
    assert!(check("{test: curl x, interval: 1m30s, retries: 3}") == Healthcheck::Check(expected));
    let expected = Check {
        test: words(&["CMD", "true"]),
        ..Check::default()
    };
    assert!(check("{test: [CMD, \"true\"]}") == Healthcheck::Check(expected));
    assert!(check("{}") == Healthcheck::Check(Check::default()));
    assert!(web("").healthcheck.is_none());
}

#[test]
fn restart_policies() {
    for (text, policy) in [
        ("no", RestartPolicy::No),
        ("\"no\"", RestartPolicy::No),
        ("always", RestartPolicy::Always),
        ("unless-stopped", RestartPolicy::UnlessStopped),
        ("on-failure", RestartPolicy::OnFailure(None)),
        ("on-failure:3", RestartPolicy::OnFailure(Some(3))),
    ] {
        assert_eq!(web(&format!("restart: {text}")).restart, policy);
    }
    assert_eq!(web("").restart, RestartPolicy::No);
}

#[test]
fn commands_are_words_nothing_or_empty() {
    let words = |words: &[&str]| Some(words.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(
        web("command: a \"b c\" $$d").command,
        words(&["a", "b c", "$d"])
    );
    assert_eq!(web("command: [a, b c]").command, words(&["a", "b c"]));
    assert_eq!(web("command: >\n  a\n  b").command, words(&["a", "b"]));
    assert_eq!(web("command: []").command, words(&[]));
    assert_eq!(web("entrypoint: \"\"").entrypoint, words(&[]));
    assert_eq!(web("command:").command, None);
    assert_eq!(web("").command, None);
}

#[test]
fn networks_come_by_priority_and_then_by_name() {
    let text = "services:\n  web:\n    image: x\n    networks:\n      b: \n      c: {priority: 5, \
                aliases: [w], ipv4_address: 10.0.0.9}\n      a: {}\nnetworks: {a: , b: , c: }\n";
    let web = service(Folder::new(text));
    let names: Vec<&str> = web
        .networks
        .iter()
        .map(|network| network.name.as_str())
        .collect();
    assert_eq!(names, ["c", "a", "b"]);
    assert_eq!(web.networks[0].aliases, ["w"]);
    assert_eq!(
        web.networks[0].ipv4_address,
        Some(Ipv4Addr::new(10, 0, 0, 9))
    );
}

#[test]
fn a_service_without_networks_joins_the_default_one() {
    let project = with("").read().unwrap();
    assert_eq!(project.services["web"].networks[0].name, "default");
    assert_eq!(project.networks["default"].name, "openclaw_default");
    let project = with("network_mode: host").read().unwrap();
    assert!(project.networks.is_empty());
    assert_eq!(
        project.services["web"].network_mode,
        Some(NetworkMode::Host)
    );
    let text = "services: {web: {image: x}}\nnetworks: {default: {name: own, external: true}}\n";
    assert_eq!(
        Folder::new(text).read().unwrap().network_name("default"),
        "own"
    );
}

#[test]
fn extra_hosts_in_every_form() {
    let hosts = |lines: &str| -> Vec<String> {
        web(lines)
            .extra_hosts
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        hosts("extra_hosts: [\"a:1.2.3.4\", \"b=::1\", \"c:host-gateway\", \"d:[::1]\"]"),
        ["a:1.2.3.4", "b:::1", "c:host-gateway", "d:::1"]
    );
    assert_eq!(
        hosts("extra_hosts: {a: 1.2.3.4, b: [1.1.1.1, 2.2.2.2]}"),
        ["a:1.2.3.4", "b:1.1.1.1", "b:2.2.2.2"]
    );
    assert_eq!(
        hosts("extra_hosts: [\"a=1.1.1.1,2.2.2.2\"]"),
        ["a:1.1.1.1", "a:2.2.2.2"]
    );
}

#[test]
fn dependencies_in_both_forms() {
    let text = |depends_on: &str| {
        format!("services:\n  web: {{image: x, depends_on: {depends_on}}}\n  db: {{image: y}}\n")
    };
    let plain = Dependency {
        condition: Condition::Started,
        restart: false,
        required: true,
    };
    assert_eq!(service(Folder::new(&text("[db]"))).depends_on["db"], plain);
    let healthy = Dependency {
        condition: Condition::Healthy,
        restart: true,
        required: false,
    };
    let long = "{db: {condition: service_healthy, restart: true, required: false}}";
    assert_eq!(service(Folder::new(&text(long))).depends_on["db"], healthy);
}

#[test]
fn the_project_is_named_by_variable_file_or_folder() {
    let name = |folder: Folder| folder.read().unwrap().name;
    assert_eq!(name(with("")), "openclaw");
    let named = |text: &str| Folder::new(&format!("name: {text}\nservices: {{a: {{image: x}}}}\n"));
    assert_eq!(name(named("Foo_Bar-1")), "foo_bar-1");
    assert_eq!(name(named("${N}").variable("N", "from-env")), "from-env");
    assert_eq!(name(named("\"\"")), "openclaw");
    let by_file = named("lost").file(".env", "COMPOSE_PROJECT_NAME=won\n");
    assert_eq!(name(by_file), "won");
    let used = with("hostname: h-$COMPOSE_PROJECT_NAME");
    assert_eq!(service(used).hostname.as_deref(), Some("h-openclaw"));
}

#[test]
fn the_first_of_the_usual_names_is_read() {
    let text = "services: {web: {image: second}}\n";
    let folder = with("").file("compose.yml", text);
    assert_eq!(folder.read().unwrap().services["web"].image, "second");
}

#[test]
fn a_build_beside_an_image_is_only_noted() {
    assert!(web("build: .").has_build);
    assert!(!web("").has_build);
    assert_eq!(
        web("pull_policy: if_not_present").pull_policy,
        Some(PullPolicy::Missing)
    );
}

#[test]
fn switches_may_be_words_of_older_yaml() {
    assert_eq!(web("init: yes").init, Some(true));
    assert_eq!(
        service(with("init: $I").variable("I", "No")).init,
        Some(false)
    );
    assert!(web("read_only: on\nprivileged: \"true\"").privileged);
}

#[test]
fn extension_keys_version_and_anchors_are_fine() {
    let text = "version: \"3.8\"\nx-common: &common {hostname: h, user: \"1\"}\nservices:\n  web:\n    \
                <<: *common\n    image: x\n    user: \"2\"\n    x-note: [any, thing]\n";
    let web = service(Folder::new(text));
    assert_eq!(web.hostname.as_deref(), Some("h"));
    assert_eq!(web.user.as_deref(), Some("2"));
}

#[test]
fn empty_texts_count_as_not_written() {
    let web = web("hostname: ${NONE:-}\nuser: \"\"\nrestart: \"\"\ndns: \"\"");
    assert_eq!((web.hostname, web.user, web.dns), (None, None, vec![]));
}
