mod refusals;
mod semantics;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use crate::{ComposeError, Project, Service, read_project};

/// Files of a folder `/srv/openclaw`, and an environment.
#[derive(Default)]
struct Folder {
    files: BTreeMap<PathBuf, String>,
    environment: BTreeMap<String, String>,
}

impl Folder {
    fn new(compose: &str) -> Self {
        Self::default().file("docker-compose.yml", compose)
    }

    fn file(mut self, name: &str, text: &str) -> Self {
        self.files
            .insert(Path::new("/srv/openclaw").join(name), text.to_owned());
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn read(&self) -> Result<Project, ComposeError> {
        let files = |path: &Path| {
            self.files
                .get(path)
                .cloned()
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        read_project(Path::new("/srv/openclaw"), &files, &self.environment)
    }

    fn error(&self) -> String {
        self.read().expect_err("it should be refused").to_string()
    }
}

/// A project with one service `web` that has these lines beside its image.
fn with(lines: &str) -> Folder {
    let mut text = "services:\n  web:\n    image: web:1\n".to_owned();
    for line in lines.lines() {
        text.push_str("    ");
        text.push_str(line);
        text.push('\n');
    }
    Folder::new(&text)
}

fn web(lines: &str) -> Service {
    service(with(lines))
}

fn service(folder: Folder) -> Service {
    match folder.read() {
        Ok(mut project) => project
            .services
            .remove("web")
            .expect("the service is there"),
        Err(error) => panic!("{error}"),
    }
}

fn gateway() -> Folder {
    Folder::new(include_str!("tests/gateway.yml"))
        .file(".env", "OPENCLAW_API_KEY=sekret-1\n")
        .file(
            "gateway.env",
            "OPENAI_API_KEY=\"sekret-2\"\nHOME=/elsewhere\n",
        )
}

proptest! {
    #[test]
    fn no_compose_file_panics(text in "\\PC{0,120}") {
        let _ignored = Folder::new(&text).read();
    }

    #[test]
    fn no_setting_panics(
        key in prop::sample::select(KEYS),
        value in "[-:a0-9.,/ *&<>|?'\"#\\[\\]{}$~=%]{0,24}",
    ) {
        let _ignored = with(&format!("{key}: {value}")).read();
    }

    #[test]
    fn no_broken_real_file_panics(
        line in 0usize..60,
        put in "[-:a0 *&<>|?'\"#,\\[\\]{}$=\n]{0,12}",
    ) {
        let text: Vec<&str> = include_str!("tests/gateway.yml").lines().collect();
        let at = line.min(text.len() - 1);
        let broken = [&text[..at], &[put.as_str()], &text[at + 1..]].concat().join("\n");
        let _ignored = Folder::new(&broken).file(".env", "OPENCLAW_API_KEY=x\n").read();
    }

    #[test]
    fn no_secret_is_in_an_error(
        line in 0usize..60,
        put in "[-:a *<>|?'\"#,\\[\\]{}$=\n]{0,8}",
        tail in "[-:a '\"#\\[\\]{}]{0,4}",
    ) {
        let text: Vec<&str> = include_str!("tests/gateway.yml").lines().collect();
        let at = line.min(text.len() - 1);
        let secret = format!("{put}${{OPENCLAW_API_KEY}}{tail}");
        let broken = [&text[..at], &[secret.as_str()], &text[at + 1..]].concat().join("\n");
        let folder = Folder::new(&broken)
            .file(".env", "OPENCLAW_API_KEY=sekret-1\n")
            .file("gateway.env", "OPENAI_API_KEY=sekret-2\n");
        match folder.read() {
            Ok(project) => {
                let shown = format!("{:?}", project.env_names_used);
                prop_assert!(!shown.contains("sekret"), "{}", shown);
            }
            Err(error) => {
                prop_assert!(!error.to_string().contains("sekret"), "{}", error);
                prop_assert!(!format!("{error:?}").contains("sekret"), "{:?}", error);
            }
        }
    }
}

const KEYS: &[&str] = &[
    "image",
    "ports",
    "volumes",
    "environment",
    "env_file",
    "command",
    "healthcheck",
    "networks",
    "network_mode",
    "deploy",
    "mem_limit",
    "cpus",
    "extra_hosts",
    "depends_on",
    "ulimits",
    "logging",
    "labels",
    "tmpfs",
    "restart",
    "expose",
    "stop_grace_period",
    "security_opt",
    "hostname",
    "init",
    "<<",
    "build",
    "container_name",
    "x-any",
    "sysctls",
    "dns",
];
