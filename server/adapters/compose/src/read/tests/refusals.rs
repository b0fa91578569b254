//! What is refused, with the sentence.

use insta::assert_snapshot;

use super::*;

#[test]
fn an_unknown_key_names_line_and_likely_meaning() {
    assert_snapshot!(with("imge: x").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 5: unknown key `imge` in services.web; did you mean `image`?");
    assert_snapshot!(with("\n\nfrobnicate: x").error(), @"/srv/openclaw/docker-compose.yml, line 6, column 5: unknown key `frobnicate` in services.web; correct or remove it, or start it with `x-` to have it ignored");
    assert_snapshot!(with("healthcheck: {tset: x}").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 19: unknown key `tset` in services.web.healthcheck; did you mean `test`?");
    assert_snapshot!(with("logging: {drive: x}").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 15: unknown key `drive` in services.web.logging; did you mean `driver`?");
    assert_snapshot!(Folder::new("service: {}\n").error(), @"/srv/openclaw/docker-compose.yml, line 1, column 1: the file has no `services`; add the service of the gateway");
    assert_snapshot!(with("ports:\n  - {target: 80, publish: 80}").error(), @"/srv/openclaw/docker-compose.yml, line 5, column 22: unknown key `publish` in services.web.ports; did you mean `published`?");
}

#[test]
fn no_sub_mapping_takes_unknown_keys() {
    for lines in [
        "healthcheck: {foo: 1}",
        "logging: {foo: 1}",
        "ports: [{target: 1, foo: 1}]",
        "volumes: [{type: tmpfs, target: /a, foo: 1}]",
        "volumes: [{type: tmpfs, target: /a, tmpfs: {foo: 1}}]",
        "volumes: [{type: bind, source: /a, target: /a, bind: {foo: 1}}]",
        "volumes: [{type: bind, source: /a, target: /a, tmpfs: {}}]",
        "networks: {default: {foo: 1}}",
        "depends_on: {web: {foo: 1}}",
        "deploy: {foo: 1}",
        "deploy: {resources: {foo: 1}}",
        "deploy: {resources: {limits: {foo: 1}}}",
        "deploy: {resources: {reservations: {foo: 1}}}",
        "ulimits: {nofile: {soft: 1, hard: 1, foo: 1}}",
        "env_file: [{path: a, foo: 1}]",
    ] {
        assert!(
            matches!(with(lines).read(), Err(ComposeError::UnknownKey { .. })),
            "{lines}"
        );
    }
    for top in [
        "networks: {a: {foo: 1}}",
        "networks: {a: {ipam: {foo: 1}}}",
        "networks: {a: {ipam: {config: [{foo: 1}]}}}",
        "volumes: {a: {foo: 1}}",
        "foo: 1",
    ] {
        let folder = Folder::new(&format!("services: {{web: {{image: x}}}}\n{top}\n"));
        assert!(
            matches!(folder.read(), Err(ComposeError::UnknownKey { .. })),
            "{top}"
        );
    }
}

#[test]
fn what_compose_knows_and_the_panel_does_not_do_is_said() {
    assert_snapshot!(with("secrets: [a]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 5: `secrets` in services.web is not supported by the panel; pass the values by `environment` and `.env`");
    assert_snapshot!(with("extends: {service: base}").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 5: `extends` in services.web is not supported by the panel; write the whole service here, or share a part by an anchor and `<<`");
    assert_snapshot!(with("deploy: {replicas: 2}").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 24: more or less than one container in services.web.deploy.replicas is not supported by the panel; write 1 or remove the key");
    assert_snapshot!(with("deploy: {restart_policy: {condition: any}}").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 14: `restart_policy` in services.web.deploy is not supported by the panel; use `restart` of the service");
    assert_snapshot!(with("volumes: [/data]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 15: a volume without a name in services.web.volumes is not supported by the panel; give it a name and list it under the file's `volumes`, so that a new container keeps it");
    assert_snapshot!(with("volumes: [\"./a:/a:z\"]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 15: a mount option other than `ro`, `rw` and `nocopy` in services.web.volumes is not supported by the panel; remove it");
    assert_snapshot!(with("ports: [\"8000-8010:80\"]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 13: a range of host ports for one container port in services.web.ports is not supported by the panel; choose one host port");
    assert_snapshot!(Folder::new("services: {web: {build: .}}\n").error(), @"/srv/openclaw/docker-compose.yml, line 1, column 25: building without an `image` in services.web.build is not supported by the panel; build the image beforehand and name it by `image`");
    assert_snapshot!(Folder::new("include: [a.yml]\n").error(), @"/srv/openclaw/docker-compose.yml, line 1, column 1: `include` in the file is not supported by the panel; write everything into one file");
    assert_snapshot!(with("").file("compose.override.yml", "").error(), @"/srv/openclaw/compose.override.yml, line 1: an override file is not supported by the panel; move its settings into the compose file and delete it");
    assert_snapshot!(with("").variable("COMPOSE_FILE", "a.yml:b.yml").error(), @"/srv/openclaw/.env, line 1: the variable `COMPOSE_FILE` is not supported by the panel; unset it and use the compose file of the folder");
}

#[test]
fn a_key_twice_is_refused() {
    assert_snapshot!(with("user: a\nuser: b").error(), @"/srv/openclaw/docker-compose.yml, line 5, column 5: `user` is already on line 4; keep one of them");
    assert_snapshot!(with("environment:\n  - A=1\n  - B=2\n  - A=3").error(), @"/srv/openclaw/docker-compose.yml, line 7, column 9: services.web.environment sets a name again that line 5 sets; keep one");
    assert_snapshot!(with("cap_add: [A, B, A]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 21: services.web.cap_add has the same entry twice; keep one of them");
    assert_snapshot!(with("ports: [80, \"80/tcp\"]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 17: services.web.ports publishes a port twice; remove one");
    assert_snapshot!(with("volumes: [\"./a:/a\", \"./b:/a/\"]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 25: services.web.volumes mounts two things at the same path; remove one");
}

#[test]
fn values_of_the_wrong_kind_are_refused() {
    assert_snapshot!(with("hostname: 5").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 15: services.web.hostname must be text and is a number; put it in quotes");
    assert_snapshot!(with("hostname:").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 13: services.web.hostname must be text and is nothing; give it a value or remove the key");
    assert_snapshot!(with("hostname: [a]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 15: services.web.hostname must be text and is a list");
    assert_snapshot!(with("environment: {A: 2024-01-01}").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 22: services.web.environment.A must be text or a number and is an unquoted date; put it in quotes");
    assert_snapshot!(with("environment: x").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 18: services.web.environment must be a mapping or a list and is text");
    assert_snapshot!(with("init: maybe").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 11: services.web.init must be `true` or `false`");
    assert_snapshot!(with("mem_limit: lots").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 16: services.web.mem_limit must be a size, as in `512m`, `2g` or a number of bytes");
    assert_snapshot!(with("cpus: half").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 11: services.web.cpus must be a number of CPUs, as in `0.5` or `2`");
    assert_snapshot!(with("stop_grace_period: 30").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 24: services.web.stop_grace_period must be a duration, as in `10s`, and is a number");
    assert_snapshot!(with("restart: sometimes").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 14: services.web.restart must be `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:5`");
    assert_snapshot!(with("ports: [\"a:80\"]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 13: services.web.ports must be a port, as in `80`, `8080:80`, `127.0.0.1:8080:80` or `8080-8081:80-81/udp`");
    assert_snapshot!(with("volumes: [\"./a:b\"]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 15: services.web.volumes must have an absolute path in the container, as in `/data`");
    assert_snapshot!(with("command: a; b").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 14: services.web.command has a shell operator, but no shell reads it; write it as a list of words");
    assert_snapshot!(with("container_name: \"\"").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 21: services.web.container_name must have two or more letters, digits, `_`, `.` and `-`, and start with a letter or digit");
    assert_snapshot!(with("healthcheck: {test: [curl, x]}").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 25: services.web.healthcheck.test must start with `CMD` and the program, `CMD-SHELL` and the command line, or `NONE`");
    assert_snapshot!(with("extra_hosts: [a]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 19: services.web.extra_hosts must be a name and an address, as in `db=10.0.0.5`");
    assert_snapshot!(with("ulimits: {nofile: {soft: 1}}").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 23: services.web.ulimits.nofile needs both `soft` and `hard`");
}

#[test]
fn what_does_not_fit_together_is_refused() {
    assert_snapshot!(with("networks: [inner]").error(), @"/srv/openclaw/docker-compose.yml, line 3, column 5: services.web joins a network that is not under the file's `networks` (there: none); add it there");
    assert_snapshot!(with("volumes: [\"data:/data\"]").error(), @"/srv/openclaw/docker-compose.yml, line 3, column 5: services.web mounts a volume that is not under the file's `volumes` (there: none); add it there, or start the path with `./` if it is a folder");
    assert_snapshot!(with("volumes: [\"~/a:/a\"]").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 15: services.web.volumes starts with `~`, but `HOME` is not set; write the whole path");
    assert_snapshot!(with("depends_on: [db]").error(), @"/srv/openclaw/docker-compose.yml, line 3, column 5: services.web depends on a service that is not in the file (there: web); correct its name");
    assert_snapshot!(with("depends_on: [web]").error(), @"/srv/openclaw/docker-compose.yml, line 2, column 3: services depend on each other in a circle, `web` among them; remove one `depends_on`");
    assert_snapshot!(with("network_mode: service:db").error(), @"/srv/openclaw/docker-compose.yml, line 3, column 5: services.web depends on a service that is not in the file (there: web); correct its name");
    assert_snapshot!(with("network_mode: host\nnetworks: [default]").error(), @"/srv/openclaw/docker-compose.yml, line 5, column 15: services.web.networks cannot stand beside `network_mode`; keep one of them");
    assert_snapshot!(
        with("mem_limit: 1g\ndeploy: {resources: {limits: {memory: 2g}}}").error(), @"/srv/openclaw/docker-compose.yml, line 5, column 13: services.web.deploy and `mem_limit` set different limits; keep one of them");
    assert_snapshot!(with("env_file: gone.env").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 15: services.web.env_file names a file that is not there; make it");
    assert_snapshot!(
        Folder::new("services: {web: {image: x}}\nvolumes: {a: {external: true, driver: x}}\n")
            .error(),
        @"/srv/openclaw/docker-compose.yml, line 2, column 14: volumes.a is external, so it takes only `name`; remove the rest, which would have no effect");
    assert_snapshot!(Folder::new("services: {}\n").error(), @"/srv/openclaw/docker-compose.yml, line 1, column 11: services is empty; add the service of the gateway");
    assert_snapshot!(Folder::new("services: {web: {hostname: x}}\n").error(), @"/srv/openclaw/docker-compose.yml, line 1, column 17: services.web has no `image`; add one");
    assert_snapshot!(Folder::new("services: {\"a b\": {image: x}}\n").error(), @"/srv/openclaw/docker-compose.yml, line 1, column 19: services.a… has a name with other characters than letters, digits, `.`, `_` and `-`");
}

#[test]
fn a_missing_variable_says_what_its_author_said() {
    assert_snapshot!(with("hostname: ${KEY:?ask the admin for it}").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 15: `KEY` is missing a value (ask the admin for it); set it in `.env`");
    assert_snapshot!(with("hostname: ${KEY:?}").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 15: `KEY` is missing a value; set it in `.env`");
    assert_snapshot!(with("hostname: ${KEY").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 15: services.web.hostname has a `${` without its closing `}`; write `$$` for a plain dollar sign");
    assert_snapshot!(with("x-note: ${KEY:?}").error(), @"/srv/openclaw/docker-compose.yml, line 4, column 13: `KEY` is missing a value; set it in `.env`");
    assert_snapshot!(with("").file(".env", "\nA=${KEY:?ask}\n").error(), @"/srv/openclaw/.env: line 2: `KEY` is missing a value (ask); set it above that line");
    assert_snapshot!(with("").file(".env", "A=1\nB='x\n").error(), @"/srv/openclaw/.env: line 2: the value starts with a quote that is never closed");
    assert_snapshot!(with("env_file: a.env").file("a.env", "A B\n").error(), @"/srv/openclaw/a.env: line 1: a name may have letters, digits, `_`, `.` and `-`; write `NAME=value`, and put `#` before a comment");
}

#[test]
fn a_folder_without_a_compose_file_is_refused() {
    assert_snapshot!(Folder::default().error(), @"no compose file in `/srv/openclaw`; put a docker-compose.yml there, or correct the folder of this gateway");
    let relative = read_project(
        Path::new("openclaw"),
        &|_: &Path| Ok(String::new()),
        &[].into(),
    );
    assert_snapshot!(relative.unwrap_err().to_string(), @"the compose folder `openclaw` is not an absolute path; give the full path");
    let denied = |_: &Path| Err(io::ErrorKind::PermissionDenied.into());
    let denied = read_project(Path::new("/srv"), &denied, &[].into());
    assert_snapshot!(denied.unwrap_err().to_string(), @"`/srv/.env` cannot be read; check that it exists and that the panel may read it");
}

#[test]
fn a_project_name_of_nothing_is_refused() {
    let with_name =
        |name: &str| Folder::new(&format!("name: {name}\nservices: {{a: {{image: x}}}}\n")).error();
    assert_snapshot!(with_name("\"--\""), @"/srv/openclaw/docker-compose.yml, line 1, column 7: name leaves nothing of a project name; use letters and digits");
    assert_snapshot!(with_name("5"), @"/srv/openclaw/docker-compose.yml, line 1, column 7: name must be text and is a number; put it in quotes");
    assert_snapshot!(with("").variable("COMPOSE_PROJECT_NAME", "Not A Name").error(), @"/srv/openclaw/docker-compose.yml, line 1, column 1: the file cannot be read, because `COMPOSE_PROJECT_NAME` is not a project name: use lower-case letters, digits, `-` and `_`, and start with a letter or digit");
}

#[test]
fn no_error_holds_a_value() {
    for lines in [
        "mem_limit: $S",
        "cpus: $S",
        "restart: $S",
        "ports: [$S]",
        "volumes: [\"$S\"]",
        "volumes: [\"$S:/a\"]",
        "volumes: [\"./a:$S\"]",
        "network_mode: $S",
        "networks: [$S]",
        "depends_on: [$S]",
        "command: \"$S;\"",
        "init: $S",
        "healthcheck: {interval: $S}",
        "healthcheck: {test: [$S]}",
        "extra_hosts: [$S]",
        "env_file: $S",
        "pull_policy: $S",
        "container_name: \"$S!\"",
        "ulimits: {nofile: $S}",
        "security_opt: [$S]",
        "environment: [\"$S \"]",
        "environment: [$S=1, $S=2]",
        "cap_add: [$S, $S]",
        "expose: [$S]",
        "hostname: ${X:?$S}",
    ] {
        let error = with(lines).variable("S", "sekret").read().expect_err(lines);
        assert!(!format!("{error} {error:?}").contains("sekret"), "{error}");
    }
}
