//! Commands that wait for a second person.

use async_trait::async_trait;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::can::Permit;
use domain::gateway::GatewayId;
use domain::operation::{Command, OperationId};
use domain::person::Actor;
use domain::ports::{ProposalError, Proposals, StoreError};
use domain::proposal::{Decided, Decision, OPEN_FOR, Proposal, Standing};
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{column, moment, unknown};
use crate::store::Store;

/// The columns once; `$rest` is what comes after the table's name.
macro_rules! proposals {
    ($rest:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            ProposalRow,
            r#"SELECT id, command AS "command: Json<Command>", reason, asked_by AS "asked_by: Json<Actor>", asked_at,
                      decision, decided_by AS "decided_by: Json<Actor>", decided_at, note, operation_id
               FROM proposals "# + $rest,
            $($argument),*
        )
    };
}

#[async_trait]
impl Proposals for Store {
    async fn propose(
        &self,
        permit: Permit,
        command: Command,
        reason: Option<String>,
    ) -> Result<Proposal, ProposalError> {
        let gateway = command.gateway().clone();
        if permit.action() != command.action() || permit.gateway() != Some(&gateway) {
            return Err(ProposalError::NotPermitted);
        }
        self.within("asking for a second person", async {
            let now = self.clock.now();
            let mut tx = self.pool.begin().await?;
            // Of two who ask at the same moment one is the first.
            sqlx::query!(
                "SELECT pg_advisory_xact_lock(hashtext('proposals ' || $1))",
                gateway.as_str()
            )
            .execute(&mut *tx)
            .await?;
            let waiting = proposals!(
                "WHERE gateway_id = $1 AND name = $2 AND decision IS NULL AND asked_at > $3
                 ORDER BY asked_at DESC LIMIT 1",
                gateway.as_str(),
                command.name(),
                column(now.minus(OPEN_FOR)),
            )
            .fetch_optional(&mut *tx)
            .await?;
            if let Some(waiting) = waiting {
                let waiting = Box::new(waiting.read()?);
                return Ok(Err(ProposalError::Waits(waiting)));
            }
            let proposal = Proposal {
                id: self.ids.next(),
                command,
                reason,
                asked_by: permit.actor().clone(),
                asked_at: now,
                decided: None,
                operation: None,
            };
            sqlx::query!(
                "INSERT INTO proposals (id, gateway_id, name, command, reason, asked_by, asked_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                proposal.id,
                gateway.as_str(),
                proposal.command.name(),
                Json(&proposal.command) as _,
                proposal.reason,
                Json(&proposal.asked_by) as _,
                column(proposal.asked_at),
            )
            .execute(&mut *tx)
            .await?;
            let event = NewAuditEvent {
                reason: proposal.reason.clone(),
                ..event(permit.actor(), act::ASK_SECOND, &proposal)
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(Ok(proposal))
        })
        .await?
    }

    async fn latest_proposal(&self, gateway: &GatewayId) -> Result<Option<Proposal>, StoreError> {
        self.within("reading what waits for a second person", async {
            let row = proposals!(
                "WHERE gateway_id = $1 ORDER BY asked_at DESC LIMIT 1",
                gateway.as_str()
            )
            .fetch_optional(&self.pool)
            .await?;
            row.map(ProposalRow::read).transpose()
        })
        .await
    }

    async fn proposal(&self, id: Uuid) -> Result<Option<Proposal>, StoreError> {
        self.within("reading what waits for a second person", async {
            let row = proposals!("WHERE id = $1", id)
                .fetch_optional(&self.pool)
                .await?;
            row.map(ProposalRow::read).transpose()
        })
        .await
    }

    async fn decide(
        &self,
        permit: Permit,
        id: Uuid,
        decision: Decision,
        note: Option<String>,
    ) -> Result<Proposal, ProposalError> {
        self.within("deciding what waits for a second person", async {
            let now = self.clock.now();
            let mut tx = self.pool.begin().await?;
            // Locked: of two people at the same moment one is the first.
            let row = proposals!("WHERE id = $1 FOR UPDATE", id)
                .fetch_optional(&mut *tx)
                .await?;
            let Some(mut proposal) = row.map(ProposalRow::read).transpose()? else {
                return Ok(Err(ProposalError::Unknown));
            };
            if permit.action() != proposal.command.action()
                || permit.gateway() != Some(proposal.command.gateway())
            {
                return Ok(Err(ProposalError::NotPermitted));
            }
            if let Err(why) = proposal.may_decide(permit.actor(), decision) {
                return Ok(Err(ProposalError::NotYours(why)));
            }
            if proposal.standing(now) != Standing::Open {
                return Ok(Err(ProposalError::Over));
            }
            sqlx::query!(
                "UPDATE proposals SET decision = $2, decided_by = $3, decided_at = $4, note = $5 WHERE id = $1",
                id,
                decision.as_str(),
                Json(permit.actor()) as _,
                column(now),
                note,
            )
            .execute(&mut *tx)
            .await?;
            let did = match decision {
                Decision::Approved => act::APPROVE,
                Decision::Declined => act::DECLINE,
                Decision::Withdrawn => act::WITHDRAW,
            };
            let event = NewAuditEvent {
                reason: note.clone(),
                ..event(permit.actor(), did, &proposal)
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            proposal.decided = Some(Decided {
                decision,
                by: permit.actor().clone(),
                at: now,
                note,
            });
            Ok(Ok(proposal))
        })
        .await?
    }

    async fn begun(&self, id: Uuid, operation: OperationId) -> Result<(), StoreError> {
        self.within("noting what a second person agreed to", async {
            sqlx::query!(
                "UPDATE proposals SET operation_id = $2 WHERE id = $1 AND decision = 'approved'",
                id,
                operation.0
            )
            .execute(&self.pool)
            .await?;
            Ok(())
        })
        .await
    }
}

fn event(actor: &Actor, action: &str, proposal: &Proposal) -> NewAuditEvent {
    NewAuditEvent {
        gateway: Some(proposal.command.gateway().clone()),
        target: Some(proposal.command.title()),
        note: Some(format!("Asked for by {}.", proposal.asked_by.name())),
        ..NewAuditEvent::new(actor.clone(), action, AuditOutcome::Succeeded)
    }
}

struct ProposalRow {
    id: Uuid,
    command: Json<Command>,
    reason: Option<String>,
    asked_by: Json<Actor>,
    asked_at: OffsetDateTime,
    decision: Option<String>,
    decided_by: Option<Json<Actor>>,
    decided_at: Option<OffsetDateTime>,
    note: Option<String>,
    operation_id: Option<Uuid>,
}

impl ProposalRow {
    fn read(self) -> sqlx::Result<Proposal> {
        let decided = match (self.decision, self.decided_by, self.decided_at) {
            (Some(word), Some(by), Some(at)) => Some(Decided {
                decision: Decision::parse(&word).ok_or_else(|| unknown("decision", word))?,
                by: by.0,
                at: moment(at),
                note: self.note,
            }),
            _ => None,
        };
        Ok(Proposal {
            id: self.id,
            command: self.command.0,
            reason: self.reason,
            asked_by: self.asked_by.0,
            asked_at: moment(self.asked_at),
            decided,
            operation: self.operation_id.map(OperationId),
        })
    }
}
