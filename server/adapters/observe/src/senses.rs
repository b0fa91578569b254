//! What an observer needs from the outside: one method a fact. Every method has its own time limit and
//! never hangs; a thing that could not be had is `Unknown` with the reason.

use async_trait::async_trait;
use domain::compare::Comparison;
use domain::fact::{Account, Container, Edge, Process, State};
use domain::fault::Fault;
use domain::logs::LogLine;
use domain::time::Timestamp;
use futures::stream::BoxStream;

/// The result of one look at one fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen<D> {
    /// Good, bad or unknown.
    pub state: State,
    /// Two to five words.
    pub headline: String,
    /// One line of evidence; may be empty.
    pub reason: String,
    /// Latency for the samples, where there is one.
    pub latency_ms: Option<u32>,
    /// What was learnt.
    pub detail: Option<D>,
}

/// News about the container, from Docker's event stream.
#[derive(Clone, Debug, PartialEq)]
pub enum ContainerNews {
    /// The stream is (again) connected: look at everything.
    Connected,
    /// Something happened to the container.
    Changed {
        /// Docker's word: `die`, `start`, `pause`, …
        action: String,
        /// When.
        at: Timestamp,
    },
    /// Docker does not answer.
    Lost(Fault),
}

/// One sample of what the container uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resources {
    /// Memory without page cache, in bytes.
    pub memory_bytes: u64,
    /// CPU in percent of one core.
    pub cpu_percent: Option<f64>,
}

/// The senses of one gateway's observer.
#[async_trait]
pub trait Senses: Send + Sync {
    /// The public URL.
    async fn edge(&self) -> Seen<Edge>;
    /// The process's own probes.
    async fn process(&self) -> Seen<Process>;
    /// The accounts; `None` without a WhatsApp channel.
    async fn accounts(&self) -> Result<Option<Vec<Account>>, Fault>;
    /// The container; `None` when there is none.
    async fn container(&self) -> Result<Option<Container>, Fault>;
    /// The compose folder against the container.
    async fn compare(&self) -> Result<Comparison, Fault>;
    /// The last lines of the log, to find the cause of a crash.
    async fn last_lines(&self) -> Result<Vec<LogLine>, Fault>;
    /// When containers of this gateway ended within the last hour, as far as Docker remembers.
    async fn deaths(&self) -> Result<Vec<Timestamp>, Fault>;
    /// News about the container, for ever.
    fn news(&self) -> BoxStream<'static, ContainerNews>;
    /// Resource samples of the container that runs now; ends with it.
    fn resources(&self) -> BoxStream<'static, Result<Resources, Fault>>;
    /// Resolves when something about the socket changed and a look is worth it.
    async fn socket_changed(&self);
}
