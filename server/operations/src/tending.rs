//! Signs of life, and taking over operations whose panel gives none.

use std::sync::Arc;

use domain::ports::StoreError;

use crate::engine::Inner;
use crate::runner::Origin;

pub(crate) fn begin(inner: &Arc<Inner>) {
    let (beating, adopting) = (Arc::clone(inner), Arc::clone(inner));
    inner.tracker.spawn(async move {
        let abandon = beating.abandon.clone();
        tokio::select! {
            () = abandon.cancelled() => {}
            () = beat(&beating) => {}
        }
    });
    inner.tracker.spawn(async move {
        let (closing, abandon) = (adopting.closing.clone(), adopting.abandon.clone());
        tokio::select! {
            () = closing.cancelled() => {}
            () = abandon.cancelled() => {}
            () = adopt(&adopting) => {}
        }
    });
}

/// Says that this panel lives, also while it shuts down and its last steps end.
async fn beat(inner: &Inner) {
    let mut away = false;
    loop {
        match inner.parts.journal.heartbeat(inner.runner).await {
            Ok(()) => away = false,
            Err(error) if !away => {
                away = true;
                tracing::warn!(
                    error = &error as &dyn core::error::Error,
                    "The panel cannot give signs of life to the database"
                );
            }
            Err(_) => {}
        }
        tokio::time::sleep(inner.timing.heartbeat).await;
    }
}

async fn adopt(inner: &Arc<Inner>) {
    loop {
        if let Err(error) = adopt_silent(inner).await {
            tracing::warn!(
                error = &error as &dyn core::error::Error,
                "Operations without a runner could not be looked for"
            );
        }
        inner.refresh_holders().await;
        tokio::time::sleep(inner.timing.adopt).await;
    }
}

/// Takes over what nobody runs. An operation that this panel runs is never looked at.
async fn adopt_silent(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let journal = &inner.parts.journal;
    for operation in journal.open().await? {
        let id = operation.id;
        if inner.running().contains_key(&id) || inner.closing.is_cancelled() {
            continue;
        }
        let silent_for = inner.timing.silent_for;
        let Some(generation) = journal.adopt(id, inner.runner, silent_for).await? else {
            continue;
        };
        tracing::info!(
            operation.id = %id,
            operation.name = operation.command.name(),
            gateway.id = %operation.command.gateway(),
            "Going on with operation `{}`, whose panel is gone",
            operation.command.name()
        );
        let mut operation = operation;
        operation.generation = generation;
        inner.holders.note(operation.clone());
        inner.launch(operation, Origin::Adopted);
    }
    Ok(())
}
