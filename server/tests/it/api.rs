//! The JSON API, held against its own document by a program that tries what it allows and what it does not.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::support::{Panel, said};

const TOKEN: &str = "ocp_00000000000000000000000000000000000000000000000000000000000000a1";

#[test]
fn the_api_keeps_what_its_document_promises() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = port.local_addr().unwrap();
    let panel = Panel::new(&format!("listen = \"{listen}\"\n"));
    panel.done(&["user", "add", "anna", "--role", "admin"]);
    let hash = hex::encode(Sha256::digest(TOKEN));
    panel.sql(&format!(
        "INSERT INTO api_tokens (id, person_id, name, role, token_hash, made_at, expires_at)
         SELECT gen_random_uuid(), id, 'contract', 'admin', '\\x{hash}', now(), now() + interval '1 day' FROM people"
    ));
    drop(port);
    let _serving = panel.serve();

    // So that what is asked of an operation has one.
    let root = format!("http://{listen}/api/v1");
    let begun = Command::new("curl")
        .args(["--silent", "--show-error", "--fail-with-body"])
        .args(["--retry", "60", "--retry-delay", "1", "--retry-connrefused"])
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
        .args(["--json", r#"{"kind":"backup","reason":"contract"}"#])
        .arg(format!("{root}/gateways/g1/operations"))
        .output()
        .unwrap();
    assert!(begun.status.success(), "{}", said(&begun));
    let begun: serde_json::Value = serde_json::from_slice(&begun.stdout).unwrap();
    let operation = begun["id"].as_str().unwrap();

    let settings = format!(
        r#"[auth.openapi.token]
bearer = "{TOKEN}"

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
    let settings_file = panel.folder.path().join("schemathesis.toml");
    fs::write(&settings_file, settings).unwrap();
    let run = Command::new("schemathesis")
        .arg("--config-file")
        .arg(&settings_file)
        .args(["run", "--no-color", "--wait-for-schema", "60"])
        .args(["--checks", "all", "--exclude-checks", LEFT_OUT])
        .arg(format!("{root}/openapi.json"))
        .current_dir(panel.folder.path())
        .output()
        .expect("schemathesis is missing: run `make test`");
    assert!(run.status.success(), "{}", said(&run));
}

/// Whether a start is accepted depends on the gateway, too: one that is busy refuses what is well written.
const LEFT_OUT: &str = "positive_data_acceptance";
