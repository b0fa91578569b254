//! Measures the audit trail in the database of a URL that must be empty: what a chained event costs over a bare insert,
//! and how fast a million of them are chained, checked and exported. With 0 EVENTS those that are there are checked and
//! exported. Prints figures; asserts nothing.
//!
//!     cargo run --release -p adapter-store --example measure_audit -- URL [EVENTS]

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapter_store::{CheckWhen, DatabaseConfig, ExportFormat, Store};
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::person::{Actor, Role};
use domain::ports::{AuditTrail as _, Clock, Ids};
use domain::time::Timestamp;
use secrecy::SecretString;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use uuid::Uuid;

const ACTS: usize = 2_000;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000)
    }
}

#[derive(Default)]
struct Counting(std::sync::atomic::AtomicU64);

impl Ids for Counting {
    fn next(&self) -> Uuid {
        let next = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Uuid::from_u64_pair(7, next)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("name a database's URL")?;
    let events: u64 = std::env::args()
        .nth(2)
        .map_or(Ok(1_000_000), |n| n.parse())?;
    let config = DatabaseConfig::from_url(&SecretString::from(url.clone()))?;
    let ids = Arc::new(Counting::default());
    let open = || Store::connect(config.clone(), Arc::new(Still), ids.clone());
    let store = open().await?;
    if events > 0 {
        costs(&store, &url).await?;
        store.close().await;
        fill(&url, events).await?;
    }
    let begin = Instant::now();
    let store = open().await?;
    say("chained those that were there", events, begin.elapsed())?;
    for _ in 0..2 {
        let begin = Instant::now();
        let check = store
            .check_audit(CheckWhen::Now, Vec::new(), Vec::new(), |_| Ok(()))
            .await?;
        let check = check.ok_or("not checked")?;
        say(
            &format!("checked: {}", check.sentence()),
            check.events,
            begin.elapsed(),
        )?;
    }
    for format in [ExportFormat::JsonLines, ExportFormat::Csv] {
        let begin = Instant::now();
        let mut bytes = 0;
        let write = |piece: &[u8]| {
            bytes += piece.len();
            Ok(())
        };
        let count = store.export_audit(format, 0, None, None, write).await?;
        say(
            &format!("exported as {format:?}, {} MB", bytes / 1_000_000),
            count,
            begin.elapsed(),
        )?;
    }
    Ok(())
}

fn say(what: &str, events: u64, took: Duration) -> std::io::Result<()> {
    let per_second = u128::from(events) * 1_000_000 / took.as_micros().max(1);
    // Fields 14 and 15, in hundredths of a second: what this process alone has used so far.
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let mut ticks = stat
        .split_whitespace()
        .skip(13)
        .map(|field| field.parse().unwrap_or(0_u64));
    let cpu = ticks.next().unwrap_or(0) + ticks.next().unwrap_or(0);
    let used = std::fs::read_to_string("/proc/self/status")?;
    let peak = used
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or_default();
    writeln!(
        std::io::stdout(),
        "{what}: {events} in {took:.2?}, {per_second} a second; {}; CPU so far {}.{:02} s",
        peak.split_whitespace().collect::<Vec<_>>().join(" "),
        cpu / 100,
        cpu % 100,
    )
}

/// A chained event in its transaction, and the insert that it would be without the chain in one.
async fn costs(store: &Store, url: &str) -> Result<(), Box<dyn Error>> {
    let mut chained = Vec::new();
    for n in 0..ACTS {
        let event = NewAuditEvent {
            target: Some(n.to_string()),
            note: Some("One sentence more, as long as they are.".to_owned()),
            ..NewAuditEvent::new(actor(), act::SIGN_IN, AuditOutcome::Succeeded)
        };
        let begin = Instant::now();
        store.record(event).await?;
        chained.push(begin.elapsed());
    }
    let mut connection = PgConnection::connect(url).await?;
    connection
        .execute("CREATE TABLE bare (LIKE audit_events INCLUDING ALL); ALTER TABLE bare ALTER previous DROP NOT NULL, ALTER hash DROP NOT NULL")
        .await?;
    let actor_json = serde_json::to_value(actor())?;
    let mut bare = Vec::new();
    for n in 0..ACTS {
        let begin = Instant::now();
        let mut tx = connection.begin().await?;
        sqlx::query(
            "INSERT INTO bare (sequence, id, at, actor, actor_key, action, target, outcome, note)
             VALUES ($1, $2, now(), $3, 'person:1', 'sign-in', $4, 'succeeded', $5)",
        )
        .bind(i64::try_from(n + 1)?)
        .bind(Uuid::from_u64_pair(9, n as u64))
        .bind(&actor_json)
        .bind(n.to_string())
        .bind("One sentence more, as long as they are.")
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        bare.push(begin.elapsed());
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    let (chained, bare) = (median(&mut chained), median(&mut bare));
    writeln!(
        std::io::stdout(),
        "appending one event: median {chained:.2?} chained, {bare:.2?} bare, {:.2?} on top",
        chained.saturating_sub(bare)
    )?;
    Ok(())
}

fn actor() -> Actor {
    Actor::Person {
        id: Uuid::from_u128(1),
        name: "anna".to_owned(),
        role: Role::Admin,
        address: Some("192.0.2.7".to_owned()),
        browser: Some("Firefox on Linux".to_owned()),
        session: None,
        token: None,
    }
}

/// As a trail of before the chain: no hashes.
async fn fill(url: &str, events: u64) -> Result<(), Box<dyn Error>> {
    let mut connection = PgConnection::connect(url).await?;
    let actor = serde_json::to_string(&actor())?;
    let begin = Instant::now();
    connection
        .execute(
            format!(
                "BEGIN;
                 ALTER TABLE audit_events DISABLE TRIGGER USER, ALTER previous DROP NOT NULL, ALTER hash DROP NOT NULL;
                 TRUNCATE audit_events;
                 ALTER TABLE audit_head DISABLE TRIGGER USER;
                 UPDATE audit_head SET sequence = 0, hash = decode(repeat('00', 32), 'hex');
                 INSERT INTO audit_events (sequence, id, at, actor, actor_key, action, gateway_id, target, operation_id,
                                           reason, outcome, note)
                 SELECT n, gen_random_uuid(), '2026-01-01Z'::timestamptz + n * interval '7 seconds', '{actor}',
                        'person:1', 'restart', 'openclaw', 'account default', gen_random_uuid(),
                        'it does not answer any more', 'succeeded', 'One sentence more, as long as they are.'
                 FROM generate_series(1, {events}) AS n;
                 ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_are_append_only,
                                          ENABLE ALWAYS TRIGGER audit_events_are_not_truncated,
                                          ENABLE TRIGGER audit_events_follow_the_head;
                 ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_head_stays;
                 COMMIT"
            )
            .as_str(),
        )
        .await?;
    connection.execute("VACUUM ANALYZE audit_events").await?;
    say("wrote", events, begin.elapsed())?;
    Ok(())
}
