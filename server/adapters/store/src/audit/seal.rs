//! Chaining the events that were written before there was a chain: once, by whoever owns the tables.

use domain::audit::{Hash, Head};
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::lock_head;
use super::rows::SealRow;

/// Events that are held in memory at once.
const BATCH: i64 = 5_000;

/// In one transaction: every event chained, the head moved behind the last one, and from now on no event without its
/// hash. Does nothing when that was done before.
pub(crate) async fn seal(connection: &mut PgConnection) -> sqlx::Result<()> {
    if is_sealed(connection).await? {
        return Ok(());
    }
    let mut tx = connection.begin().await?;
    // Another panel that starts at this moment waits here.
    let mut head = lock_head(&mut tx).await?;
    if is_sealed(&mut tx).await? {
        return Ok(());
    }
    tx.execute("ALTER TABLE audit_events DISABLE TRIGGER audit_events_are_append_only")
        .await?;
    let mut chained = 0_u64;
    while let Some((last, count)) = chain_batch(&mut tx, head).await? {
        head = last;
        chained += count;
    }
    sqlx::query!(
        "UPDATE audit_head SET sequence = $1, hash = $2",
        head.sequence,
        head.hash.0.as_slice(),
    )
    .execute(&mut *tx)
    .await?;
    tx.execute(
        "ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_are_append_only;
         ALTER TABLE audit_events ALTER COLUMN previous SET NOT NULL, ALTER COLUMN hash SET NOT NULL",
    )
    .await?;
    tx.commit().await?;
    if chained > 0 {
        tracing::info!(
            events = chained,
            "Chained the {chained} audit events that were there"
        );
    }
    Ok(())
}

async fn is_sealed(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT attnotnull AS "sealed!" FROM pg_attribute
           WHERE attrelid = 'audit_events'::regclass AND attname = 'hash'"#,
    )
    .fetch_one(connection)
    .await
}

/// The next events after `head`, chained; the last of them and how many they were.
async fn chain_batch(
    connection: &mut PgConnection,
    head: Head,
) -> sqlx::Result<Option<(Head, u64)>> {
    let rows = sqlx::query_as!(
        SealRow,
        r#"SELECT sequence, id, at, actor::text AS "actor!", actor_key, action, gateway_id, target, operation_id,
                  reason, outcome, note, changes::text AS changes, duration_ms
           FROM audit_events WHERE sequence > $1 ORDER BY sequence LIMIT $2"#,
        head.sequence,
        BATCH,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut last = head;
    let mut text = Vec::new();
    let (mut sequences, mut before, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        text.clear();
        row.record(last.hash)
            .encode(&mut text)
            .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        sequences.push(row.sequence);
        before.push(last.hash.0.to_vec());
        last = Head {
            sequence: row.sequence,
            hash: Hash::of(&text),
        };
        hashes.push(last.hash.0.to_vec());
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let done = sqlx::query!(
        "UPDATE audit_events AS event SET previous = chained.previous, hash = chained.hash
         FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS chained (sequence, previous, hash)
         WHERE event.sequence = chained.sequence",
        &sequences,
        &before,
        &hashes,
    )
    .execute(connection)
    .await?;
    Ok(Some((last, done.rows_affected())))
}
