//! Samples grow old: raw for 48 hours, then minutes for 30 days, then hours for two years. Each move
//! is one statement that deletes and adds up, so that a sample is never counted twice nor lost.

use std::time::Duration;

use domain::time::Timestamp;

use crate::rows::column;
use crate::store::Store;

const HOUR: Duration = Duration::from_secs(3600);
const RAW_FOR: Duration = HOUR.saturating_mul(48);
const MINUTES_FOR: Duration = HOUR.saturating_mul(24 * 30);
const HOURS_FOR: Duration = HOUR.saturating_mul(24 * 730);
/// A panel that was silent for so long and owns nothing is forgotten.
const RUNNERS_FOR: Duration = HOUR.saturating_mul(24 * 7);

impl Store {
    pub(crate) async fn roll_up_samples(&self, now: Timestamp) -> sqlx::Result<()> {
        let mut tx = self.pool.begin().await?;
        // One panel at a time; another one that does it already is enough.
        let free = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_xact_lock(hashtextextended('panel roll-up', 0)) AS "free!""#
        )
        .fetch_one(&mut *tx)
        .await?;
        if !free {
            return Ok(());
        }
        sqlx::query!(
            "WITH old AS (
                 DELETE FROM samples_raw WHERE at < date_trunc('minute', $1::timestamptz)
                 RETURNING *
             )
             INSERT INTO samples_minute AS kept
             SELECT gateway_id, fact, date_trunc('minute', at),
                    count(*) FILTER (WHERE state = 'ok'), count(*) FILTER (WHERE state = 'warn'),
                    count(*) FILTER (WHERE state = 'down'), count(*) FILTER (WHERE state = 'unknown'),
                    count(latency_ms), min(latency_ms), avg(latency_ms), max(latency_ms)
             FROM old
             GROUP BY 1, 2, 3
             ON CONFLICT (gateway_id, fact, at) DO UPDATE SET
                 ok = kept.ok + excluded.ok,
                 warn = kept.warn + excluded.warn,
                 down = kept.down + excluded.down,
                 unknown = kept.unknown + excluded.unknown,
                 latency_count = kept.latency_count + excluded.latency_count,
                 latency_min_ms = least(kept.latency_min_ms, excluded.latency_min_ms),
                 latency_avg_ms =
                     (coalesce(kept.latency_avg_ms * kept.latency_count, 0)
                      + coalesce(excluded.latency_avg_ms * excluded.latency_count, 0))
                     / nullif(kept.latency_count + excluded.latency_count, 0),
                 latency_max_ms = greatest(kept.latency_max_ms, excluded.latency_max_ms)",
            column(now.minus(RAW_FOR)),
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "WITH old AS (
                 DELETE FROM samples_minute WHERE at < date_trunc('hour', $1::timestamptz)
                 RETURNING *
             )
             INSERT INTO samples_hour AS kept
             SELECT gateway_id, fact, date_trunc('hour', at),
                    sum(ok), sum(warn), sum(down), sum(unknown), sum(latency_count),
                    min(latency_min_ms),
                    sum(latency_avg_ms * latency_count) / nullif(sum(latency_count), 0),
                    max(latency_max_ms)
             FROM old
             GROUP BY 1, 2, 3
             ON CONFLICT (gateway_id, fact, at) DO UPDATE SET
                 ok = kept.ok + excluded.ok,
                 warn = kept.warn + excluded.warn,
                 down = kept.down + excluded.down,
                 unknown = kept.unknown + excluded.unknown,
                 latency_count = kept.latency_count + excluded.latency_count,
                 latency_min_ms = least(kept.latency_min_ms, excluded.latency_min_ms),
                 latency_avg_ms =
                     (coalesce(kept.latency_avg_ms * kept.latency_count, 0)
                      + coalesce(excluded.latency_avg_ms * excluded.latency_count, 0))
                     / nullif(kept.latency_count + excluded.latency_count, 0),
                 latency_max_ms = greatest(kept.latency_max_ms, excluded.latency_max_ms)",
            column(now.minus(MINUTES_FOR)),
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "DELETE FROM samples_hour WHERE at < $1",
            column(now.minus(HOURS_FOR)),
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    /// What nobody needs any more: sessions that expired, throttles that cooled down, runners long gone.
    pub(crate) async fn clear_out(&self, now: Timestamp) -> sqlx::Result<()> {
        sqlx::query!(
            "DELETE FROM tower_sessions WHERE expiry_date < $1",
            column(now)
        )
        .execute(&self.pool)
        .await?;
        sqlx::query!(
            "DELETE FROM runners
             WHERE heard_at < clock_timestamp() - make_interval(secs => $1)
               AND NOT EXISTS (SELECT 1 FROM operations WHERE runner_id = runners.id)",
            RUNNERS_FOR.as_secs_f64(),
        )
        .execute(&self.pool)
        .await?;
        self.bound_throttles(now).await
    }
}
