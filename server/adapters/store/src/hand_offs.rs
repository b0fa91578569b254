//! One-time links that show a code on another screen. Only hashes of what opens them are kept.

use async_trait::async_trait;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::can::Permit;
use domain::gateway::GatewayId;
use domain::hand_off::{HandOff, OPENS_WITHIN, Standing};
use domain::operation::OperationId;
use domain::person::Actor;
use domain::ports::{HandOffs, Opener, StoreError};
use secrecy::SecretString;
use sqlx::types::Json;
use sqlx::{Postgres, Transaction};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{column, moment};
use crate::store::Store;
use crate::token::{hash, new_secret};

/// The columns once; `$rest` is what comes after the table's name.
macro_rules! hand_offs {
    ($rest:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            HandOffRow,
            r#"SELECT id, operation_id, made_by AS "made_by: Json<Actor>", made_at, expires_at, opened_at,
                      opened_from, revoked_at
               FROM hand_offs "# + $rest,
            $($argument),*
        )
    };
}

#[async_trait]
impl HandOffs for Store {
    async fn make(
        &self,
        permit: Permit,
        operation: OperationId,
    ) -> Result<(HandOff, SecretString), StoreError> {
        self.within("making a one-time link", async {
            let (token, secret) = new_secret();
            let now = self.clock.now();
            let made = HandOff {
                id: self.ids.next(),
                operation,
                made_by: permit.actor().clone(),
                made_at: now,
                expires_at: now.plus(OPENS_WITHIN),
                opened: None,
                revoked_at: None,
            };
            let mut tx = self.pool.begin().await?;
            sqlx::query!(
                "INSERT INTO hand_offs (id, operation_id, token_hash, made_by, made_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6)",
                made.id,
                operation.0,
                token,
                Json(&made.made_by) as _,
                column(made.made_at),
                column(made.expires_at),
            )
            .execute(&mut *tx)
            .await?;
            let actor = permit.actor().clone();
            let event = event(actor, act::HAND_OFF, permit.gateway().cloned(), &made);
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok((made, secret))
        })
        .await
    }

    async fn find(&self, token: &str) -> Result<Option<HandOff>, StoreError> {
        self.within("reading a one-time link", async {
            let row = hand_offs!("WHERE token_hash = $1", hash(token))
                .fetch_optional(&self.pool)
                .await?;
            Ok(row.map(HandOffRow::read))
        })
        .await
    }

    async fn open(
        &self,
        token: &str,
        from: Opener,
    ) -> Result<Option<(HandOff, SecretString)>, StoreError> {
        self.within("opening a one-time link", async {
            let mut tx = self.pool.begin().await?;
            // Locked: of two devices at the same moment one is the first.
            let row = hand_offs!("WHERE token_hash = $1 FOR UPDATE", hash(token))
                .fetch_optional(&mut *tx)
                .await?;
            let Some(found) = row.map(HandOffRow::read) else {
                return Ok(None);
            };
            let gateway = gateway_of(&mut tx, found.operation).await?;
            let actor = Actor::Nobody {
                address: Some(from.address.clone()),
            };
            let mut event = event(actor, act::OPEN_HAND_OFF, gateway, &found);
            let place = place(&from);
            let now = self.clock.now();
            if let Some(why) = found.standing(now).against() {
                event.outcome = AuditOutcome::Denied;
                event.note = Some(format!("From {place}. {why}"));
                self.write_audit(&mut tx, event).await?;
                tx.commit().await?;
                return Ok(None);
            }
            let (device, secret) = new_secret();
            sqlx::query!(
                "UPDATE hand_offs SET opened_at = $2, opened_from = $3, device_hash = $4 WHERE id = $1",
                found.id,
                column(now),
                place,
                device,
            )
            .execute(&mut *tx)
            .await?;
            let by = found.made_by.name();
            event.note = Some(format!("From {place}; made by {by}."));
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            let opened = HandOff {
                opened: Some((now, place)),
                ..found
            };
            Ok(Some((opened, secret)))
        })
        .await
    }

    async fn of_device(&self, secret: &str) -> Result<Option<HandOff>, StoreError> {
        self.within("reading a device's one-time link", async {
            let row = hand_offs!("WHERE device_hash = $1", hash(secret))
                .fetch_optional(&self.pool)
                .await?;
            Ok(row.map(HandOffRow::read))
        })
        .await
    }

    async fn revoke(
        &self,
        permit: Permit,
        operation: OperationId,
        id: Uuid,
    ) -> Result<bool, StoreError> {
        self.within("taking a one-time link back", async {
            let mut tx = self.pool.begin().await?;
            let row = hand_offs!(
                "WHERE id = $1 AND operation_id = $2 FOR UPDATE",
                id,
                operation.0
            )
            .fetch_optional(&mut *tx)
            .await?;
            let now = self.clock.now();
            let found = row.map(HandOffRow::read);
            let Some(found) = found.filter(|found| found.standing(now) != Standing::Revoked) else {
                return Ok(false);
            };
            sqlx::query!(
                "UPDATE hand_offs SET revoked_at = $2 WHERE id = $1",
                id,
                column(now)
            )
            .execute(&mut *tx)
            .await?;
            let actor = permit.actor().clone();
            let event = event(
                actor,
                act::REVOKE_HAND_OFF,
                permit.gateway().cloned(),
                &found,
            );
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn list(&self, operation: OperationId) -> Result<Vec<HandOff>, StoreError> {
        self.within("reading one-time links", async {
            let rows = hand_offs!("WHERE operation_id = $1 ORDER BY id DESC", operation.0)
                .fetch_all(&self.pool)
                .await?;
            Ok(rows.into_iter().map(HandOffRow::read).collect())
        })
        .await
    }
}

struct HandOffRow {
    id: Uuid,
    operation_id: Uuid,
    made_by: Json<Actor>,
    made_at: OffsetDateTime,
    expires_at: OffsetDateTime,
    opened_at: Option<OffsetDateTime>,
    opened_from: Option<String>,
    revoked_at: Option<OffsetDateTime>,
}

impl HandOffRow {
    fn read(self) -> HandOff {
        let from = self.opened_from.unwrap_or_default();
        HandOff {
            id: self.id,
            operation: OperationId(self.operation_id),
            made_by: self.made_by.0,
            made_at: moment(self.made_at),
            expires_at: moment(self.expires_at),
            opened: self.opened_at.map(|at| (moment(at), from)),
            revoked_at: self.revoked_at.map(moment),
        }
    }
}

fn place(from: &Opener) -> String {
    match &from.browser {
        Some(browser) => format!("{}, {browser}", from.address),
        None => from.address.clone(),
    }
}

async fn gateway_of(
    tx: &mut Transaction<'static, Postgres>,
    operation: OperationId,
) -> sqlx::Result<Option<GatewayId>> {
    let word = sqlx::query_scalar!(
        "SELECT gateway_id FROM operations WHERE id = $1",
        operation.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    word.map(crate::rows::gateway).transpose()
}

fn event(actor: Actor, action: &str, gateway: Option<GatewayId>, link: &HandOff) -> NewAuditEvent {
    NewAuditEvent {
        gateway,
        target: Some(format!("link {}", short(link.id))),
        operation: Some(link.operation),
        ..NewAuditEvent::new(actor, action, AuditOutcome::Succeeded)
    }
}

/// Enough for people to tell links apart.
fn short(id: Uuid) -> String {
    let text = id.simple().to_string();
    text[text.len() - 8..].to_owned()
}
