//! `panel audit …` as people use it, and what a panel does for its trail by itself.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use domain::audit::Checkpoint;

use crate::browser::House;
use crate::support::{Panel, said};

pub(crate) const WITHIN: Duration = Duration::from_secs(60);

pub(crate) fn python(files: &[&Path]) -> (bool, String) {
    let (code, said) = judged(files);
    (code == 0, said)
}

/// The exit code of the script of a third party, and what it says.
fn judged(files: &[&Path]) -> (i32, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../audit/openclaw-audit-check.py");
    let output = Command::new("python3")
        .arg(script)
        .args(files)
        .output()
        .unwrap();
    (output.status.code().unwrap(), said(&output))
}

/// The file of an export.
pub(crate) fn exported(panel: &Panel) -> PathBuf {
    let export = panel.folder.path().join("export.jsonl");
    fs::write(&export, panel.done(&["audit", "export"])).unwrap();
    export
}

#[test]
fn a_whole_trail_is_verified_exported_and_checked_by_a_third_party() {
    let panel = Panel::new("");
    panel.done(&["user", "add", "anna", "--role", "admin"]);
    let whole = panel.done(&["audit", "verify"]);
    assert!(whole.contains("The chain of 1 event is whole."), "{whole}");
    assert!(!whole.contains("could change the trail"), "{whole}");

    let export = exported(&panel);
    let (passes, told) = python(&[&export]);
    assert!(passes && told.contains("whole: 3 events"), "{told}");
    let listed = panel.done(&["audit", "list", "--json"]);
    let actions: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_once("\"action\":\"")?.1.split('"').next())
        .collect();
    assert_eq!(
        actions,
        ["export-audit", "export-audit", "verify-audit", "add-person"]
    );

    let table = panel.run(&["audit", "export", "--format", "csv"]);
    assert!(
        said(&table).contains("\"checkpoint\":{\"sequence\":5"),
        "{}",
        said(&table)
    );
    let json = panel.done(&["audit", "verify", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["whole"], true);
    assert_eq!(json["unguarded"], false);
    assert_eq!(json["checkpoints"], 2);
    let one_role = panel.run_with_one_role(&["audit", "verify"]);
    assert!(one_role.status.success());
    assert!(
        said(&one_role).contains("could change the trail"),
        "{}",
        said(&one_role)
    );
}

#[test]
fn a_download_from_the_page_ends_with_a_checkpoint_and_a_third_party_can_check_it() {
    let house = House::with(&[
        ("anna", &["--role", "admin"]),
        ("mia", &["--role", "manager"]),
    ]);
    let cookie = house.sign_in("anna", None);
    let file = house.panel.folder.path().join("download.jsonl");
    let made = || {
        let made = house.panel.sql("SELECT count(*) FROM audit_checkpoints");
        made.trim().parse::<u64>().unwrap()
    };
    let check = |text: &str| {
        fs::write(&file, text).unwrap();
        judged(&[&file])
    };
    let download = |filter: &str| {
        let before = made();
        let path = format!("/audit/download?format=jsonl{filter}");
        let (status, text) = house.download(&path, &cookie);
        assert_eq!(status, 200, "{text}");
        assert_eq!(made(), before + 1, "a checkpoint at every export");
        text
    };
    let whole = download("");
    let (code, told) = check(&whole);
    assert!(code == 0 && told.starts_with("whole: "), "{told}");
    let cut = whole.lines().next_back().unwrap();
    let (code, told) = check(&whole.replace(&format!("{cut}\n"), ""));
    assert!(code == 1 && told.contains("the end was cut off"), "{told}");
    for time in ["&from=2020-01-01", "&span=today"] {
        let (code, told) = check(&download(time));
        assert!(code == 0 && told.starts_with("whole: "), "{time}: {told}");
    }

    // What a filter leaves out is nobody's tampering; what is in it can be checked line by line.
    let chosen = download("&what=add-person&outcome=succeeded");
    let (code, told) = check(&chosen);
    assert_eq!(code, 2, "{told}");
    assert!(
        told.starts_with("2 events, each as it was written. A filter chose them (what add-person, outcome succeeded)"),
        "{told}"
    );
    let (code, told) = check(&chosen.replace("\"target\":\"mia\"", "\"target\":\"eve\""));
    assert!(code == 1 && told.contains("was altered"), "{told}");

    // Whoever sees numbers masked gets nothing by which to try them out.
    let (_, table) = house.download("/audit/download?format=csv", &cookie);
    assert!(table.lines().next().unwrap().ends_with(",previous,hash"));
    let cookie = house.sign_in("mia", None);
    let (status, why) = house.download("/audit/download?format=jsonl", &cookie);
    assert!(
        status == 403 && why.contains("Download CSV, or ask an admin"),
        "{why}"
    );
    let (status, table) = house.download("/audit/download?format=csv", &cookie);
    assert_eq!(status, 200);
    assert!(
        table.lines().next().unwrap().ends_with(",duration_ms,id"),
        "{table}"
    );
    let (status, _) = house.download("/audit/download?format=pdf", &cookie);
    assert_eq!(status, 404);
}

#[test]
fn checkpoints_that_were_sent_away_tell_what_all_that_is_here_does_not() {
    let panel = Panel::new("");
    for name in ["anna", "ben"] {
        panel.done(&["user", "add", name, "--role", "viewer"]);
    }
    panel.done(&["audit", "export"]);
    let own = panel.folder.path().join("data/audit-checkpoints.jsonl");
    let kept = panel.folder.path().join("kept.jsonl");
    fs::rename(&own, &kept).unwrap();
    let kept = kept.to_str().unwrap();
    panel.done(&["audit", "verify", "--checkpoints", kept]);
    // Everything that is here, set back to what was before.
    panel.tamper(
        "DELETE FROM audit_events WHERE sequence > 1; DELETE FROM audit_checkpoints;
         UPDATE audit_head SET sequence = 1, hash = (SELECT hash FROM audit_events WHERE sequence = 1)",
    );
    panel.done(&["audit", "verify"]);
    panel.done(&["user", "add", "eve", "--role", "viewer"]);
    let output = panel.run(&["audit", "verify", "--checkpoints", kept]);
    assert_eq!(output.status.code(), Some(1));
    let told = said(&output);
    assert!(
        told.contains("knows another event 3: the trail was written anew."),
        "{told}"
    );
    for (text, why) in [("", "has no checkpoint"), ("\n{}\n", "line 2 of")] {
        fs::write(kept, text).unwrap();
        let output = panel.run(&["audit", "verify", "--checkpoints", kept]);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains(why), "{}", said(&output));
    }
}

#[test]
fn a_trail_that_was_changed_is_not_whole_and_the_exit_code_says_so() {
    let panel = Panel::new("");
    for name in ["anna", "ben", "carla"] {
        panel.done(&["user", "add", name, "--role", "viewer"]);
    }
    panel.done(&["audit", "export"]);
    panel.tamper("UPDATE audit_events SET target = 'otto' WHERE sequence = 2");
    let output = panel.run(&["audit", "verify"]);
    assert_eq!(output.status.code(), Some(1));
    let told = said(&output);
    assert!(
        told.contains("Event 2 was altered: its content does not match its hash."),
        "{told}"
    );
    panel.tamper("UPDATE audit_events SET target = 'ben' WHERE sequence = 2");
    panel.done(&["audit", "verify"]);

    // As an old dump that is brought back: only the file in the data folder knows better.
    panel.tamper(
        "DELETE FROM audit_events WHERE sequence > 2; DELETE FROM audit_checkpoints;
         UPDATE audit_head SET sequence = 2, hash = (SELECT hash FROM audit_events WHERE sequence = 2)",
    );
    let told = said(&panel.run(&["audit", "verify"]));
    assert!(
        told.contains("The end was cut off: the last event is 2, but the checkpoint of"),
        "{told}"
    );
    assert!(told.contains("knows event 4."), "{told}");

    // A checkpoint of another hand.
    let file = panel.folder.path().join("data/audit-checkpoints.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"sequence\":4", "\"sequence\":2")).unwrap();
    let told = said(&panel.run(&["audit", "verify"]));
    assert!(told.contains("The checkpoint of event 2,"), "{told}");
    assert!(
        told.contains("was not signed by the key that it names"),
        "{told}"
    );
}

#[test]
fn a_checkpoint_by_a_key_that_nobody_named_is_a_flaw_and_the_panels_own_must_be_named() {
    let panel = Panel::new("");
    panel.done(&["user", "add", "anna", "--role", "admin"]);
    panel.done(&["audit", "export"]);
    let data = panel.folder.path().join("data");
    let file = data.join("audit-checkpoints.jsonl");
    let line = fs::read_to_string(&file).unwrap();
    let old: Checkpoint = serde_json::from_str(line.trim()).unwrap();
    let config = panel.folder.path().join("panel.toml");
    let text = fs::read_to_string(&config).unwrap();
    let naming = |keys: &[String]| {
        let audit = format!("[audit]\ncheckpoint_keys = {keys:?}\n[[gateways]]");
        fs::write(&config, text.replace("[[gateways]]", &audit)).unwrap();
    };
    naming(&[old.key.to_string()]);
    panel.done(&["audit", "verify"]);

    // Whoever writes it all anew has to sign with a key of their own.
    fs::rename(data.join("audit-key"), data.join("audit-key.old")).unwrap();
    let lost = panel.run(&["audit", "verify"]);
    assert!(!lost.status.success());
    let told = said(&lost);
    assert!(
        told.contains("does not name this panel's own key: add"),
        "{told}"
    );
    fs::write(&config, &text).unwrap();
    panel.done(&["audit", "export"]);
    panel.done(&["audit", "verify"]);
    let lines = fs::read_to_string(&file).unwrap();
    let new: Checkpoint = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_ne!(new.key, old.key);
    naming(&[new.key.to_string()]);
    let told = said(&panel.run(&["audit", "verify"]));
    assert!(
        told.contains("was signed by a key that audit.checkpoint_keys does not name"),
        "{told}"
    );
    naming(&[old.key.to_string(), new.key.to_string()]);
    panel.done(&["audit", "verify"]);
}

#[test]
fn a_checkpoint_is_signed_as_openssl_sees_it_by_a_key_that_only_the_panel_reads() {
    let panel = Panel::new("");
    panel.done(&["user", "add", "anna", "--role", "admin"]);
    panel.done(&["audit", "export"]);
    let data = panel.folder.path().join("data");
    for private in ["audit-key", "audit-checkpoints.jsonl"] {
        let mode = fs::metadata(data.join(private))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{private}");
    }
    let line = fs::read_to_string(data.join("audit-checkpoints.jsonl")).unwrap();
    let checkpoint: Checkpoint = serde_json::from_str(line.trim()).unwrap();
    // What comes before the 32 bytes of an Ed25519 key in DER.
    let head = hex::decode("302a300506032b6570032100").unwrap();
    fs::write(
        data.join("key.der"),
        [head, checkpoint.key.0.to_vec()].concat(),
    )
    .unwrap();
    fs::write(data.join("signature"), checkpoint.signature.0).unwrap();
    let verify = |text: &[u8]| {
        fs::write(data.join("text"), text).unwrap();
        let mut openssl = Command::new("openssl");
        openssl
            .current_dir(&data)
            .args([
                "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der",
            ])
            .args(["-rawin", "-in", "text", "-sigfile", "signature"]);
        openssl.output().unwrap()
    };
    let output = verify(&checkpoint.text());
    assert!(output.status.success(), "{}", said(&output));
    let mut other = checkpoint;
    other.sequence += 1;
    assert!(!verify(&other.text()).status.success());
}

/// Takes one request, gives its body away and answers.
pub(crate) fn take(listener: &TcpListener, status: &str) -> String {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    String::from_utf8(body).unwrap()
}

/// As much of a mail server as one mail needs; gives the mail away.
fn take_mail(listener: &TcpListener) -> String {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let say = |reader: &mut BufReader<TcpStream>, line: &str| {
        reader
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
            .unwrap();
    };
    say(&mut reader, "220 test");
    let (mut mail, mut in_mail) = (String::new(), false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 || line.starts_with("QUIT") {
            return mail;
        }
        match (in_mail, line.trim_end()) {
            (true, ".") => {
                say(&mut reader, "250 ok");
                return mail;
            }
            (true, _) => mail.push_str(&line),
            (false, "DATA") => {
                in_mail = true;
                say(&mut reader, "354 go on");
            }
            (false, _) => say(&mut reader, "250 ok"),
        }
    }
}

fn metrics(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

/// The metrics of a panel that runs, once a check of its is in them: they tell of it, and nothing else does without a look.
pub(crate) fn after_a_check(port: u16) -> String {
    let deadline = Instant::now() + WITHIN;
    loop {
        let text = metrics(port).unwrap_or_default();
        if text.contains("\npanel_audit_chain_whole ") {
            return text;
        }
        assert!(Instant::now() < deadline, "{text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What that check found.
pub(crate) fn is_found_whole(metrics: &str) -> bool {
    metrics.contains("\npanel_audit_chain_whole 1\n")
}

#[test]
fn a_panel_that_runs_makes_a_checkpoint_sends_it_away_and_checks_the_chain_by_itself() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let free = |_| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let [web, measured] = [0, 1].map(free);
    let panel = Panel::new(&format!(
        "listen = \"127.0.0.1:{web}\"\nmetrics_listen = \"127.0.0.1:{measured}\"\n\
         [audit]\ncheckpoint_url = \"http://{address}/checkpoints\""
    ));
    panel.done(&["user", "add", "anna", "--role", "admin"]);
    let (sender, bodies) = mpsc::channel();
    let taking = std::thread::spawn(move || {
        let body = take(&listener, "200 OK");
        let _gone = sender.send(body);
    });
    let _serving = panel.serve();
    let body = bodies.recv_timeout(WITHIN).unwrap();
    taking.join().unwrap();
    let checkpoint: Checkpoint = serde_json::from_str(&body).unwrap();
    assert_eq!(checkpoint.sequence, 1);
    let file = fs::read_to_string(panel.folder.path().join("data/audit-checkpoints.jsonl"));
    assert_eq!(file.unwrap().trim(), body);

    let text = after_a_check(measured);
    assert!(is_found_whole(&text), "{text}");
    assert!(text.contains("\npanel_audit_events_total 1\n"), "{text}");
}

#[test]
fn the_latest_checkpoint_is_mailed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let web = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let panel = Panel::new(&format!(
        "listen = \"{web}\"\nmail_from = \"panel@example.org\"\n[audit]\nmail_to = \"auditor@example.org\""
    ))
    .mailing_through(format!("smtp://{address}"));
    panel.done(&["user", "add", "anna", "--role", "admin"]);
    let (sender, mails) = mpsc::channel();
    let taking = std::thread::spawn(move || {
        let mail = take_mail(&listener);
        let _gone = sender.send(mail);
    });
    let _serving = panel.serve();
    let mail = mails.recv_timeout(WITHIN).unwrap();
    taking.join().unwrap();
    for part in [
        "To: auditor@example.org",
        "Subject: Audit trail: event 1",
        "signature",
    ] {
        assert!(mail.contains(part), "{part}: {mail}");
    }
}
