//! Carries operations out in tasks that outlive the request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Operation, OperationId, Outcome};
use futures::FutureExt;
use tokio::sync::Notify;

use crate::engine::Inner;
use crate::runner::{Halt, Origin, Runner};

/// How often a runner whose own code failed is begun again before a person has to look.
const RUNNER_TRIES: u32 = 3;

impl Inner {
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
    pub(crate) fn forget(self: &Arc<Self>, id: OperationId) {
        // So that it is not taken for one whose runner died, and run after all.
        self.running().insert(id, Arc::default());
        let inner = Arc::clone(self);
        let abandon = self.abandon.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = abandon.cancelled() => {}
                () = inner.end_unbegun(id) => {}
            }
            inner.running().remove(&id);
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
