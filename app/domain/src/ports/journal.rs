//! Where operations are kept, and what can go wrong with that.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::fault::Fault;
use crate::gateway::GatewayId;
use crate::operation::{Event, Operation, OperationId, Outcome, Recorded};
use crate::person::Actor;

/// Why an operation was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another operation holds the gateway.
    #[error("{} by {} is running since {}", .holder.command.title(), .holder.asked_by.name(), .holder.created_at)]
    Busy {
        /// It.
        holder: Box<Operation>,
    },
    /// The permit was for something else: a programming error, refused all the same.
    #[error("the permission does not fit the command")]
    NotPermitted,
    /// There is no such gateway.
    #[error("there is no gateway `{0}`")]
    UnknownGateway(GatewayId),
    /// Two pairs of eyes are asked for, and only one has looked.
    #[error("a second person has to agree first; ask for it on the page")]
    NeedsSecondPerson,
    /// The panel is shutting down.
    #[error("the panel is shutting down; try again in a moment")]
    ShuttingDown,
    /// It cannot be done as things stand.
    #[error("{0}")]
    Refused(Fault),
    /// The database failed: nothing was done.
    #[error("the panel's database does not answer, so nothing was done")]
    Database(#[source] StoreError),
}

/// The database failed. The chain is for logs; people see a sentence.
#[derive(Debug, thiserror::Error)]
#[error("the panel's database failed while {doing}")]
pub struct StoreError {
    /// What was tried: `reading an operation`.
    pub doing: &'static str,
    /// The cause.
    #[source]
    pub source: Box<dyn core::error::Error + Send + Sync>,
}

/// A new operation, before it is stored.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// Its row.
    pub operation: Operation,
    /// The second person who agreed to it.
    pub second: Option<Actor>,
    /// Tells a repeated form apart from a second wish: the same actor and key give the same operation.
    pub idempotency_key: String,
}

/// What became of [`Journal::begin`].
#[derive(Clone, Debug)]
pub enum Begun {
    /// Stored, and the lock is held.
    New(Operation),
    /// The same actor sent the same key before: this is the operation of then.
    Same(Operation),
    /// Another one holds the gateway.
    Busy(Operation),
}

/// Where operations are kept. Every write carries the runner's generation; a write of an older one is
/// refused with [`Fenced`].
#[async_trait]
pub trait Journal: Send + Sync {
    /// In ONE transaction: audit event “requested”, the row, the gateway's lock (a unique index), a
    /// notification, and ownership by `runner`.
    async fn begin(&self, new: NewOperation, runner: Uuid) -> Result<Begun, StoreError>;
    /// Operations that have not ended, whoever runs them.
    async fn open(&self) -> Result<Vec<Operation>, StoreError>;
    /// Takes over an operation whose runner has not been heard of for `silent_for`; the new generation,
    /// or `None` when its runner lives. One that `runner` itself owns counts as silent once it is older
    /// than that: nobody asks for what it runs, so the answer to its begin was lost on the way.
    async fn adopt(
        &self,
        id: OperationId,
        runner: Uuid,
        silent_for: Duration,
    ) -> Result<Option<i32>, StoreError>;
    /// Says that `runner` lives.
    async fn heartbeat(&self, runner: Uuid) -> Result<(), StoreError>;
    /// Appends an entry and notifies. `Ok(Err(Fenced))` when the generation is not the present one.
    async fn append(
        &self,
        id: OperationId,
        generation: i32,
        event: Event,
    ) -> Result<Result<Recorded, Fenced>, StoreError>;
    /// In one transaction: the entry [`Event::Ended`], the row's outcome, the freed lock and the
    /// closing audit event.
    async fn end(
        &self,
        id: OperationId,
        generation: i32,
        outcome: Outcome,
    ) -> Result<Result<(), Fenced>, StoreError>;
    /// The operation's row.
    async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError>;
    /// Its journal from after `after` (0: all), oldest first.
    async fn events(&self, id: OperationId, after: i64) -> Result<Vec<Recorded>, StoreError>;
    /// The latest operations of a gateway, newest first, before `before` when given.
    async fn list(
        &self,
        gateway: &GatewayId,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError>;
    /// Durably notes that somebody asked to stop (with its audit event), whichever panel runs it.
    /// `false` when it has ended.
    async fn ask_cancel(&self, id: OperationId, by: &Actor) -> Result<bool, StoreError>;
    /// Durably notes that somebody asked to go on without waiting for a step (with its audit event),
    /// whichever panel runs it. `false` when the operation has ended.
    async fn ask_skip(&self, id: OperationId, step: &str, by: &Actor) -> Result<bool, StoreError>;
    /// Frees a stuck operation's gateway (with its audit event). `false` when it is not stuck.
    async fn abandon(&self, id: OperationId, by: &Actor, comment: &str)
    -> Result<bool, StoreError>;
    /// Median duration of the last successful operations of this name on this gateway.
    async fn usual_duration(
        &self,
        gateway: &GatewayId,
        name: &str,
    ) -> Result<Option<Duration>, StoreError>;
}

/// Another runner has taken the operation over: stop at once, write nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fenced;
