//! Who reviewed how much in a while, and what had waited too long at its end.

use std::time::Duration;

use domain::report::{COUNTED, Reviewed};
use domain::review::{Verdict, WAITS_FOR};
use domain::time::Timestamp;

use super::report::count;
use super::waiting::Among;
use crate::rows::{column, unknown};
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
        let among = Among {
            numbers: (range.low, range.high),
            reviewed_before: Some(to),
            now: to,
        };
        let counted = i64::try_from(COUNTED).unwrap_or(i64::MAX);
        let (late, oldest) = self.count_waiting(among, counted).await?;
        Ok((count(late), oldest))
    }
}
