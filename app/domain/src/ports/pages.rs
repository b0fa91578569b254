//! What pages see, and what is kept for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{StartError, StoreError};
use crate::account_history::{AccountChange, Drops, Standing};
use crate::audit::{AuditEvent, NewAuditEvent};
use crate::can::Permit;
use crate::compare::Comparison;
use crate::fault::Fault;
use crate::gateway::{AccountId, Gateway, GatewayId};
use crate::history::{Incident, Sample, Strip, Transition};
use crate::logs::LogLine;
use crate::observation::Observation;
use crate::operation::{Command, Operation, OperationId, OperationView};
use crate::time::Timestamp;

/// Operations, as pages and the command line use them.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Starts one. The permit must be for exactly this command.
    async fn start(
        &self,
        permit: Permit,
        command: Command,
        idempotency_key: String,
        reason: Option<String>,
    ) -> Result<OperationId, StartError>;
    /// One, with its steps.
    async fn view(&self, id: OperationId) -> Result<Option<OperationView>, StoreError>;
    /// The one that holds the gateway's lock, from memory.
    fn holder(&self, gateway: &GatewayId) -> Option<Operation>;
    /// The latest of a gateway, newest first.
    async fn list(
        &self,
        gateway: &GatewayId,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError>;
    /// Asks one to stop and put back. `false` when it has ended.
    async fn cancel(&self, permit: Permit, id: OperationId) -> Result<bool, StoreError>;
    /// Asks one to go on without waiting for a step; the permit is the one for stopping it. `false` when
    /// it has ended.
    async fn skip(&self, permit: Permit, id: OperationId, step: &str) -> Result<bool, StoreError>;
    /// Frees a stuck one's gateway.
    async fn abandon(
        &self,
        permit: Permit,
        id: OperationId,
        comment: String,
    ) -> Result<bool, StoreError>;
    /// What a recreate would change, read now.
    async fn compare(&self, gateway: &GatewayId) -> Result<Comparison, Fault>;
    /// How long operations usually take, by name.
    async fn usual_durations(
        &self,
        gateway: &GatewayId,
    ) -> Result<BTreeMap<String, Duration>, StoreError>;
}

/// What is known of the gateways, from memory: never waits for Docker or a gateway.
#[async_trait]
pub trait Observations: Send + Sync {
    /// Every gateway, in the order of the configuration.
    fn gateways(&self) -> Vec<Gateway>;
    /// The present knowledge of one.
    fn observation(&self, gateway: &GatewayId) -> Option<Arc<Observation>>;
    /// The strips of the last 24 hours, from memory.
    fn strips(&self, gateway: &GatewayId) -> Arc<Vec<Strip>>;
    /// The incidents of the last 24 hours, newest first, from memory.
    fn incidents(&self, gateway: &GatewayId) -> Arc<Vec<Incident>>;
    /// The last lines of the gateway's log, scrubbed, from Docker.
    async fn logs(&self, gateway: &GatewayId, lines: u32) -> Result<Vec<LogLine>, Fault>;
}

/// Where transitions and samples are kept.
#[async_trait]
pub trait History: Send + Sync {
    /// Stores a transition; fills in the operation that holds the gateway's lock then.
    async fn record_transition(&self, transition: &Transition) -> Result<(), StoreError>;
    /// Stores samples in one go.
    async fn record_samples(&self, samples: &[Sample]) -> Result<(), StoreError>;
    /// Transitions since `from`, oldest first, with the last one before it for each fact.
    async fn transitions(
        &self,
        gateway: &GatewayId,
        from: Timestamp,
    ) -> Result<Vec<Transition>, StoreError>;
    /// Spans since `from` in which no sample of the fact was stored for more than ten minutes.
    async fn unobserved(
        &self,
        gateway: &GatewayId,
        from: Timestamp,
    ) -> Result<Vec<(Timestamp, Timestamp)>, StoreError>;
    /// Stores a change of an account; fills in the operation that holds the gateway's lock then.
    async fn record_account_change(&self, change: &AccountChange) -> Result<(), StoreError>;
    /// How each account was last known to stand.
    async fn account_standings(
        &self,
        gateway: &GatewayId,
    ) -> Result<BTreeMap<AccountId, Standing>, StoreError>;
    /// Rolls samples up: raw 48 h → minutes 30 days → hours 2 years; deletes what is older.
    async fn roll_up(&self, now: Timestamp) -> Result<(), StoreError>;
}

/// What became of accounts, for pages.
#[async_trait]
pub trait AccountHistory: Send + Sync {
    /// The latest changes of an account, newest first.
    async fn changes(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        limit: u32,
    ) -> Result<Vec<AccountChange>, StoreError>;
    /// How often it dropped unplanned.
    async fn drops(&self, gateway: &GatewayId, account: &AccountId) -> Result<Drops, StoreError>;
}

/// The audit trail.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Writes an event; when this fails the act must not be done.
    async fn record(&self, event: NewAuditEvent) -> Result<AuditEvent, StoreError>;
    /// The latest events, newest first, before `before` when given.
    async fn list(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEvent>, StoreError>;
}
