//! What pages and the command line ask of the engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::action::Action;
use domain::can::Permit;
use domain::compare::Comparison;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::operation::{Command, Operation, OperationId, OperationView};
use domain::ports::{Begun, NewOperation, Operations, StartError, StoreError};

use crate::engine::Engine;
use crate::runner::Origin;
use crate::step::Shape;

#[async_trait]
impl Operations for Engine {
    async fn start(
        &self,
        permit: Permit,
        command: Command,
        idempotency_key: String,
        reason: Option<String>,
    ) -> Result<OperationId, StartError> {
        let inner = &self.0;
        let gateway = command.gateway().clone();
        if permit.action() != command.action() || permit.gateway() != Some(&gateway) {
            return Err(StartError::NotPermitted);
        }
        if !inner.parts.gateways.contains(&gateway) {
            return Err(StartError::UnknownGateway(gateway));
        }
        let asks_for_two =
            command.action() == Action::RotateKey && inner.parts.second_person.contains(&gateway);
        if asks_for_two && permit.second().is_none() {
            return Err(StartError::NeedsSecondPerson);
        }
        let Some(story) = inner.book.story(&command) else {
            return Err(StartError::Refused(Fault::new(
                FaultKind::NotOffered,
                Boundary::Panel,
                format!("this panel has no operation `{}`", command.name()),
            )));
        };
        let usual = inner.parts.journal.usual_duration(&gateway, command.name());
        let usually_ms = usual
            .await
            .unwrap_or_default()
            .and_then(|usual| u64::try_from(usual.as_millis()).ok());
        if inner.closing.is_cancelled() {
            return Err(StartError::ShuttingDown);
        }
        let operation = Operation {
            id: OperationId(inner.parts.ids.next()),
            command,
            asked_by: permit.actor().clone(),
            reason: reason.map(|reason| inner.scrubber.scrub(&reason)),
            created_at: inner.parts.clock.now(),
            ended_at: None,
            outcome: None,
            generation: 0,
            steps: story.shapes().iter().map(Shape::outline).collect(),
            usually_ms,
        };
        let id = operation.id;
        let new = NewOperation {
            operation,
            second: permit.second().cloned(),
            idempotency_key,
        };
        // In a task of its own: a browser that goes away must not leave a stored operation unbegun.
        let task = Arc::clone(inner);
        let begun = inner.tracker.spawn(async move {
            let begun = task.parts.journal.begin(new, task.runner).await;
            if let Ok(Begun::New(operation)) = &begun {
                task.holders.note(operation.clone());
                task.launch(operation.clone(), Origin::Begun);
            } else if begun.is_err() {
                task.forget(id);
            }
            begun
        });
        match begun.await {
            Ok(Ok(Begun::New(operation) | Begun::Same(operation))) => Ok(operation.id),
            Ok(Ok(Begun::Busy(holder))) => Err(StartError::Busy {
                holder: Box::new(holder),
            }),
            Ok(Err(error)) => Err(StartError::Database(error)),
            Err(error) => Err(StartError::Database(StoreError {
                doing: "storing the operation",
                source: Box::new(error),
            })),
        }
    }

    async fn view(&self, id: OperationId) -> Result<Option<OperationView>, StoreError> {
        let journal = &self.0.parts.journal;
        let Some(operation) = journal.operation(id).await? else {
            return Ok(None);
        };
        let events = journal.events(id, 0).await?;
        Ok(Some(OperationView::fold(operation, &events)))
    }

    fn holder(&self, gateway: &GatewayId) -> Option<Operation> {
        self.0.holders.get(gateway)
    }

    async fn list(
        &self,
        gateway: &GatewayId,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        self.0.parts.journal.list(gateway, before, limit).await
    }

    async fn cancel(&self, permit: Permit, id: OperationId) -> Result<bool, StoreError> {
        if !self.fits(&permit, Action::CancelOperation, id).await? {
            return Ok(false);
        }
        let asked = self.0.parts.journal.ask_cancel(id, permit.actor()).await?;
        if let Some(news) = self.0.running().get(&id) {
            news.notify_one();
        }
        Ok(asked)
    }

    async fn skip(&self, permit: Permit, id: OperationId, step: &str) -> Result<bool, StoreError> {
        if !self.fits(&permit, Action::CancelOperation, id).await? {
            return Ok(false);
        }
        let journal = &self.0.parts.journal;
        let asked = journal.ask_skip(id, step, permit.actor()).await?;
        if let Some(news) = self.0.running().get(&id) {
            news.notify_one();
        }
        Ok(asked)
    }

    async fn abandon(
        &self,
        permit: Permit,
        id: OperationId,
        comment: String,
    ) -> Result<bool, StoreError> {
        if !self.fits(&permit, Action::AbandonOperation, id).await? {
            return Ok(false);
        }
        let comment = self.0.scrubber.scrub(&comment);
        let journal = &self.0.parts.journal;
        let freed = journal.abandon(id, permit.actor(), &comment).await?;
        self.0.refresh_holders().await;
        Ok(freed)
    }

    async fn compare(&self, gateway: &GatewayId) -> Result<Comparison, Fault> {
        self.0.parts.containers.compare(gateway).await
    }

    async fn usual_durations(
        &self,
        gateway: &GatewayId,
    ) -> Result<BTreeMap<String, Duration>, StoreError> {
        let mut usual = BTreeMap::new();
        for name in self.0.book.names() {
            if let Some(duration) = self.0.parts.journal.usual_duration(gateway, name).await? {
                usual.insert(name.to_owned(), duration);
            }
        }
        Ok(usual)
    }
}

impl Engine {
    /// Whether the permit is for this action on this operation's gateway.
    async fn fits(
        &self,
        permit: &Permit,
        action: Action,
        id: OperationId,
    ) -> Result<bool, StoreError> {
        let Some(operation) = self.0.parts.journal.operation(id).await? else {
            return Ok(false);
        };
        let fits =
            permit.action() == action && permit.gateway() == Some(operation.command.gateway());
        if !fits {
            tracing::error!(
                operation.id = %id,
                "A permit for something else was shown for operation `{id}`; refused"
            );
        }
        Ok(fits)
    }
}
