//! Archives of the audit trail: what goes to them, whom they are believed, and what a panel that runs does for them.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use domain::audit::{AuditOutcome, Checkpoint, Hash, NewAuditEvent, PublicKey, act};
use domain::person::Actor;
use domain::ports::AuditTrail as _;
use domain::time::Timestamp;
use ed25519_dalek::{Signer as _, SigningKey};

use crate::audit::{WITHIN, after_a_check, exported, is_found_whole, python, take};
use crate::support::{Panel, said};

/// Five events of 2024, and one of today.
async fn with_old_events(more: &str) -> Panel {
    let panel = Panel::new(more);
    let then = Timestamp::parse_date("2024-06-01").unwrap();
    let store = panel.store_of(then).await;
    for target in ["1", "2", "3", "4", "5"] {
        let event = NewAuditEvent {
            target: Some(target.to_owned()),
            reason: Some("“zoë”\n\u{1}".to_owned()),
            ..NewAuditEvent::new(Actor::Panel, act::DOWNLOAD_LOGS, AuditOutcome::Succeeded)
        };
        store.record(event).await.unwrap();
    }
    store.close().await;
    panel.done(&["user", "add", "anna", "--role", "admin"]);
    panel
}

const ARCHIVE: &str = "data/audit-archive/audit-000000000001-000000000005.jsonl";

#[tokio::test]
async fn old_events_are_archived_in_a_file_that_a_third_party_can_check_and_the_chain_stays_whole()
{
    let panel = with_old_events("[audit]\nkeep_days = 450").await;
    let early = panel.run(&["audit", "archive", "--before", "2999-01-01"]);
    assert!(!early.status.success());
    assert!(
        said(&early).contains("Events stay for 400 days at least"),
        "{}",
        said(&early)
    );

    let told = panel.done(&["audit", "archive"]);
    let archive = panel.folder.path().join(ARCHIVE);
    assert_eq!(
        told.trim(),
        format!("5 events archived in {}.", archive.display())
    );
    let mode = fs::metadata(&archive).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let told = panel.done(&["audit", "archive"]);
    assert!(
        told.starts_with("There are no events from before"),
        "{told}"
    );
    let whole = panel.done(&["audit", "verify"]);
    assert!(
        whole.contains("The chain of 2 events, from event 6 on, is whole."),
        "{whole}"
    );
    let listed = panel.done(&["audit", "list"]);
    assert!(
        listed.contains("archive-audit") && listed.contains("5 events, 1 to 5"),
        "{listed}"
    );
    assert!(!listed.contains("download-logs"), "{listed}");

    let export = exported(&panel);
    for (files, events) in [
        (vec![archive.as_path()], 5),
        (vec![export.as_path()], 4),
        (vec![archive.as_path(), export.as_path()], 9),
    ] {
        let (passes, told) = python(&files);
        assert!(
            passes && told.contains(&format!("whole: {events} events")),
            "{told}"
        );
    }
    // Whoever changes the archive is found; so is one that leaves the beginning away.
    let text = fs::read_to_string(&archive).unwrap();
    fs::write(
        &archive,
        text.replace("\"target\":\"3\"", "\"target\":\"4\""),
    )
    .unwrap();
    let (passes, told) = python(&[&archive, &export]);
    assert!(!passes && told.contains("event 3 was altered"), "{told}");
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&archive, rest).unwrap();
    let (passes, told) = python(&[&archive]);
    assert!(
        !passes && told.contains("the beginning is missing"),
        "{told}"
    );
}

#[tokio::test]
async fn a_broken_chain_is_not_archived_and_everything_is_kept_unless_it_is_asked_otherwise() {
    let panel = with_old_events("").await;
    let kept = panel.run(&["audit", "archive"]);
    assert!(!kept.status.success());
    assert!(
        said(&kept).contains("All events are kept: give a day"),
        "{}",
        said(&kept)
    );
    panel.tamper("UPDATE audit_events SET target = 'otto' WHERE sequence = 2");
    let broken = panel.run(&["audit", "archive", "--before", "2024-12-01"]);
    assert!(!broken.status.success());
    assert!(
        said(&broken).contains("a broken chain is not archived"),
        "{}",
        said(&broken)
    );
    assert!(!panel.folder.path().join(ARCHIVE).exists());
    assert!(panel.done(&["audit", "list"]).contains("download-logs"));
}

#[tokio::test]
async fn where_an_archive_cannot_be_written_it_is_said_and_everything_stays() {
    let no_folder = "[audit]\nkeep_days = 450\narchive_dir = \"/dev/null/archive\"";
    let panel = with_old_events(no_folder).await;
    let failed = panel.run(&["audit", "archive"]);
    assert!(!failed.status.success());
    let told = said(&failed);
    assert!(
        told.contains("/dev/null/archive/audit-000000000001-000000000005.jsonl cannot be written"),
        "{told}"
    );
    let whole = panel.done(&["audit", "verify"]);
    assert!(whole.contains("The chain of 6 events is whole."), "{whole}");
}

/// What whoever owns the tables puts in: a row about the events up to 3, with the right hash, signed by that key.
fn make_up_an_archive(panel: &Panel, key: &SigningKey) {
    let hash = panel.sql("SELECT encode(hash, 'hex') FROM audit_events WHERE sequence = 3");
    let hash = Hash::parse(hash.trim()).unwrap();
    let at = Timestamp::parse_rfc3339("2036-11-27T12:00:00Z").unwrap();
    let public = PublicKey(key.verifying_key().to_bytes());
    let signature = key.sign(&Checkpoint::signed_text(3, &hash, at, &public));
    panel.sql(&format!(
        "INSERT INTO audit_archives (first, sequence, hash, events, before, file, at, key, signature)
         VALUES (1, 3, '\\x{hash}', 3, '2025-01-01', 'made-up.jsonl', '{at}', '\\x{public}', '\\x{}')",
        hex::encode(signature.to_bytes())
    ));
}

fn panels_own_key(panel: &Panel) -> SigningKey {
    let secret = fs::read_to_string(panel.folder.path().join("data/audit-key")).unwrap();
    let secret: Vec<u8> = hex::decode(secret.trim()).unwrap();
    SigningKey::from_bytes(&secret.try_into().unwrap())
}

/// Waits until a panel that runs has gone once through all that it does for the trail; what the check at its end found.
fn after_a_round(panel: &Panel, measured: u16) -> bool {
    panel.sql("ALTER TABLE audit_checks DISABLE TRIGGER ALL; DELETE FROM audit_checks");
    let _serving = panel.serve();
    is_found_whole(&after_a_check(measured))
}

/// Where a panel listens, for its configuration, and the port of its metrics.
fn listening() -> (String, u16) {
    let [web, measured] = [0, 1].map(|_| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    });
    let lines =
        format!("listen = \"127.0.0.1:{web}\"\nmetrics_listen = \"127.0.0.1:{measured}\"\n");
    (lines, measured)
}

#[tokio::test]
async fn a_made_up_archive_drops_nothing_and_the_check_names_it() {
    let (listen, measured) = listening();
    let panel = with_old_events(&listen).await;
    panel.done(&["audit", "verify"]);
    make_up_an_archive(&panel, &SigningKey::from_bytes(&[7; 32]));
    let not_whole = |why: &str| {
        let output = panel.run(&["audit", "verify"]);
        assert_eq!(output.status.code(), Some(1));
        let told = said(&output);
        assert!(told.contains(why), "{told}");
    };
    let made_up =
        "The archive made-up.jsonl, which is said to hold the events up to 3, is not believed: ";
    not_whole(&format!("{made_up}it was signed by a key that is neither"));
    assert!(!after_a_round(&panel, measured));

    // A checkpoint of the panel's own, made when its event was the last one.
    panel.sql(
        "ALTER TABLE audit_archives DISABLE TRIGGER ALL; DELETE FROM audit_archives;
         INSERT INTO audit_archives (first, sequence, hash, events, before, file, at, key, signature)
         SELECT 1, sequence, hash, sequence, '2025-01-01', 'made-up.jsonl', at, key, signature
         FROM audit_checkpoints ORDER BY id LIMIT 1",
    );
    panel.done(&["user", "add", "ben", "--role", "viewer"]);
    not_whole("it was signed before the event after it was written");
    assert!(!after_a_round(&panel, measured));

    // The panel's key, and no event.
    panel.sql("DELETE FROM audit_archives");
    make_up_an_archive(&panel, &panels_own_key(&panel));
    not_whole(&format!(
        "{made_up}no event after it says that it was made."
    ));
    assert!(!after_a_round(&panel, measured));
    let numbers =
        panel.sql("SELECT string_agg(sequence::text, ' ' ORDER BY sequence) FROM audit_events");
    assert!(numbers.starts_with("1 2 3 4 5 6 7 "), "{numbers}");
}

#[tokio::test]
async fn dropping_that_was_cut_short_goes_on_while_the_file_is_there() {
    let (listen, measured) = listening();
    let panel = with_old_events(&listen).await;
    panel.sql("CREATE TABLE kept AS SELECT * FROM audit_events WHERE sequence BETWEEN 4 AND 5");
    panel.done(&["audit", "archive", "--before", "2025-01-01"]);
    let archive = panel.folder.path().join(ARCHIVE);
    let elsewhere = archive.with_extension("elsewhere");
    fs::rename(&archive, &elsewhere).unwrap();
    panel.tamper("INSERT INTO audit_events SELECT * FROM kept");
    assert!(after_a_round(&panel, measured), "what is left is whole");
    let left = || panel.sql("SELECT count(*) FROM audit_events WHERE sequence < 6");
    assert_eq!(left().trim(), "2");
    // Another file of that name is none either.
    fs::write(&archive, "{}\n").unwrap();
    assert!(after_a_round(&panel, measured));
    assert_eq!(left().trim(), "2");
    fs::rename(&elsewhere, &archive).unwrap();
    assert!(after_a_round(&panel, measured));
    assert_eq!(left().trim(), "0");
}

#[tokio::test]
async fn a_panel_that_runs_archives_what_is_old_before_it_sends_a_checkpoint_away() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let web = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let panel = with_old_events(&format!(
        "listen = \"{web}\"\n[audit]\nkeep_days = 450\ncheckpoint_url = \"http://{address}/checkpoints\""
    ))
    .await;
    let taking = tokio::task::spawn_blocking(move || take(&listener, "200 OK"));
    let serving = panel.serve();
    let body = tokio::time::timeout(WITHIN, taking).await.unwrap().unwrap();
    drop(serving);
    let checkpoint: Checkpoint = serde_json::from_str(&body).unwrap();
    assert_eq!(
        checkpoint.sequence, 7,
        "it knows that the others are archived"
    );
    assert!(panel.folder.path().join(ARCHIVE).exists());
    let whole = panel.done(&["audit", "verify"]);
    assert!(whole.contains("from event 6 on, is whole."), "{whole}");
}
