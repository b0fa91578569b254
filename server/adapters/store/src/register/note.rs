//! Rotations, noted by the panel and by people.

use domain::action::Action;
use domain::audit::{NewAuditEvent, act};
use domain::can::Permit;
use domain::credential::{BuiltIn, Kind, NewRotation, Rotation};
use domain::ports::{ByHand, RegisterError, StoreError};
use sqlx::types::Json;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::change::{about, allowed, event};
use crate::rows::column;
use crate::store::Store;

/// Which credential the panel means is told by its kind and its gateway; there may be many that people added.
#[derive(Debug, thiserror::Error)]
#[error("rotations of what a person added are noted by hand")]
struct OfNoKnownKind;

impl Store {
    pub(super) async fn note_panels_rotation(
        &self,
        rotation: NewRotation,
    ) -> Result<(), StoreError> {
        let noting = async {
            if rotation.kind == Kind::Other {
                return Err(sqlx::Error::Encode(Box::new(OfNoKnownKind)));
            }
            let mut tx = self.pool.begin().await?;
            let (id, title) = self.listed(&mut tx, &rotation).await?;
            let noted = Rotation {
                id: self.ids.next(),
                at: rotation.at,
                by: rotation.by,
                cause: rotation.cause,
                operation: rotation.operation,
                fingerprint: rotation.fingerprint,
                note: None,
                log: None,
            };
            if !insert(&mut tx, id, &noted).await? {
                // Noted before.
                return Ok(());
            }
            if let Some(before) = rotation.puts_back {
                sqlx::query!(
                    "UPDATE rotations SET put_back_at = $3 WHERE credential_id = $1 AND operation_id = $2",
                    id,
                    before.0,
                    column(noted.at),
                )
                .execute(&mut *tx)
                .await?;
            }
            let event = NewAuditEvent {
                gateway: rotation.gateway,
                target: Some(title),
                operation: noted.operation,
                note: Some(noted.cause.sentence().to_owned()),
                ..event(noted.by, act::NOTE_ROTATION)
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await
        };
        self.within("noting a rotation", noting).await
    }

    /// The credential of a rotation; listed from now on, if it was not.
    async fn listed(
        &self,
        tx: &mut Transaction<'static, Postgres>,
        rotation: &NewRotation,
    ) -> sqlx::Result<(Uuid, String)> {
        let known = BuiltIn {
            kind: rotation.kind,
            gateway: rotation.gateway.clone(),
        };
        let terms = known.terms();
        let gateway = known.gateway.as_ref();
        let row = sqlx::query!(
            "INSERT INTO credentials (id, kind, gateway_id, title, place, owner, interval_days, procedure, added_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (kind, coalesce(gateway_id, '')) WHERE kind <> 'other' DO UPDATE SET retired_at = NULL
             RETURNING id, title",
            self.ids.next(),
            known.kind.as_str(),
            gateway.map(domain::gateway::GatewayId::as_str),
            terms.title,
            terms.place,
            terms.owner,
            terms.interval_days.map(i32::from),
            terms.procedure,
            column(self.clock.now()),
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok((row.id, row.title))
    }

    pub(super) async fn note_persons_rotation(
        &self,
        permit: Permit,
        id: Uuid,
        done: ByHand,
    ) -> Result<Uuid, RegisterError> {
        let actor = allowed(permit, Action::ManageCredentials)?;
        if done.at > self.clock.now() {
            return Err(RegisterError::NotYet);
        }
        let noting = async {
            let (mut tx, credential) = match self.locked(id).await? {
                Ok(locked) => locked,
                Err(refused) => return Ok(Err(refused)),
            };
            let noted = Rotation {
                id: self.ids.next(),
                at: done.at,
                by: actor,
                cause: done.cause,
                operation: None,
                fingerprint: None,
                note: done.note,
                log: None,
            };
            insert(&mut tx, id, &noted).await?;
            let (on, noted_as) = (noted.at.utc_date(), noted.id);
            let event = NewAuditEvent {
                reason: noted.note,
                note: Some(format!("Done by hand on {on}. {}", noted.cause.sentence())),
                ..about(&credential, event(noted.by, act::NOTE_ROTATION))
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(Ok(noted_as))
        };
        self.within("noting a rotation that was done by hand", noting)
            .await?
    }
}

/// Adds a rotation; the newest one ends a snooze. `false` when its operation was noted before.
async fn insert(
    connection: &mut PgConnection,
    credential: Uuid,
    noted: &Rotation,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "INSERT INTO rotations (id, credential_id, at, rotated_by, cause, operation_id, fingerprint, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (credential_id, operation_id) WHERE operation_id IS NOT NULL DO NOTHING",
        noted.id,
        credential,
        column(noted.at),
        Json(&noted.by) as _,
        noted.cause.as_str(),
        noted.operation.map(|operation| operation.0),
        noted
            .fingerprint
            .as_ref()
            .map(domain::credential::Fingerprint::as_str),
        noted.note,
    )
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE credentials SET snoozed_until = NULL, snoozed_why = NULL, snoozed_by = NULL
         WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM rotations WHERE credential_id = $1 AND at > $2)",
        credential,
        column(noted.at),
    )
    .execute(connection)
    .await?;
    Ok(true)
}
