//! The register as it stood, and what was rotated in a while.

use domain::credential::Credential;
use domain::person::Actor;
use domain::report::Rotated;
use domain::time::Timestamp;
use sqlx::types::Json;

use super::{CredentialRow, RotationRow};
use crate::rows::{column, gateway};
use crate::store::Store;

impl Store {
    /// What was listed at a moment, with the rotation that was the last one then. What is said of it besides is what is
    /// said of it now.
    pub(crate) async fn register_at(&self, at: Timestamp) -> sqlx::Result<Vec<Credential>> {
        let rows = sqlx::query_as!(
            CredentialRow,
            r#"SELECT c.id, c.kind, c.gateway_id, c.title, c.place, c.owner, c.interval_days, c.procedure,
                      c.added_at, c.snoozed_until, c.snoozed_why, c.snoozed_by AS "snoozed_by: Json<Actor>",
                      r.id AS "rotation_id?", r.at AS "rotated_at?", r.rotated_by AS "rotated_by?: Json<Actor>",
                      r.cause AS "cause?", r.operation_id AS "operation_id?", r.fingerprint AS "fingerprint?",
                      r.note AS "note?"
               FROM credentials c
               LEFT JOIN LATERAL (
                   SELECT * FROM rotations
                   WHERE credential_id = c.id AND cause <> 'put-back' AND at < $1
                     AND (put_back_at IS NULL OR put_back_at >= $1)
                   ORDER BY at DESC, id DESC LIMIT 1
               ) r ON true
               WHERE c.added_at < $1 AND (c.retired_at IS NULL OR c.retired_at >= $1)
               ORDER BY c.gateway_id NULLS LAST, c.title, c.id"#,
            column(at),
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(CredentialRow::read).collect()
    }

    /// What was rotated between two moments, oldest first.
    pub(crate) async fn rotated_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> sqlx::Result<Vec<Rotated>> {
        let rows = sqlx::query!(
            r#"SELECT c.title, c.gateway_id, r.id, r.at, r.rotated_by AS "rotated_by: Json<Actor>", r.cause,
                      r.operation_id, r.fingerprint, r.note, r.logged, r.not_logged
               FROM rotations AS r JOIN credentials AS c ON c.id = r.credential_id
               WHERE r.at >= $1 AND r.at < $2 ORDER BY r.at, r.id LIMIT 500"#,
            column(from),
            column(to),
        )
        .fetch_all(&self.pool)
        .await?;
        let rotated = rows.into_iter().map(|row| {
            let rotation = RotationRow {
                id: row.id,
                at: row.at,
                rotated_by: row.rotated_by,
                cause: row.cause,
                operation_id: row.operation_id,
                fingerprint: row.fingerprint,
                note: row.note,
                logged: row.logged,
                not_logged: row.not_logged,
            };
            Ok(Rotated {
                title: row.title,
                gateway: row.gateway_id.map(gateway).transpose()?,
                rotation: rotation.read()?,
            })
        });
        rotated.collect()
    }
}
