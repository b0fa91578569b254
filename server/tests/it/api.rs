//! The JSON API, held against its own document by a program that tries what it allows and what it does not.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::audit::python;
use crate::support::{Panel, Serving, said};

/// A panel that serves, with a token for each role.
struct Door {
    panel: Panel,
    root: String,
    _serving: Serving,
}

impl Door {
    fn new() -> Self {
        Self::with("[sign_in]\nsecond_factor_for = []\n")
    }

    fn with(settings: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = port.local_addr().unwrap();
        let panel = Panel::new(&format!("listen = \"{listen}\"\n{settings}"));
        for role in ROLES {
            panel.done(&["user", "add", role, "--role", role]);
            let hash = hex::encode(Sha256::digest(token(role)));
            panel.sql(&format!(
                "INSERT INTO api_tokens (id, person_id, name, role, token_hash, made_at, expires_at)
                 SELECT gen_random_uuid(), id, 'contract', role, '\\x{hash}', now(), now() + interval '1 day'
                 FROM people WHERE name = '{role}'"
            ));
        }
        drop(port);
        let serving = panel.serve();
        Self {
            panel,
            root: format!("http://{listen}"),
            _serving: serving,
        }
    }

    /// Status and body, as a program with the token of that role gets them.
    fn ask(&self, role: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--request", method])
            .args(["--retry", "60", "--retry-delay", "1", "--retry-connrefused"])
            .args(["--write-out", "\n%{http_code}"])
            .args([
                "--header",
                &format!("Authorization: Bearer {}", token(role)),
            ]);
        if !body.is_empty() {
            curl.args(["--json", body]);
        }
        let answer = curl.arg(format!("{}{path}", self.root)).output().unwrap();
        assert!(answer.status.success(), "{}", said(&answer));
        let answer = String::from_utf8(answer.stdout).unwrap();
        let (body, status) = answer.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    /// Begins an operation, so that what is asked of one has one.
    fn begin(&self) -> String {
        let path = "/api/v1/gateways/g1/operations";
        let (status, body) = self.ask("admin", "POST", path, BACKUP);
        assert_eq!(status, 202, "{body}");
        let begun: serde_json::Value = serde_json::from_str(&body).unwrap();
        begun["id"].as_str().unwrap().to_owned()
    }
}

const ROLES: [&str; 4] = ["admin", "operator", "manager", "viewer"];
const BACKUP: &str = r#"{"kind":"backup","reason":"contract"}"#;

fn token(role: &str) -> String {
    format!("ocp_{}", hex::encode(Sha256::digest(role)))
}

#[test]
fn every_path_and_every_role() {
    let door = Door::new();
    let operation = door.begin();
    let (_, document) = door.ask("viewer", "GET", "/api/v1/openapi.json", "");
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let mut lines = vec![format!("{:<54} {}", "", ROLES.join("\t"))];
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let mut url = path.replace("{gateway}", "g1");
            url = url.replace("{operation}", &operation);
            if path.ends_with("/audit") {
                url.push_str("?format=csv");
            }
            let body = if method == "post" && path.ends_with("/operations") {
                BACKUP
            } else {
                ""
            };
            let answers = ROLES.map(|role| {
                let (status, said) = door.ask(role, &method.to_uppercase(), &url, body);
                match status {
                    403 => "-".to_owned(),
                    // Past the question who may: busy, or over already.
                    200 | 202 | 409 => "yes".to_owned(),
                    other => panic!("{role} {method} {url}: {other} {said}"),
                }
            });
            lines.push(format!("{method:<4} {path:<49} {}", answers.join("\t")));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_token_that_opens_nothing_is_refused_and_told_in_the_trail_once_an_hour() {
    let door = Door::with("");
    let told = || {
        let trail = door.panel.done(&["audit", "list", "--json"]);
        trail.matches("\"use-token\"").count()
    };
    // No token is a way around the second factor that a role needs.
    let ask = |role| door.ask(role, "GET", "/api/v1/gateways", "");
    let (status, said) = ask("admin");
    assert_eq!(status, 401, "{said}");
    assert!(said.contains("second factor"), "{said}");
    assert_eq!(ask("viewer").0, 200);
    assert_eq!(told(), 1);
    door.panel
        .sql("UPDATE api_tokens SET revoked_at = now() WHERE role = 'viewer'");
    for _ in 0..3 {
        let (status, said) = ask("viewer");
        assert_eq!(status, 401, "{said}");
        assert!(said.contains("taken back"), "{said}");
    }
    assert_eq!(told(), 2);
    assert_eq!(door.ask("nobody", "GET", "/api/v1/gateways", "").0, 401);
    assert_eq!(told(), 3);
}

#[test]
fn a_token_for_one_gateway_reads_what_of_the_trail_is_about_it() {
    let door = Door::new();
    door.panel
        .sql("UPDATE api_tokens SET gateway_id = 'g1' WHERE role IN ('manager', 'operator')");
    let ask = |role, query| door.ask(role, "GET", &format!("/api/v1/audit?format=csv{query}"), "");
    let (status, said) = ask("manager", "");
    assert_eq!(status, 403, "{said}");
    assert!(said.contains("ask with `gateway=g1`"), "{said}");
    assert_eq!(ask("manager", "&gateway=g1").0, 200);
    assert_eq!(ask("manager", "&gateway=g2").0, 404);
    assert_eq!(ask("operator", "&gateway=g1").0, 403);
}

#[test]
fn the_trail_that_a_program_fetches_can_be_checked_by_a_third_party() {
    let door = Door::new();
    let file = door.panel.folder.path().join("fetched.jsonl");
    let (status, text) = door.ask("admin", "GET", "/api/v1/audit?format=jsonl", "");
    assert_eq!(status, 200, "{text}");
    fs::write(&file, &text).unwrap();
    let (passes, told) = python(&[&file]);
    assert!(passes && told.starts_with("whole: "), "{told}");
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&file, rest).unwrap();
    let (passes, told) = python(&[&file]);
    assert!(
        !passes && told.contains("the beginning is missing"),
        "{told}"
    );
}

#[test]
fn the_api_keeps_what_its_document_promises() {
    let door = Door::new();
    let operation = door.begin();
    let token = token("admin");
    let settings = format!(
        r#"[auth.openapi.token]
bearer = "{token}"

[generation]
deterministic = true
max-examples = 40

[warnings]
fail-on = ["missing_auth", "missing_test_data", "validation_mismatch"]

[parameters]
"path.gateway" = "g1"
"path.operation" = "{operation}"
"#
    );
    let settings_file = door.panel.folder.path().join("schemathesis.toml");
    fs::write(&settings_file, settings).unwrap();
    let run = Command::new("schemathesis")
        .arg("--config-file")
        .arg(&settings_file)
        .args(["run", "--no-color", "--wait-for-schema", "60"])
        .args(["--checks", "all", "--exclude-checks", LEFT_OUT])
        .arg(format!("{}/api/v1/openapi.json", door.root))
        .current_dir(door.panel.folder.path())
        .output()
        .expect("schemathesis is missing: run `make test`");
    assert!(run.status.success(), "{}", said(&run));
}

/// Whether a start is accepted depends on the gateway, too: one that is busy refuses what is well written.
const LEFT_OUT: &str = "positive_data_acceptance";
