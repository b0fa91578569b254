//! What people change in the register.

use domain::action::Action;
use domain::audit::{AuditOutcome, Change, NewAuditEvent, act};
use domain::can::Permit;
use domain::credential::{BuiltIn, Credential, Kind, Terms};
use domain::person::Actor;
use domain::ports::{RegisterError, StoreError};
use domain::time::Timestamp;
use sqlx::types::Json;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::rows::column;
use crate::store::Store;

/// What a change found out within its transaction.
pub(super) type Changed<T> = sqlx::Result<Result<T, RegisterError>>;

impl Store {
    pub(super) async fn seed_register(&self, known: &[BuiltIn]) -> Result<(), StoreError> {
        self.within("listing what the panel knows by itself", async {
            let mut tx = self.pool.begin().await?;
            for known in known.iter().filter(|known| known.kind != Kind::Other) {
                let terms = known.terms();
                sqlx::query!(
                    "INSERT INTO credentials (id, kind, gateway_id, title, place, owner, interval_days, procedure,
                                              added_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                     ON CONFLICT (kind, coalesce(gateway_id, '')) WHERE kind <> 'other' DO NOTHING",
                    self.ids.next(),
                    known.kind.as_str(),
                    known
                        .gateway
                        .as_ref()
                        .map(domain::gateway::GatewayId::as_str),
                    terms.title,
                    terms.place,
                    terms.owner,
                    terms.interval_days.map(i32::from),
                    terms.procedure,
                    column(self.clock.now()),
                )
                .execute(&mut *tx)
                .await?;
            }
            tx.commit().await
        })
        .await
    }

    pub(super) async fn add_credential(
        &self,
        permit: Permit,
        terms: Terms,
    ) -> Result<Uuid, RegisterError> {
        let actor = allowed(permit, Action::ManageCredentials)?;
        let id = self.ids.next();
        let adding = async {
            let mut tx = self.pool.begin().await?;
            sqlx::query!(
                "INSERT INTO credentials (id, kind, title, place, owner, interval_days, procedure, added_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                id,
                Kind::Other.as_str(),
                terms.title,
                terms.place,
                terms.owner,
                terms.interval_days.map(i32::from),
                terms.procedure,
                column(self.clock.now()),
            )
            .execute(&mut *tx)
            .await?;
            let event = NewAuditEvent {
                target: Some(terms.title.clone()),
                ..event(actor, act::ADD_CREDENTIAL)
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await
        };
        self.within("adding a credential", adding).await?;
        Ok(id)
    }

    pub(super) async fn change_credential(
        &self,
        permit: Permit,
        id: Uuid,
        terms: Terms,
    ) -> Result<(), RegisterError> {
        let actor = allowed(permit, Action::ManageCredentials)?;
        let changing = async {
            let (mut tx, before) = match self.locked(id).await? {
                Ok(locked) => locked,
                Err(refused) => return Ok(Err(refused)),
            };
            let terms = if before.kind.is_named_by_people() {
                terms
            } else {
                Terms {
                    title: before.title.clone(),
                    place: before.place.clone(),
                    ..terms
                }
            };
            let Some(changed) = difference(&before, &terms) else {
                return Ok(Ok(()));
            };
            sqlx::query!(
                "UPDATE credentials
                 SET title = $2, place = $3, owner = $4, interval_days = $5, procedure = $6
                 WHERE id = $1",
                id,
                terms.title,
                terms.place,
                terms.owner,
                terms.interval_days.map(i32::from),
                terms.procedure,
            )
            .execute(&mut *tx)
            .await?;
            let event = NewAuditEvent {
                note: Some(changed),
                changes: changes(&before, &terms),
                ..about(&before, event(actor, act::CHANGE_CREDENTIAL))
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(Ok(()))
        };
        self.within("changing a credential", changing).await?
    }

    pub(super) async fn retire_credential(
        &self,
        permit: Permit,
        id: Uuid,
        reason: Option<String>,
    ) -> Result<(), RegisterError> {
        let actor = allowed(permit, Action::RetireCredential)?;
        let retiring = async {
            let (mut tx, before) = match self.locked(id).await? {
                Ok(locked) => locked,
                Err(refused) => return Ok(Err(refused)),
            };
            if !before.kind.may_be_retired() {
                return Ok(Err(RegisterError::Stays));
            }
            sqlx::query!(
                "UPDATE credentials SET retired_at = $2 WHERE id = $1",
                id,
                column(self.clock.now()),
            )
            .execute(&mut *tx)
            .await?;
            let event = NewAuditEvent {
                reason,
                ..about(&before, event(actor, act::RETIRE_CREDENTIAL))
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(Ok(()))
        };
        self.within("taking a credential out of the register", retiring)
            .await?
    }

    pub(super) async fn snooze_credential(
        &self,
        permit: Permit,
        id: Uuid,
        until: Timestamp,
        why: String,
    ) -> Result<(), RegisterError> {
        let actor = allowed(permit, Action::ManageCredentials)?;
        let snoozing = async {
            let (mut tx, before) = match self.locked(id).await? {
                Ok(locked) => locked,
                Err(refused) => return Ok(Err(refused)),
            };
            sqlx::query!(
                "UPDATE credentials SET snoozed_until = $2, snoozed_why = $3, snoozed_by = $4 WHERE id = $1",
                id,
                column(until),
                why,
                Json(&actor) as _,
            )
            .execute(&mut *tx)
            .await?;
            let event = NewAuditEvent {
                reason: Some(why.clone()),
                note: Some(format!("Until {}.", until.utc_date())),
                ..about(&before, event(actor, act::SNOOZE_CREDENTIAL))
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(Ok(()))
        };
        self.within("snoozing a credential", snoozing).await?
    }

    /// The row of a credential, locked until the transaction ends.
    pub(super) async fn locked(
        &self,
        id: Uuid,
    ) -> Changed<(Transaction<'static, Postgres>, Credential)> {
        let mut tx = self.pool.begin().await?;
        match locked_row(&mut tx, id).await? {
            Some(found) => Ok(Ok((tx, found))),
            None => Ok(Err(RegisterError::Unknown)),
        }
    }
}

async fn locked_row(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Credential>> {
    let row = credentials!(
        "WHERE c.id = $1 AND c.retired_at IS NULL FOR UPDATE OF c",
        id
    )
    .fetch_optional(connection)
    .await?;
    row.map(super::CredentialRow::read).transpose()
}

/// The permit is a value that only the capability table makes; one for something else is refused.
pub(super) fn allowed(permit: Permit, action: Action) -> Result<Actor, RegisterError> {
    if permit.action() == action {
        Ok(permit.actor().clone())
    } else {
        Err(RegisterError::NotPermitted)
    }
}

/// What is changed, as a sentence; `None` when nothing is.
fn difference(before: &Credential, after: &Terms) -> Option<String> {
    let interval =
        |days: Option<u16>| days.map_or("none".to_owned(), |days| format!("{days} days"));
    let owner = |owner: &str| match owner {
        "" => "nobody".to_owned(),
        owner => owner.to_owned(),
    };
    let mut changed = Vec::new();
    if before.title != after.title {
        changed.push(format!("now called {}", after.title));
    }
    if before.place != after.place {
        changed.push("another place".to_owned());
    }
    if before.owner != after.owner {
        let (from, to) = (owner(&before.owner), owner(&after.owner));
        changed.push(format!("owner from {from} to {to}"));
    }
    if before.interval_days != after.interval_days {
        let (from, to) = (
            interval(before.interval_days),
            interval(after.interval_days),
        );
        changed.push(format!("interval from {from} to {to}"));
    }
    if before.procedure != after.procedure {
        changed.push("another procedure".to_owned());
    }
    let said = changed.join(", ");
    let mut letters = said.chars();
    let first = letters.next()?.to_uppercase();
    Some(first.chain(letters).chain(['.']).collect())
}

/// The same value by value.
fn changes(before: &Credential, after: &Terms) -> Vec<Change> {
    let days = |days: Option<u16>| days.map(|days| days.to_string());
    let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let values = [
        ("title", said(&before.title), said(&after.title)),
        ("place", said(&before.place), said(&after.place)),
        ("owner", said(&before.owner), said(&after.owner)),
        (
            "interval_days",
            days(before.interval_days),
            days(after.interval_days),
        ),
        ("procedure", said(&before.procedure), said(&after.procedure)),
    ];
    let changed = values.iter().filter(|(_, before, after)| before != after);
    changed
        .map(|(what, before, after)| Change::new(what, before.as_deref(), after.as_deref()))
        .collect()
}

/// An event of the register that went well.
pub(super) fn event(actor: Actor, action: &str) -> NewAuditEvent {
    NewAuditEvent::new(actor, action, AuditOutcome::Succeeded)
}

/// The event about a credential.
pub(super) fn about(credential: &Credential, event: NewAuditEvent) -> NewAuditEvent {
    NewAuditEvent {
        gateway: credential.gateway.clone(),
        target: Some(credential.title.clone()),
        ..event
    }
}
