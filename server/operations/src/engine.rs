//! The engine: starts operations, carries them out in tasks that outlive the request, takes over those
//! of a panel that died, and answers what pages ask.

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::action::Action;
use domain::can::Permit;
use domain::compare::Comparison;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::operation::{Command, Operation, OperationId, OperationView, Outcome};
use domain::ports::{
    Begun, Clock, Containers, GatewayControl, Ids, Journal, NewOperation, Operations, StartError,
    StoreError,
};
use domain::scrub::Scrubber;
use futures::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::holders::Holders;
use crate::runner::{Halt, Origin, Runner};
use crate::stories::Book;
use crate::tending;

/// How often a runner whose own code failed is begun again before a person has to look.
const RUNNER_TRIES: u32 = 3;

/// What the engine is made of.
pub struct Parts {
    /// Where operations are kept.
    pub journal: Arc<dyn Journal>,
    /// Docker.
    pub containers: Arc<dyn Containers>,
    /// The gateways' own answers.
    pub control: Arc<dyn GatewayControl>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn Ids>,
    /// Knows the secrets that must never be kept.
    pub scrubber: Scrubber,
    /// The gateways there are.
    pub gateways: Vec<GatewayId>,
}

/// How often and how long. The defaults are for production.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Between two signs of life.
    pub heartbeat: Duration,
    /// Silence after which another panel's operation is taken over.
    pub silent_for: Duration,
    /// Between two looks for such operations, and at who holds the locks.
    pub adopt: Duration,
    /// Between two looks into the journal while a step runs, should a notice be lost.
    pub poll: Duration,
    /// For making a plan.
    pub plan_limit: Duration,
    /// What a shutdown leaves to the steps that run.
    pub shutdown: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(3),
            silent_for: Duration::from_secs(15),
            adopt: Duration::from_secs(5),
            poll: Duration::from_secs(2),
            plan_limit: Duration::from_secs(60),
            shutdown: Duration::from_secs(25),
        }
    }
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) timing: Timing,
    pub(crate) book: Book,
    pub(crate) tracker: TaskTracker,
    pub(crate) scrubber: Arc<Scrubber>,
    pub(crate) holders: Holders,
    /// This panel, in the journal.
    pub(crate) runner: Uuid,
    /// Refuses new operations; those that run end their step.
    pub(crate) closing: CancellationToken,
    /// Drops everything where it stands, as a crash would; the journal resumes it.
    pub(crate) abandon: CancellationToken,
    pub(crate) running: Mutex<HashMap<OperationId, Arc<Notify>>>,
}

impl Engine {
    /// An engine with every story there is. Tasks run in `tracker`. Call [`Engine::tend`] next.
    pub fn new(parts: Parts, tracker: TaskTracker) -> Self {
        Self::with(parts, tracker, Book::default(), Timing::default())
    }

    /// An engine with its own book and timing, for tests.
    pub fn with(parts: Parts, tracker: TaskTracker, book: Book, timing: Timing) -> Self {
        let runner = parts.ids.next();
        Self(Arc::new(Inner {
            scrubber: Arc::new(parts.scrubber.clone()),
            parts,
            timing,
            book,
            tracker,
            holders: Holders::default(),
            runner,
            closing: CancellationToken::new(),
            abandon: CancellationToken::new(),
            running: Mutex::default(),
        }))
    }

    /// Begins to give signs of life and to take over operations whose panel is silent, now and then
    /// periodically. Ends with [`Engine::quiesce`].
    pub fn tend(&self) {
        tending::begin(&self.0);
    }

    /// Takes news from the journal about an operation: a notice of the database, from any panel.
    pub async fn on_notice(&self, id: OperationId) {
        if let Some(news) = self.0.running().get(&id) {
            news.notify_one();
        }
        match self.0.parts.journal.operation(id).await {
            Ok(Some(operation)) => self.0.holders.note(operation),
            Ok(None) => {}
            Err(error) => tracing::warn!(
                operation.id = %id,
                error = &error as &dyn core::error::Error,
                "Operation `{id}` could not be read after a notice"
            ),
        }
    }

    /// Reads anew who holds the locks: at start, and when notices may have been lost.
    pub async fn refresh_holders(&self) {
        self.0.refresh_holders().await;
    }

    /// Shutdown, which is not a cancel: refuses new operations, lets steps that act come to their end
    /// (for a while), drops those that only wait. Another start of the panel goes on from the journal.
    pub async fn quiesce(&self) {
        self.0.closing.cancel();
        let idle = async {
            while !self.0.running().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(self.0.timing.shutdown, idle)
            .await
            .is_err()
        {
            tracing::warn!("Shutting down inside a step; the next start goes on with it");
        }
        self.0.abandon.cancel();
    }
}

impl Inner {
    pub(crate) fn running(&self) -> std::sync::MutexGuard<'_, HashMap<OperationId, Arc<Notify>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn refresh_holders(&self) {
        for gateway in &self.parts.gateways {
            match self.parts.journal.list(gateway, None, 1).await {
                Ok(newest) => self.holders.learn(gateway, newest.into_iter().next()),
                Err(error) => tracing::warn!(
                    gateway.id = %gateway,
                    error = &error as &dyn core::error::Error,
                    "Who holds gateway `{gateway}` could not be read"
                ),
            }
        }
    }

    /// Runs an operation in a task of its own, once.
    pub(crate) fn launch(self: &Arc<Self>, operation: Operation, origin: Origin) {
        let news = Arc::new(Notify::new());
        let before = self.running().insert(operation.id, Arc::clone(&news));
        if before.is_some() {
            return;
        }
        let inner = Arc::clone(self);
        let abandon = self.abandon.clone();
        self.tracker.spawn(async move {
            let id = operation.id;
            tokio::select! {
                biased;
                () = abandon.cancelled() => {}
                () = carry(&inner, operation, origin, news) => {}
            }
            inner.running().remove(&id);
        });
    }

    /// A start whose answer from the database was lost: if it was stored, it is ended unbegun.
    fn forget(self: &Arc<Self>, id: OperationId) {
        let inner = Arc::clone(self);
        let abandon = self.abandon.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = abandon.cancelled() => {}
                () = inner.end_unbegun(id) => {}
            }
        });
    }

    async fn end_unbegun(&self, id: OperationId) {
        let why = Fault::new(
            FaultKind::Unreachable,
            Boundary::Database,
            "The panel's database did not answer while this was being started, so nothing was done.",
        );
        for _ in 0..120 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let journal = &self.parts.journal;
            match journal.operation(id).await {
                Ok(None) => return,
                Ok(Some(operation)) if operation.outcome.is_some() => return,
                Ok(Some(_)) => {}
                Err(_) => continue,
            }
            let adopted = journal.adopt(id, self.runner, Duration::ZERO).await;
            let Ok(Some(generation)) = adopted else {
                continue;
            };
            let outcome = Outcome::Undone { why: why.clone() };
            if journal.end(id, generation, outcome).await.is_ok() {
                return;
            }
        }
    }
}

/// Runs an operation to its end; begins the runner again should the panel's own code fail in it.
async fn carry(
    inner: &Arc<Inner>,
    mut operation: Operation,
    mut origin: Origin,
    news: Arc<Notify>,
) {
    for _ in 0..RUNNER_TRIES {
        let runner = Runner::new(
            Arc::clone(inner),
            operation.clone(),
            origin,
            Arc::clone(&news),
        );
        match AssertUnwindSafe(Box::pin(runner.run()))
            .catch_unwind()
            .await
        {
            Ok(Ok(Some(outcome))) => {
                operation.outcome = Some(outcome);
                operation.ended_at = Some(inner.parts.clock.now());
                inner.holders.note(operation);
                return;
            }
            Ok(Ok(None) | Err(Halt::Closing)) => return,
            Ok(Err(Halt::Fenced)) => {
                tracing::warn!(
                    operation.id = %operation.id,
                    "Operation `{}` was taken over by another panel; stopped here",
                    operation.id
                );
                return;
            }
            Err(_) => tracing::error!(
                operation.id = %operation.id,
                "The runner of operation `{}` failed inside the panel",
                operation.id
            ),
        }
        match inner
            .parts
            .journal
            .adopt(operation.id, inner.runner, Duration::ZERO)
            .await
        {
            Ok(Some(generation)) => {
                operation.generation = generation;
                origin = Origin::Adopted;
            }
            Ok(None) => return,
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let outcome = Outcome::Stuck {
        at: String::new(),
        why: Fault::new(
            FaultKind::Unexpected,
            Boundary::Panel,
            "the panel failed again and again while running this",
        ),
        todo: "Read the panel's log, look at the gateway's containers, then free the gateway here."
            .to_owned(),
    };
    let ended = inner
        .parts
        .journal
        .end(operation.id, operation.generation, outcome)
        .await;
    if let Err(error) = ended {
        tracing::error!(
            operation.id = %operation.id,
            error = &error as &dyn core::error::Error,
            "Operation `{}` could not be marked as stuck",
            operation.id
        );
    }
}

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
            steps: story
                .shapes()
                .iter()
                .map(crate::step::Shape::outline)
                .collect(),
            usually_ms,
        };
        let id = operation.id;
        let new = NewOperation {
            operation,
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
