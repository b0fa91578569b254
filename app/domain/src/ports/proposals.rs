//! Commands that wait for a second person.

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::can::Permit;
use crate::gateway::GatewayId;
use crate::operation::{Command, OperationId};
use crate::proposal::{Decision, Proposal};

/// Why a proposal was not made or not decided.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// Another one of the gateway waits.
    #[error("{} asked for the same already, and a second person has not answered yet.", .0.asked_by.name())]
    Waits(Box<Proposal>),
    /// There is none.
    #[error("There is no such request. The link may be old.")]
    Unknown,
    /// It was decided, or nobody answered in time.
    #[error("It was decided already, or nobody answered in time.")]
    Over,
    /// This person may not.
    #[error("{0}")]
    NotYours(&'static str),
    /// The permit was for something else: a programming error, refused all the same.
    #[error("The permission does not fit.")]
    NotPermitted,
    /// The database failed.
    #[error("The panel's database does not answer, so nothing was done.")]
    Database(#[from] StoreError),
}

/// Commands that wait for a second person. Every change writes its audit event in the same transaction.
#[async_trait]
pub trait Proposals: Send + Sync {
    /// Asks for a second person. One command of a name waits on a gateway at a time.
    async fn propose(
        &self,
        permit: Permit,
        command: Command,
        reason: Option<String>,
    ) -> Result<Proposal, ProposalError>;
    /// The latest of a gateway.
    async fn latest_proposal(&self, gateway: &GatewayId) -> Result<Option<Proposal>, StoreError>;
    /// One of them.
    async fn proposal(&self, id: Uuid) -> Result<Option<Proposal>, StoreError>;
    /// Decides it, once: of two people at the same moment one is the first.
    async fn decide(
        &self,
        permit: Permit,
        id: Uuid,
        decision: Decision,
        note: Option<String>,
    ) -> Result<Proposal, ProposalError>;
    /// Notes the operation that it led to.
    async fn begun(&self, id: Uuid, operation: OperationId) -> Result<(), StoreError>;
}
