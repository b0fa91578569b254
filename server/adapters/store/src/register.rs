//! The register of credentials. Every change writes its audit event in the same transaction.

/// The columns once, with the latest rotation; `$rest` is what comes after the tables' names.
macro_rules! credentials {
    ($rest:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::register::CredentialRow,
            r#"SELECT c.id, c.kind, c.gateway_id, c.title, c.place, c.owner, c.interval_days, c.procedure,
                      c.added_at, c.snoozed_until, c.snoozed_why, c.snoozed_by AS "snoozed_by: Json<Actor>",
                      r.id AS "rotation_id?", r.at AS "rotated_at?", r.rotated_by AS "rotated_by?: Json<Actor>",
                      r.cause AS "cause?", r.operation_id AS "operation_id?", r.fingerprint AS "fingerprint?",
                      r.note AS "note?"
               FROM credentials c
               LEFT JOIN LATERAL (
                   SELECT * FROM rotations
                   WHERE credential_id = c.id AND cause <> 'put-back' AND put_back_at IS NULL
                   ORDER BY at DESC, id DESC LIMIT 1
               ) r ON true "# + $rest,
            $($argument),*
        )
    };
}

mod calendars;
mod change;
mod note;
mod past;
mod reminders;

use async_trait::async_trait;
use domain::can::Permit;
use domain::credential::{
    BuiltIn, Cause, Credential, Fingerprint, Kind, Logging, NewRotation, Rotation, Snooze, Terms,
};
use domain::operation::OperationId;
use domain::person::Actor;
use domain::ports::{ByHand, Register, RegisterError, RotationNotes, StoreError};
use domain::time::Timestamp;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{gateway, moment, unknown};
use crate::store::Store;

#[async_trait]
impl Register for Store {
    async fn list(&self) -> Result<Vec<Credential>, StoreError> {
        self.within("reading the register", async {
            let rows = credentials!(
                "WHERE c.retired_at IS NULL
                 ORDER BY c.gateway_id NULLS LAST, c.title, c.id"
            )
            .fetch_all(&self.pool)
            .await?;
            let read = rows.into_iter().map(CredentialRow::read);
            let mut listed: Vec<Credential> = read.collect::<sqlx::Result<_>>()?;
            // Kinds have an order of their own; within one the database's stays.
            let place = |kind| Kind::ALL.iter().position(|one| *one == kind);
            listed.sort_by_key(|credential| place(credential.kind));
            Ok(listed)
        })
        .await
    }

    async fn find(&self, id: Uuid) -> Result<Option<Credential>, StoreError> {
        self.within("reading a credential", async {
            let row = credentials!("WHERE c.id = $1 AND c.retired_at IS NULL", id)
                .fetch_optional(&self.pool)
                .await?;
            row.map(CredentialRow::read).transpose()
        })
        .await
    }

    async fn history(&self, id: Uuid, limit: u32) -> Result<Vec<Rotation>, StoreError> {
        self.within("reading rotations", async {
            let rows = sqlx::query_as!(
                RotationRow,
                r#"SELECT id, at, rotated_by AS "rotated_by: Json<Actor>", cause, operation_id, fingerprint, note,
                          logged, not_logged
                   FROM rotations WHERE credential_id = $1 ORDER BY at DESC, id DESC LIMIT $2"#,
                id,
                i64::from(limit),
            )
            .fetch_all(&self.pool)
            .await?;
            rows.into_iter().map(RotationRow::read).collect()
        })
        .await
    }

    async fn seed(&self, known: &[BuiltIn]) -> Result<(), StoreError> {
        self.seed_register(known).await
    }

    async fn add(&self, permit: Permit, terms: Terms) -> Result<Uuid, RegisterError> {
        self.add_credential(permit, terms).await
    }

    async fn change(&self, permit: Permit, id: Uuid, terms: Terms) -> Result<(), RegisterError> {
        self.change_credential(permit, id, terms).await
    }

    async fn retire(
        &self,
        permit: Permit,
        id: Uuid,
        reason: Option<String>,
    ) -> Result<(), RegisterError> {
        self.retire_credential(permit, id, reason).await
    }

    async fn snooze(
        &self,
        permit: Permit,
        id: Uuid,
        until: Timestamp,
        why: String,
    ) -> Result<(), RegisterError> {
        self.snooze_credential(permit, id, until, why).await
    }

    async fn note_rotation_by_hand(
        &self,
        permit: Permit,
        id: Uuid,
        done: ByHand,
    ) -> Result<Uuid, RegisterError> {
        self.note_persons_rotation(permit, id, done).await
    }

    async fn logged(&self, rotation: Uuid, log: Logging) -> Result<(), StoreError> {
        self.within("noting what became of a row in the rotation log", async {
            let (logged, not_logged) = match log {
                Logging::Committed(said) => (Some(said), None),
                Logging::Failed(why) => (None, Some(why)),
            };
            sqlx::query!(
                "UPDATE rotations SET logged = $2, not_logged = $3 WHERE id = $1 AND operation_id IS NULL",
                rotation,
                logged,
                not_logged,
            )
            .execute(&self.pool)
            .await?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl RotationNotes for Store {
    async fn note_rotation(&self, rotation: NewRotation) -> Result<(), StoreError> {
        self.note_panels_rotation(rotation).await
    }
}

struct CredentialRow {
    id: Uuid,
    kind: String,
    gateway_id: Option<String>,
    title: String,
    place: String,
    owner: String,
    interval_days: Option<i32>,
    procedure: String,
    added_at: OffsetDateTime,
    snoozed_until: Option<OffsetDateTime>,
    snoozed_why: Option<String>,
    snoozed_by: Option<Json<Actor>>,
    rotation_id: Option<Uuid>,
    rotated_at: Option<OffsetDateTime>,
    rotated_by: Option<Json<Actor>>,
    cause: Option<String>,
    operation_id: Option<Uuid>,
    fingerprint: Option<String>,
    note: Option<String>,
}

impl CredentialRow {
    fn read(self) -> sqlx::Result<Credential> {
        let last = match (
            self.rotation_id,
            self.rotated_at,
            self.rotated_by,
            self.cause,
        ) {
            (Some(id), Some(at), Some(rotated_by), Some(cause)) => Some(
                RotationRow {
                    id,
                    at,
                    rotated_by,
                    cause,
                    operation_id: self.operation_id,
                    fingerprint: self.fingerprint,
                    note: self.note,
                    logged: None,
                    not_logged: None,
                }
                .read()?,
            ),
            _ => None,
        };
        let snoozed = match (self.snoozed_until, self.snoozed_why, self.snoozed_by) {
            (Some(until), Some(why), Some(by)) => Some(Snooze {
                until: moment(until),
                why,
                by: by.0,
            }),
            _ => None,
        };
        Ok(Credential {
            id: self.id,
            kind: Kind::parse(&self.kind)
                .ok_or_else(|| unknown("kind of credential", self.kind))?,
            gateway: self.gateway_id.map(gateway).transpose()?,
            title: self.title,
            place: self.place,
            owner: self.owner,
            interval_days: self.interval_days.and_then(|days| u16::try_from(days).ok()),
            procedure: self.procedure,
            added_at: moment(self.added_at),
            last,
            snoozed,
        })
    }
}

struct RotationRow {
    id: Uuid,
    at: OffsetDateTime,
    rotated_by: Json<Actor>,
    cause: String,
    operation_id: Option<Uuid>,
    fingerprint: Option<String>,
    note: Option<String>,
    logged: Option<String>,
    not_logged: Option<String>,
}

impl RotationRow {
    fn read(self) -> sqlx::Result<Rotation> {
        let fingerprint = self.fingerprint.map(Fingerprint::try_from).transpose();
        Ok(Rotation {
            id: self.id,
            at: moment(self.at),
            by: self.rotated_by.0,
            cause: Cause::parse(&self.cause)
                .ok_or_else(|| unknown("cause of a rotation", self.cause))?,
            operation: self.operation_id.map(OperationId),
            fingerprint: fingerprint.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            note: self.note,
            log: match (self.logged, self.not_logged) {
                (Some(said), _) => Some(Logging::Committed(said)),
                (None, Some(why)) => Some(Logging::Failed(why)),
                (None, None) => None,
            },
        })
    }
}
