//! Measures pages of the audit trail in the database of a URL that must be empty and may be filled: events of two years,
//! every filter and what people combine, the first page and one from long ago, and what waits for a review while nothing and
//! while nearly everything is reviewed. Prints the median and the 95th percentile of
//! each; asserts nothing. Ten million events take about 12 GB.
//!
//!     cargo run --release -p adapter-store --example measure_audit_pages -- URL [EVENTS [RUNS]]

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapter_store::{DatabaseConfig, Store};
use domain::audit::{Filter, Timeline};
use domain::ports::{
    AuditReader as _, Clock, Counts, Ids, Patience, Place, Reports as _, Reviews as _,
};
use domain::report::Month;
use domain::review::ROUTINE;
use domain::time::Timestamp;
use secrecy::SecretString;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use uuid::Uuid;

/// The moment of the last event.
const END: i64 = 1_795_000_000_000;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(END)
    }
}

struct NoIds;

impl Ids for NoIds {
    fn next(&self) -> Uuid {
        Uuid::nil()
    }
}

/// What is asked: names and values as in the URL. Person 7 acts often, 1 left long ago, and 0 never was.
const ASKED: [&[(&str, &str)]; 30] = [
    &[],
    &[("span", "today")],
    &[("span", "week")],
    &[("from", "2025-06-01"), ("to", "2025-06-02")],
    &[("person", "7")],
    &[("person", "1")],
    &[("person", "0")],
    &[("gateway", "g1")],
    &[("gateway", "nowhere")],
    &[("what", "restart")],
    &[("what", "wipe")],
    &[("what", "never-done")],
    &[("what", "changes")],
    &[("what", "operations")],
    &[("what", "changes"), ("span", "week")],
    &[("outcome", "denied")],
    &[("outcome", "undone")],
    &[("person", "7"), ("what", "restart")],
    &[("person", "7"), ("what", "wipe")],
    &[("person", "1"), ("what", "changes"), ("span", "30d")],
    &[("person", "1"), ("outcome", "undone"), ("gateway", "g2")],
    &[("gateway", "g1"), ("outcome", "failed")],
    &[
        ("gateway", "g3"),
        ("what", "changes"),
        ("outcome", "succeeded"),
    ],
    &[("operation", "")],
    &[("text", "does not answer")],
    &[("text", "person-7")],
    &[("text", "zebrafish")],
    &[("text", "nothinglikethis")],
    &[("text", "zebrafish answer")],
    &[
        ("text", "answer"),
        ("person", "7"),
        ("what", "restart"),
        ("outcome", "failed"),
    ],
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("name a database's URL")?;
    let events: i64 = arguments.next().map_or(Ok(10_000_000), |n| n.parse())?;
    let runs: usize = arguments.next().map_or(Ok(40), |n| n.parse())?;
    let config = DatabaseConfig::from_url(&SecretString::from(url.clone()))?;
    let store = Store::connect(config, Arc::new(Still), Arc::new(NoIds)).await?;
    let mut connection = PgConnection::connect(&url).await?;
    let there: Option<i64> = sqlx::query_scalar("SELECT max(sequence) FROM audit_events")
        .fetch_one(&mut connection)
        .await?;
    if there.is_none() {
        fill(&mut connection, events).await?;
    }
    let size: String =
        sqlx::query_scalar("SELECT pg_size_pretty(pg_total_relation_size('audit_events'))")
            .fetch_one(&mut connection)
            .await?;
    say(&format!("{events} events, {size} with their indexes"))?;
    let mut all = Vec::new();
    for asked in ASKED {
        let filter = filter(asked, events)?;
        for (name, place) in [
            ("newest", Place::Newest),
            ("middle", Place::Before(events / 2)),
        ] {
            let mut times = Vec::with_capacity(runs);
            let mut found = 0;
            for _ in 0..runs {
                let began = Instant::now();
                let page = store.page(&filter, place, 50).await?;
                times.push(began.elapsed());
                found = page.events.len();
                if page.searched_to.is_some() {
                    say("(the search ended early)")?;
                }
            }
            let words: Vec<String> = asked.iter().map(|(k, v)| format!("{k}={v}")).collect();
            let (p50, p95) = percentiles(&mut times);
            say(&format!(
                "{:<66} {name}: {found:>2} found, p50 {p50:>9.2?}, p95 {p95:>9.2?}",
                words.join(" ")
            ))?;
            all.extend(times);
        }
    }
    let (p50, p95) = percentiles(&mut all);
    let worst = all.last().copied().unwrap_or_default();
    say(&format!(
        "all pages: p50 {p50:.2?}, p95 {p95:.2?}, worst {worst:.2?}"
    ))?;
    reviews(&store, "nothing is reviewed", runs).await?;
    let mut known = Vec::new();
    for _ in 0..runs {
        let began = Instant::now();
        store.vocabulary().await?;
        known.push(began.elapsed());
    }
    let (p50, p95) = percentiles(&mut known);
    say(&format!(
        "what there is to choose from: p50 {p50:.2?}, p95 {p95:.2?}"
    ))?;
    charts(&store, events, runs).await?;
    reports(&store, events, runs).await?;
    // Two people who act themselves sign off what wants a review, and nothing between: as the page does it.
    for number in [7, 8] {
        sign_off(&mut connection, number, events, true).await?;
    }
    reviews(&store, "two who act signed off each act but the last", runs).await?;
    sign_off(&mut connection, 99, events, false).await?;
    reviews(
        &store,
        "all but the last was signed off in one stretch",
        runs,
    )
    .await
}

/// What waits for a review, as every page asks for it.
async fn reviews(store: &Store, state: &str, runs: usize) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::with_capacity(runs);
    let mut found = String::new();
    for _ in 0..runs {
        let began = Instant::now();
        let waiting = store.waiting(200).await?;
        times.push(began.elapsed());
        let more = if waiting.more { "more than " } else { "" };
        found = format!("{more}{}", waiting.events.len());
    }
    let (p50, p95) = percentiles(&mut times);
    say(&format!(
        "what waits for a review, {state}: {found}, p50 {p50:.2?}, p95 {p95:.2?}"
    ))?;
    Ok(())
}

/// A person signs off all but the last fifty events: one by one what wants a review, or everything at once.
async fn sign_off(
    connection: &mut PgConnection,
    number: u32,
    events: i64,
    one_by_one: bool,
) -> Result<(), Box<dyn Error>> {
    let who = format!("00000000-0000-0000-0000-0000000000{number:0>2}");
    let review = Uuid::from_u128(number.into());
    sqlx::query(
        "INSERT INTO reviews (id, verdict, reviewed_by, reviewer_key, reviewed_at)
         VALUES ($1, 'seen', jsonb_build_object('kind', 'person', 'id', $2, 'name', 'reviewer', 'role', 'manager'),
                 'person:' || $2, to_timestamp($3 / 1000.0))",
    )
    .bind(review)
    .bind(&who)
    .bind(END)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO review_stretches (review_id, first, last)
         SELECT $1, min(sequence), max(sequence) FROM (
             SELECT sequence, sequence - row_number() OVER (ORDER BY sequence) AS run FROM audit_events
             WHERE sequence <= $2 AND (
                 NOT $3 OR outcome <> 'requested' AND (outcome = 'denied' OR action <> ALL ($4))
             )
         ) AS numbered
         GROUP BY run",
    )
    .bind(review)
    .bind(events - 50)
    .bind(one_by_one)
    .bind(ROUTINE.map(str::to_owned).to_vec())
    .execute(&mut *connection)
    .await?;
    connection
        .execute("ANALYZE reviews; ANALYZE review_stretches")
        .await?;
    Ok(())
}

/// What the page counts for its chart, and what it counts for whoever waits.
async fn charts(store: &Store, events: i64, runs: usize) -> Result<(), Box<dyn Error>> {
    for asked in ASKED {
        let filter = filter(asked, events)?;
        let Some(timeline) = Timeline::of(filter.span, Timestamp::from_millis(END)) else {
            continue;
        };
        let words: Vec<String> = asked.iter().map(|(k, v)| format!("{k}={v}")).collect();
        for (patience, runs) in [(Patience::Page, runs), (Patience::Asked, 3)] {
            let mut times = Vec::with_capacity(runs);
            let mut found = String::new();
            for _ in 0..runs {
                let began = Instant::now();
                let counts = store
                    .events_between(&filter, &timeline.edges, patience)
                    .await?;
                times.push(began.elapsed());
                found = match counts {
                    Counts::Counted(counts) => counts.iter().sum::<u64>().to_string(),
                    other => format!("{other:?}"),
                };
            }
            let (p50, p95) = percentiles(&mut times);
            say(&format!(
                "chart, {patience:?}: {:<50} {found:>9}, p50 {p50:>9.2?}, p95 {p95:>9.2?}",
                words.join(" ")
            ))?;
        }
    }
    Ok(())
}

/// The report of a month of these two years, and of as long as a million events took.
async fn reports(store: &Store, events: i64, runs: usize) -> Result<(), Box<dyn Error>> {
    let end = Timestamp::from_millis(END);
    let month = Month::last_whole(end);
    let two_years = Duration::from_secs(2 * 365 * 86_400);
    let million = two_years.mul_f64((1_000_000.0 / f64::from(u32::try_from(events)?)).min(1.0));
    for (name, from, to) in [
        ("a month", month.begins(), month.ends()),
        ("a million events", end.minus(million), end),
    ] {
        let mut times = Vec::with_capacity(runs);
        let mut counted = 0;
        for _ in 0..runs {
            let began = Instant::now();
            let facts = store
                .facts(from, to, Duration::from_secs(7 * 86_400))
                .await?;
            times.push(began.elapsed());
            counted = facts.counts.iter().map(|one| one.count).sum::<u64>();
        }
        let (p50, p95) = percentiles(&mut times);
        say(&format!(
            "the report of {name}: {counted} events, p50 {p50:.2?}, p95 {p95:.2?}"
        ))?;
    }
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

fn percentiles(times: &mut [Duration]) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |percent: usize| {
        times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)))
    };
    let (p50, p95) = (at(50), at(95));
    (
        p50.copied().unwrap_or_default(),
        p95.copied().unwrap_or_default(),
    )
}

fn filter(asked: &[(&str, &str)], events: i64) -> Result<Filter, Box<dyn Error>> {
    let person = |number: &str| format!("person:00000000-0000-0000-0000-0000000000{number:0>2}");
    let operation = Uuid::from_u64_pair(0x019a_0000_0000_7000, u64::try_from(events / 2)? / 8 * 8);
    let pairs: Vec<(&str, String)> = asked
        .iter()
        .map(|(name, value)| match *name {
            "person" => (*name, person(value)),
            "operation" => (*name, operation.to_string()),
            _ => (*name, (*value).to_owned()),
        })
        .collect();
    let get = |name: &str| pairs.iter().find(|(known, _)| *known == name);
    Filter::read(|name| get(name).map_or("", |(_, value)| value.as_str()))
        .map_err(|wrong| format!("{wrong:?}").into())
}

/// Without hashes that fit, and with the indexes made at the end: this is about reading.
async fn fill(connection: &mut PgConnection, events: i64) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT indexname::text, indexdef FROM pg_indexes WHERE tablename = 'audit_events'
           AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE conrelid = 'audit_events'::regclass)",
    )
    .fetch_all(&mut *connection)
    .await?;
    connection
        .execute("ALTER TABLE audit_events DISABLE TRIGGER USER; SET synchronous_commit = off; SET maintenance_work_mem = '1GB'")
        .await?;
    for (name, _) in &indexes {
        connection
            .execute(format!("DROP INDEX {name}").as_str())
            .await?;
    }
    connection.execute(insert(events).as_str()).await?;
    say(&format!("wrote {events} events in {:.0?}", began.elapsed()))?;
    for (name, definition) in &indexes {
        let began = Instant::now();
        connection.execute(definition.as_str()).await?;
        say(&format!("made {name} in {:.0?}", began.elapsed()))?;
    }
    connection
        .execute(
            "INSERT INTO audit_kinds (actor_key, actor_name, action, outcome, gateway_id, first)
             SELECT actor_key, actor ->> 'name', action, outcome, gateway_id, min(sequence)
             FROM audit_events GROUP BY 1, 2, 3, 4, 5;
             ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_are_append_only,
                                      ENABLE ALWAYS TRIGGER audit_events_are_not_truncated,
                                      ENABLE TRIGGER audit_events_follow_the_head,
                                      ENABLE TRIGGER audit_events_are_of_a_kind",
        )
        .await?;
    connection.execute("VACUUM ANALYZE audit_events").await?;
    connection.execute("ANALYZE audit_kinds").await?;
    Ok(())
}

/// Sixty people, five gateways; a quarter of all are operations, half are sign-ins and looks. One event in the middle tells
/// of a zebrafish; person 1 was there for the first hundredth only.
fn insert(events: i64) -> String {
    format!(
        "INSERT INTO audit_events (sequence, id, at, actor, actor_key, action, gateway_id, target, operation_id, reason,
                                   outcome, note, duration_ms, previous, hash)
         SELECT n, gen_random_uuid(), to_timestamp({END} / 1000.0) - ({events} - n) * interval '2 years' / {events},
                jsonb_build_object('kind', 'person', 'id', who, 'name', 'person-' || person, 'role', 'operator',
                                   'address', '192.0.2.' || person, 'browser', 'Firefox on Linux'),
                'person:' || who, action, CASE WHEN is_operation OR r3 < 0.3 THEN 'g' || (1 + floor(r3 * 5)::int) END,
                CASE WHEN is_operation THEN 'account default' ELSE 'person-' || (n % 60) END,
                CASE WHEN is_operation THEN ('019a0000-0000-7000-0000-' || lpad(to_hex(n / 8 * 8), 12, '0'))::uuid END,
                CASE WHEN n = {events} / 2 + 11 THEN 'the zebrafish does not answer'
                     WHEN is_operation THEN 'it does not answer since ' || md5(n::text) END,
                CASE WHEN r2 < 0.8 THEN 'succeeded' WHEN r2 < 0.9 THEN 'requested' WHEN r2 < 0.96 THEN 'failed'
                     WHEN r2 < 0.999 THEN 'denied' ELSE 'undone' END,
                'One sentence more, as long as they are, about ' || (n % 1000),
                CASE WHEN is_operation THEN 1200 END, sha256((n - 1)::text::bytea), sha256(n::text::bytea)
         FROM (
             SELECT n, r1, r2, r3, person, ('00000000-0000-0000-0000-' || lpad(person::text, 12, '0'))::uuid AS who,
                    CASE WHEN n % ({events} / 20) = 7 THEN 'wipe'
                         WHEN r1 < 0.25 THEN (ARRAY['restart', 'restart', 'reconnect', 'recover', 'recreate', 'backup'])[1 + floor(r1 * 24)::int]
                         WHEN r1 < 0.7 THEN (ARRAY['sign-in', 'sign-out', 'confirm-identity'])[1 + floor((r1 - 0.25) * 6.6)::int]
                         WHEN r1 < 0.85 THEN (ARRAY['download-logs', 'view-code', 'verify-audit'])[1 + floor((r1 - 0.7) * 19)::int]
                         ELSE (ARRAY['note-rotation', 'change-credential', 'add-consumer', 'change-role', 'remind',
                                     'snooze-credential'])[1 + floor((r1 - 0.85) * 39)::int] END AS action,
                    r1 < 0.25 AS is_operation
             FROM (
                 SELECT n, random() AS r1, random() AS r2, random() AS r3,
                        CASE WHEN n < {events} / 100 THEN 1 ELSE 2 + floor(58 * random() * random())::int END AS person
                 FROM generate_series(1::bigint, {events}) AS n
             ) AS thrown
         ) AS made"
    )
}
