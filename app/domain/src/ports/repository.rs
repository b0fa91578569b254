//! The infrastructure's repository: a secret of it on GitHub, and the log of rotations in it.

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::gateway::GatewayId;
use crate::operation::OperationId;
use crate::time::Timestamp;

/// What a look found out about the repository's secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecretAccess {
    /// None is configured for this gateway.
    Off,
    /// It could be written now, as far as can be told without writing.
    Ready {
        /// `owner/name`.
        repository: String,
        /// The secret's name.
        name: String,
        /// When it was written last; `None` when there is none of that name yet.
        updated_at: Option<Timestamp>,
    },
}

/// The secret of a repository that holds a gateway's key for workflows. Values are never read back: nobody can.
#[async_trait]
pub trait RepositorySecrets: Send + Sync {
    /// Whether the secret could be written now: repository and token are right, and may write secrets as far as that
    /// can be told. Changes nothing. [`SecretAccess::Off`] when not configured.
    async fn check(&self, gateway: &GatewayId) -> Result<SecretAccess, Fault>;
    /// Writes it and reads its date back. Doing it twice does no harm. Fails `NotOffered` when not configured.
    async fn put(&self, gateway: &GatewayId, value: &SecretString) -> Result<Timestamp, Fault>;
    /// The command by which a person does the same by hand, without the value:
    /// `gh secret set OPENCLAW_API_KEY -R owner/name`. `None` when not configured.
    fn by_hand(&self, gateway: &GatewayId) -> Option<String>;
}

/// What a look found out about the log of rotations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LogAccess {
    /// None is configured for this gateway.
    Off,
    /// A line could be written and committed now.
    Ready {
        /// The file with its whole path, for people.
        file: String,
        /// Whether the commit is pushed, too.
        pushes: bool,
    },
}

/// A rotation as the log tells it; never the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// What was rotated, for people: `OpenClaw API key of openclaw`.
    pub credential: String,
    /// Who asked for it.
    pub who: String,
    /// Why.
    pub why: String,
    /// The operation that did it, or the id under which a person noted it.
    pub operation: OperationId,
    /// When the next one is due; `None` when it is not by a date.
    pub next_due: Option<Timestamp>,
}

/// Where a line of the log ended up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// The commit's short id.
    pub commit: String,
    /// What a person should know all the same: committed, but not pushed, and why.
    pub note: Option<String>,
}

/// The log of rotations: a table in a file of the infrastructure's repository.
#[async_trait]
pub trait RotationLog: Send + Sync {
    /// Whether a line could be written and committed now. Changes nothing. [`LogAccess::Off`] when not configured.
    async fn check(&self, gateway: &GatewayId) -> Result<LogAccess, Fault>;
    /// Appends a row and commits it (and pushes, where configured). A row of this operation that is there already is
    /// success. Fails `NotOffered` when not configured.
    async fn append(&self, gateway: &GatewayId, line: LogLine) -> Result<Logged, Fault>;
}
