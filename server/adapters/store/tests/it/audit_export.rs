//! Exports, checked by the script of a third party: whole ones pass, and whatever is done to one is found.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use adapter_store::{ExportFormat, Store};
use domain::audit::{AuditOutcome, Checkpoint, Head, NewAuditEvent, PublicKey, Signature, act};
use domain::ports::{AuditTrail as _, Clock as _};
use domain::time::Timestamp;

use crate::audit::event;
use crate::support::{Database, anna};

async fn checkpoint(store: &Store) -> Checkpoint {
    let sign = |head: Head, at| Checkpoint {
        sequence: head.sequence,
        hash: head.hash,
        at,
        key: PublicKey([1; 32]),
        signature: Signature([2; 64]),
    };
    let made = store.make_checkpoint(Duration::ZERO, sign).await;
    made.unwrap().unwrap()
}

async fn exported(
    store: &Store,
    format: ExportFormat,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> String {
    let mut export = Vec::new();
    let write = |piece: &[u8]| {
        export.extend_from_slice(piece);
        Ok(())
    };
    store
        .export_audit(format, 0, from, to, write)
        .await
        .unwrap();
    String::from_utf8(export).unwrap()
}

/// What the script says of a file, and whether it takes it.
fn judged(export: &str) -> (bool, String) {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../audit/openclaw-audit-check.py");
    let place = std::thread::current()
        .name()
        .unwrap_or("export")
        .replace("::", "-");
    let name = format!("panel-{}-{place}.jsonl", std::process::id());
    let file: PathBuf = std::env::temp_dir().join(name);
    std::fs::write(&file, export).unwrap();
    let run = Command::new("python3")
        .arg(script)
        .arg(&file)
        .output()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    let said =
        String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    (run.status.success(), said.trim().to_owned())
}

/// Ten events with everything that text can hold, a checkpoint as the last line, and one more event after it.
async fn export() -> String {
    let database = Database::fresh().await;
    let store = database.store().await;
    for number in 1..=10 {
        let event = NewAuditEvent {
            reason: Some("é 😀 \u{2028} \u{7f} \u{1}\r\n\t\"\\ </script>".to_owned()),
            duration_ms: Some(number),
            ..NewAuditEvent::new(anna(), act::EXPORT_AUDIT, AuditOutcome::Requested)
        };
        store.record(event).await.unwrap();
    }
    let checkpoint = checkpoint(&store).await;
    store.record(event("later")).await.unwrap();
    let lines = exported(&store, ExportFormat::JsonLines, None, None).await;
    format!(
        "{lines}{}\n",
        serde_json::json!({ "checkpoint": checkpoint })
    )
}

#[tokio::test]
async fn a_whole_export_passes_and_the_last_event_and_the_checkpoint_are_named() {
    let (passes, said) = judged(&export().await);
    assert!(passes, "{said}");
    assert_eq!(
        said,
        "whole: 11 events, the last one is 11, checkpoint of 2026-11-18T11:06:40.000000Z"
    );
}

#[tokio::test]
async fn whatever_is_done_to_an_export_is_found() {
    let whole = export().await;
    let lines: Vec<&str> = whole.lines().collect();
    let without = |from: usize, to: usize| [&lines[..from], &lines[to..]].concat().join("\n");
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    let altered = whole.replacen("requested", "succeeded", 1);
    let cases = [
        (altered, "event 1 was altered"),
        (without(4, 6), "event 7 does not follow event 4"),
        (without(0, 2), "the beginning is missing"),
        (without(6, 11), "it does not fit the checkpoint of event 10"),
        (without(11, 12), "the end was cut off"),
        (swapped.join("\n"), "event 5 does not follow event 3"),
    ];
    for (export, wanted) in cases {
        let (passes, said) = judged(&export);
        assert!(!passes && said.contains(wanted), "{wanted}: {said}");
    }
}

#[tokio::test]
async fn limits_of_time_are_kept_and_a_part_is_checked_as_a_part() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let begin = database.clock.now();
    for number in 1..=6 {
        store.record(event(&number.to_string())).await.unwrap();
        database.clock.advance(Duration::from_secs(60));
    }
    let checkpoint = checkpoint(&store).await;
    let minute = |n: u64| Some(begin.plus(Duration::from_secs(60 * n)));
    let lines = exported(&store, ExportFormat::JsonLines, minute(1), minute(4)).await;
    assert_eq!(lines.lines().count(), 3);
    let limits = serde_json::json!({ "checkpoint": checkpoint, "from": "x", "to": "y" });
    let (passes, said) = judged(&format!("{lines}{limits}\n"));
    assert!(passes, "{said}");
    assert!(
        said.starts_with("whole: 3 events, the last one is 4"),
        "{said}"
    );
}

#[tokio::test]
async fn a_table_has_a_row_for_each_event_under_the_names_of_its_columns() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut event = event("=SUM(A1)");
    event.note = Some("one, \"two\"".to_owned());
    store.record(event).await.unwrap();
    let table = exported(&store, ExportFormat::Csv, None, None).await;
    let rows: Vec<&str> = table.split("\r\n").collect();
    assert_eq!(rows.len(), 3);
    assert!(
        rows[0].starts_with("sequence,at,actor_key,actor,action"),
        "{table}"
    );
    for part in [
        "1,2026-11-18T11:06:40.000000Z,person:",
        "'=SUM(A1)",
        "\"one, \"\"two\"\"\"",
    ] {
        assert!(rows[1].contains(part), "{part}: {table}");
    }
}
