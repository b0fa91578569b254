//! Who reviewed how much in a while, and what had waited too long at its end.

use std::time::Duration;

use domain::report::{COUNTED, Reviewed};
use domain::review::Verdict;
use domain::time::Timestamp;
use time::OffsetDateTime;

use super::report::count;
use super::reviews::{WAITS_FOR, wants_review};
use crate::rows::{column, moment, unknown};
use crate::store::Store;

impl Store {
    pub(super) async fn reviews_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> sqlx::Result<Vec<Reviewed>> {
        let rows = sqlx::query!(
            r#"SELECT max(coalesce(r.reviewed_by ->> 'name', r.reviewed_by ->> 'user', '')) AS by, r.verdict, count(*) AS "reviews!",
                      coalesce(sum(covered.events), 0)::bigint AS "events!"
               FROM reviews AS r
               CROSS JOIN LATERAL (
                   SELECT sum(s.last - s.first + 1) AS events FROM review_stretches AS s WHERE s.review_id = r.id
               ) AS covered
               WHERE r.reviewed_at >= $1 AND r.reviewed_at < $2
               GROUP BY r.reviewer_key, r.verdict ORDER BY 1, r.verdict DESC"#,
            column(from),
            column(to),
        )
        .fetch_all(&self.pool)
        .await?;
        let reviewed = rows.into_iter().map(|row| {
            Ok(Reviewed {
                by: row.by.unwrap_or_default(),
                verdict: Verdict::parse(&row.verdict)
                    .ok_or_else(|| unknown("verdict", row.verdict))?,
                reviews: count(row.reviews),
                events: count(row.events),
            })
        });
        reviewed.collect()
    }

    /// How many events had waited too long for a review at a moment, and since when. Nobody's review counts for their
    /// own acts.
    pub(super) async fn late_at(
        &self,
        to: Timestamp,
        within: Duration,
    ) -> sqlx::Result<(u64, Option<Timestamp>)> {
        let begin = to.minus(WAITS_FOR);
        let end = to.minus(within);
        let Some(range) = self.numbers(Some(begin), Some(end)).await? else {
            return Ok((0, None));
        };
        let late = format!(
            "WITH covered AS (
                 SELECT r.reviewer_key, range_agg(int8range(s.first, s.last, '[]')) AS stretches
                 FROM reviews AS r JOIN review_stretches AS s ON s.review_id = r.id
                 WHERE r.verdict IN ('seen', 'follow-up') AND s.last >= $1 AND r.reviewed_at < $3
                 GROUP BY r.reviewer_key
             )
             SELECT count(*), min(at) FROM (
                 SELECT e.at FROM audit_events AS e
                 WHERE {} AND e.sequence BETWEEN $1 AND $2
                   AND NOT EXISTS (
                       SELECT FROM covered
                       WHERE covered.reviewer_key <> e.actor_key AND e.sequence <@ covered.stretches
                   )
                 ORDER BY e.sequence LIMIT $4
             ) AS late",
            wants_review()
        );
        let (late_ones, oldest): (i64, Option<OffsetDateTime>) = sqlx::query_as(&late)
            .bind(range.low)
            .bind(range.high)
            .bind(column(to))
            .bind(i64::try_from(COUNTED).unwrap_or(i64::MAX))
            .persistent(false)
            .fetch_one(&self.pool)
            .await?;
        Ok((count(late_ones), oldest.map(moment)))
    }
}
