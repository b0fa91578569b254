//! The journal, in memory: with fencing, failures, and a crash of the panel at any entry.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::gateway::GatewayId;
use domain::operation::{Event, Operation, OperationId, Outcome, Recorded};
use domain::person::Actor;
use domain::ports::{Begun, Clock, Fenced, Journal, NewOperation, StoreError};
use domain::time::Timestamp;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::FakeClock;

/// When the panel is killed.
#[derive(Clone, Debug)]
pub enum Crash {
    /// Before the n-th entry is stored.
    Before(usize),
    /// After it was stored, before the panel hears of it.
    After(usize),
}

#[derive(Default)]
struct Inner {
    operations: BTreeMap<OperationId, (Operation, Uuid)>,
    events: HashMap<OperationId, Vec<Recorded>>,
    keys: HashMap<(String, String), OperationId>,
    heard: HashMap<Uuid, Timestamp>,
    crash: Option<(Crash, CancellationToken)>,
    written: usize,
    away_until: Option<Timestamp>,
    /// Ask to stop when this step begins.
    cancel_at: Option<String>,
    /// Ask to skip this step when it begins.
    skip_at: Option<String>,
    /// Store the next operation, but lose the answer.
    lose_begin: bool,
    /// Go away for this long when this step begins.
    away_at: Option<(String, Duration)>,
}

/// The journal.
pub struct MemoryJournal {
    inner: Mutex<Inner>,
    clock: Arc<FakeClock>,
}

fn away(doing: &'static str) -> StoreError {
    StoreError {
        doing,
        source: "connection refused".into(),
    }
}

impl MemoryJournal {
    /// An empty one.
    pub fn new(clock: Arc<FakeClock>) -> Self {
        Self {
            inner: Mutex::default(),
            clock,
        }
    }

    /// Kills the panel (by the token) at an entry.
    pub fn crash(&self, when: Crash, panel: CancellationToken) {
        self.lock().crash = Some((when, panel));
    }

    /// Somebody asks to stop when this step begins.
    pub fn cancel_at(&self, step: &str) {
        self.lock().cancel_at = Some(step.to_owned());
    }

    /// Somebody asks to go on without this step as soon as it begins.
    pub fn skip_at(&self, step: &str) {
        self.lock().skip_at = Some(step.to_owned());
    }

    /// The database goes away when this step begins.
    pub fn away_at(&self, step: &str, duration: Duration) {
        self.lock().away_at = Some((step.to_owned(), duration));
    }

    /// The next operation is stored, but its panel is told that the database failed.
    pub fn lose_next_begin(&self) {
        self.lock().lose_begin = true;
    }

    /// The database is away from now on.
    pub fn away_for(&self, duration: Duration) {
        let until = self.clock.now().plus(duration);
        self.lock().away_until = Some(until);
    }

    /// All entries of an operation.
    pub fn entries(&self, id: OperationId) -> Vec<Recorded> {
        self.lock().events.get(&id).cloned().unwrap_or_default()
    }

    /// Everything that is kept, as text.
    pub fn dump(&self) -> String {
        let inner = self.lock();
        format!("{:?} {:?}", inner.operations, inner.events)
    }

    /// Changes a stored operation, as an older or newer release would have written it.
    pub fn change(&self, id: OperationId, change: impl FnOnce(&mut Operation, &mut Vec<Recorded>)) {
        let mut inner = self.lock();
        let mut events = inner.events.remove(&id).unwrap_or_default();
        if let Some((operation, _)) = inner.operations.get_mut(&id) {
            change(operation, &mut events);
        }
        inner.events.insert(id, events);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self, doing: &'static str) -> Result<MutexGuard<'_, Inner>, StoreError> {
        let inner = self.lock();
        match inner.away_until {
            Some(until) if self.clock.now() < until => Err(away(doing)),
            _ => Ok(inner),
        }
    }

    async fn write(
        &self,
        id: OperationId,
        generation: i32,
        event: Event,
    ) -> Result<Result<Recorded, Fenced>, StoreError> {
        tokio::task::yield_now().await;
        let (written, killed) = {
            let mut inner = self.reach("writing the journal")?;
            if !inner.may_write(id, generation) {
                return Ok(Err(Fenced));
            }
            inner.written += 1;
            let count = inner.written;
            let crash = inner.crash.clone();
            let killed = crash.filter(|(when, _)| match when {
                Crash::Before(at) | Crash::After(at) => *at == count,
            });
            if let Some((Crash::Before(_), panel)) = &killed {
                panel.cancel();
                (None, true)
            } else {
                let recorded = inner.store(id, self.clock.now(), event);
                if let Some((_, panel)) = &killed {
                    panel.cancel();
                }
                (Some(recorded), killed.is_some())
            }
        };
        match written {
            Some(recorded) if !killed => Ok(Ok(recorded)),
            _ => std::future::pending().await,
        }
    }
}

impl Inner {
    fn may_write(&self, id: OperationId, generation: i32) -> bool {
        self.operations.get(&id).is_some_and(|(operation, _)| {
            operation.generation == generation && operation.outcome.is_none()
        })
    }

    fn append(&mut self, id: OperationId, at: Timestamp, event: Event) -> Recorded {
        let events = self.events.entry(id).or_default();
        let sequence = events.last().map_or(0, |last| last.sequence) + 1;
        let recorded = Recorded {
            sequence,
            at,
            event,
        };
        events.push(recorded.clone());
        recorded
    }

    fn store(&mut self, id: OperationId, at: Timestamp, event: Event) -> Recorded {
        if let (Event::Ended { outcome }, Some((operation, _))) =
            (&event, self.operations.get_mut(&id))
        {
            operation.outcome = Some(outcome.clone());
            operation.ended_at = Some(at);
        }
        let recorded = self.append(id, at, event.clone());
        if let Event::Started { step, .. } = event {
            if self.cancel_at.take_if(|name| *name == step).is_some() {
                let by = "anna".to_owned();
                self.append(id, at, Event::CancelAsked { by });
            }
            if let Some(step) = self.skip_at.take_if(|name| *name == step) {
                let by = "anna".to_owned();
                self.append(id, at, Event::SkipAsked { step, by });
            }
            if let Some((_, duration)) = self.away_at.take_if(|(name, _)| *name == step) {
                self.away_until = Some(at.plus(duration));
            }
        }
        recorded
    }

    fn holder(&self, gateway: &GatewayId) -> Option<Operation> {
        let held = |(operation, _): &&(Operation, Uuid)| {
            operation.command.gateway() == gateway && operation.holds_lock()
        };
        self.operations
            .values()
            .find(held)
            .map(|(operation, _)| operation.clone())
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn begin(&self, new: NewOperation, runner: Uuid) -> Result<Begun, StoreError> {
        let mut inner = self.reach("storing an operation")?;
        let operation = new.operation;
        let key = (operation.asked_by.key(), new.idempotency_key);
        if let Some(id) = inner.keys.get(&key)
            && let Some((same, _)) = inner.operations.get(id)
        {
            return Ok(Begun::Same(same.clone()));
        }
        if let Some(holder) = inner.holder(operation.command.gateway()) {
            return Ok(Begun::Busy(holder));
        }
        inner.keys.insert(key, operation.id);
        inner.heard.insert(runner, self.clock.now());
        inner
            .operations
            .insert(operation.id, (operation.clone(), runner));
        if core::mem::take(&mut inner.lose_begin) {
            return Err(away("storing an operation"));
        }
        Ok(Begun::New(operation))
    }

    async fn open(&self) -> Result<Vec<Operation>, StoreError> {
        let inner = self.reach("reading open operations")?;
        let open = inner.operations.values().map(|(operation, _)| operation);
        Ok(open
            .filter(|operation| operation.outcome.is_none())
            .cloned()
            .collect())
    }

    async fn adopt(
        &self,
        id: OperationId,
        runner: Uuid,
        silent_for: Duration,
    ) -> Result<Option<i32>, StoreError> {
        let mut inner = self.reach("taking an operation over")?;
        let now = self.clock.now();
        let Some((operation, owner)) = inner.operations.get(&id) else {
            return Ok(None);
        };
        let heard = inner.heard.get(owner).copied().unwrap_or_default();
        if operation.outcome.is_some() || now.since(heard) < silent_for {
            return Ok(None);
        }
        inner.heard.insert(runner, now);
        let Some((operation, owner)) = inner.operations.get_mut(&id) else {
            return Ok(None);
        };
        *owner = runner;
        operation.generation += 1;
        let generation = operation.generation;
        inner.append(id, now, Event::Adopted { generation });
        Ok(Some(generation))
    }

    async fn heartbeat(&self, runner: Uuid) -> Result<(), StoreError> {
        let mut inner = self.reach("giving a sign of life")?;
        inner.heard.insert(runner, self.clock.now());
        Ok(())
    }

    async fn append(
        &self,
        id: OperationId,
        generation: i32,
        event: Event,
    ) -> Result<Result<Recorded, Fenced>, StoreError> {
        self.write(id, generation, event).await
    }

    async fn end(
        &self,
        id: OperationId,
        generation: i32,
        outcome: Outcome,
    ) -> Result<Result<(), Fenced>, StoreError> {
        let ended = self.write(id, generation, Event::Ended { outcome }).await?;
        Ok(ended.map(|_| ()))
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        let inner = self.reach("reading an operation")?;
        Ok(inner.operations.get(&id).map(|(found, _)| found.clone()))
    }

    async fn events(&self, id: OperationId, after: i64) -> Result<Vec<Recorded>, StoreError> {
        let inner = self.reach("reading the journal")?;
        let events = inner.events.get(&id).cloned().unwrap_or_default();
        Ok(events
            .into_iter()
            .filter(|recorded| recorded.sequence > after)
            .collect())
    }

    async fn list(
        &self,
        gateway: &GatewayId,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        let inner = self.reach("listing operations")?;
        let fits = |operation: &&Operation| {
            operation.command.gateway() == gateway && before.is_none_or(|id| operation.id < id)
        };
        let newest_first = inner.operations.values().rev();
        Ok(newest_first
            .map(|(operation, _)| operation)
            .filter(fits)
            .take(limit as usize)
            .cloned()
            .collect())
    }

    async fn ask_cancel(&self, id: OperationId, by: &Actor) -> Result<bool, StoreError> {
        let mut inner = self.reach("asking an operation to stop")?;
        let open = inner
            .operations
            .get(&id)
            .is_some_and(|(operation, _)| operation.outcome.is_none());
        if open {
            let by = by.name().to_owned();
            inner.append(id, self.clock.now(), Event::CancelAsked { by });
        }
        Ok(open)
    }

    async fn ask_skip(&self, id: OperationId, step: &str, by: &Actor) -> Result<bool, StoreError> {
        let mut inner = self.reach("asking an operation to skip a step")?;
        let open = inner
            .operations
            .get(&id)
            .is_some_and(|(operation, _)| operation.outcome.is_none());
        if open {
            let (step, by) = (step.to_owned(), by.name().to_owned());
            inner.append(id, self.clock.now(), Event::SkipAsked { step, by });
        }
        Ok(open)
    }

    async fn abandon(
        &self,
        id: OperationId,
        by: &Actor,
        comment: &str,
    ) -> Result<bool, StoreError> {
        let mut inner = self.reach("freeing a stuck operation")?;
        let Some((operation, _)) = inner.operations.get_mut(&id) else {
            return Ok(false);
        };
        let stuck = matches!(operation.outcome, Some(Outcome::Stuck { .. }));
        if stuck {
            operation.outcome = Some(Outcome::Abandoned {
                by: by.name().to_owned(),
                comment: comment.to_owned(),
            });
        }
        Ok(stuck)
    }

    async fn usual_duration(
        &self,
        gateway: &GatewayId,
        name: &str,
    ) -> Result<Option<Duration>, StoreError> {
        let inner = self.reach("reading durations")?;
        let now = self.clock.now();
        let mut took: Vec<Duration> = inner
            .operations
            .values()
            .map(|(operation, _)| operation)
            .filter(|operation| {
                operation.command.gateway() == gateway
                    && operation.command.name() == name
                    && matches!(operation.outcome, Some(Outcome::Succeeded { .. }))
            })
            .map(|operation| operation.took(now))
            .collect();
        took.sort();
        Ok(took.get(took.len() / 2).copied())
    }
}
