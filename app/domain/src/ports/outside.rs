//! What operations change: Docker and the gateway itself.

use std::time::Duration;

use async_trait::async_trait;

use crate::compare::Comparison;
use crate::fact::{Account, Container};
use crate::fault::Fault;
use crate::gateway::{AccountId, GatewayId};
use crate::logs::LogLine;
use crate::operation::OperationId;
use crate::scan::Code;

/// Docker, as operations need it. Every call tolerates being made twice: “already so” is success.
#[async_trait]
pub trait Containers: Send + Sync {
    /// The gateway's container by its compose name; `None` when there is none. Fresh from Docker.
    async fn current(&self, gateway: &GatewayId) -> Result<Option<Container>, Fault>;
    /// A container by name or id; `None` when there is none.
    async fn find(&self, gateway: &GatewayId, name_or_id: &str)
    -> Result<Option<Container>, Fault>;
    /// Reads the compose folder and compares it with the container that runs. Changes nothing.
    async fn compare(&self, gateway: &GatewayId) -> Result<Comparison, Fault>;
    /// Creates the container that the compose folder asks for, under its compose name, with missing
    /// networks and volumes, labelled `panel.operation=<operation>`. When one with that label exists
    /// it is returned instead. Fails `Invalid` when the folder's fingerprint is not `fingerprint`.
    async fn create(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        fingerprint: &str,
    ) -> Result<String, Fault>;
    /// Starts it; already running is success.
    async fn start(&self, gateway: &GatewayId, id: &str) -> Result<(), Fault>;
    /// Stops it with `grace` before the kill; a frozen one is woken first; already stopped is success.
    async fn stop(&self, gateway: &GatewayId, id: &str, grace: Duration) -> Result<(), Fault>;
    /// Restarts it with `grace`; a frozen one is woken first.
    async fn restart(&self, gateway: &GatewayId, id: &str, grace: Duration) -> Result<(), Fault>;
    /// Renames it; already so named is success.
    async fn rename(&self, gateway: &GatewayId, id: &str, name: &str) -> Result<(), Fault>;
    /// Removes a stopped container, never its named volumes; already gone is success.
    async fn remove(&self, gateway: &GatewayId, id: &str) -> Result<(), Fault>;
    /// The last lines of its output, scrubbed, oldest first.
    async fn logs(&self, gateway: &GatewayId, id: &str, lines: u32) -> Result<Vec<LogLine>, Fault>;
}

/// What the gateway's process says when asked now.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Readiness {
    /// `/healthz` said `{"ok":true}`.
    pub live: bool,
    /// `/readyz` said `{"ready":true}`.
    pub ready: bool,
    /// What is failing, when told.
    pub failing: Vec<String>,
}

/// What this gateway's version offers on its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Abilities {
    /// `channels.start` and `channels.stop`.
    pub reconnect: bool,
    /// A way to ask the gateway to drain before a stop.
    pub suspend: bool,
    /// `web.login.start` and `web.login.wait`.
    pub scan: bool,
}

/// How the gateway answered `channels.start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelOutcome {
    /// The gateway's own word: `handed-off`, `retry`, `skipped`, …
    pub word: String,
    /// Whether the account is being started.
    pub started: bool,
    /// What it means, in one sentence.
    pub explanation: String,
}

/// How the gateway answered `web.login.start` or `web.login.wait`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginAnswer {
    /// A code to be scanned, when there is a new one.
    pub code: Option<Code>,
    /// Whether the link is made and the account is being connected.
    pub connected: bool,
    /// The gateway's own words. Failures have nothing else: no code and no error tell them apart.
    pub message: String,
}

/// The gateway, as operations need it. Every answer is fresh.
#[async_trait]
pub trait GatewayControl: Send + Sync {
    /// Asks `/healthz` and `/readyz`. A gateway that does not answer is `live: false`, not a fault.
    async fn readiness(&self, gateway: &GatewayId) -> Result<Readiness, Fault>;
    /// The WhatsApp accounts; `None` when there is no WhatsApp channel (plugin missing).
    async fn accounts(&self, gateway: &GatewayId) -> Result<Option<Vec<Account>>, Fault>;
    /// What this version offers.
    async fn abilities(&self, gateway: &GatewayId) -> Result<Abilities, Fault>;
    /// Asks the gateway to take no new work and finish what it has; answers when drained or after
    /// `limit`, with a sentence about what was still busy.
    async fn suspend(&self, gateway: &GatewayId, limit: Duration) -> Result<Option<String>, Fault>;
    /// Takes a suspension back; none is success.
    async fn resume(&self, gateway: &GatewayId) -> Result<(), Fault>;
    /// Stops one account, keeping its link.
    async fn stop_account(&self, gateway: &GatewayId, account: &AccountId) -> Result<(), Fault>;
    /// Starts one account.
    async fn start_account(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
    ) -> Result<ChannelOutcome, Fault>;
    /// Clears one account's link in the gateway. WhatsApp is not told.
    async fn log_out(&self, gateway: &GatewayId, account: &AccountId) -> Result<(), Fault>;
    /// Asks for a code, without replacing a link that works. One login at a time for an account: two
    /// starts in the same instant both fail, so callers hold the gateway's lock. While one is active its
    /// code comes again.
    async fn start_login(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
    ) -> Result<LoginAnswer, Fault>;
    /// Waits for what becomes of a login: a newer code than `shown`, the link, a failure, or nothing new
    /// within `limit` (one second at least).
    async fn await_login(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        shown: Option<&Code>,
        limit: Duration,
    ) -> Result<LoginAnswer, Fault>;
}
