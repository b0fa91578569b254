//! The engine: what it is made of, its life from start to shutdown, and its news from the journal.
//! What pages ask of it is in `asking`, how operations are carried out in `carry` and `runner`.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::gateway::GatewayId;
use domain::operation::{Operation, OperationId};
use domain::ports::{
    AuditTrail, Backups, Clock, Containers, GatewayControl, GatewayKeys, Ids, Journal,
    KeyRotations, LinkFiles, PanelDevices, Plugins, RepositorySecrets, RotationLog, RotationNotes,
    Scans, StateFolder,
};
use domain::scrub::Scrubber;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::holders::Holders;
use crate::stories::Book;
use crate::tending;

/// What the engine is made of.
pub struct Parts {
    /// Where operations are kept.
    pub journal: Arc<dyn Journal>,
    /// Docker.
    pub containers: Arc<dyn Containers>,
    /// The gateways' own answers.
    pub control: Arc<dyn GatewayControl>,
    /// Where codes are shown.
    pub scans: Arc<dyn Scans>,
    /// Where backups are kept.
    pub backups: Arc<dyn Backups>,
    /// The files of accounts' links.
    pub links: Arc<dyn LinkFiles>,
    /// Their whole state folders.
    pub folder: Arc<dyn StateFolder>,
    /// Their plugins.
    pub plugins: Arc<dyn Plugins>,
    /// The gateways' keys.
    pub keys: Arc<dyn GatewayKeys>,
    /// The panel's identities at the gateways.
    pub devices: Arc<dyn PanelDevices>,
    /// What is left to do with new keys.
    pub rotations: Arc<dyn KeyRotations>,
    /// Where other rotations are noted.
    pub register: Arc<dyn RotationNotes>,
    /// The repositories' secrets.
    pub secrets: Arc<dyn RepositorySecrets>,
    /// The logs of rotations.
    pub log: Arc<dyn RotationLog>,
    /// For acts within an operation that are audited for themselves.
    pub audit: Arc<dyn AuditTrail>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn Ids>,
    /// Knows the secrets that must never be kept.
    pub scrubber: Scrubber,
    /// The gateways there are.
    pub gateways: Vec<GatewayId>,
    /// Those whose key is changed only when a second person agrees.
    pub second_person: BTreeSet<GatewayId>,
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

    /// The newest operation of a gateway, running or ended, from memory: what it may have caused.
    pub fn latest(&self, gateway: &GatewayId) -> Option<Operation> {
        self.0.holders.latest(gateway)
    }

    /// Resolves when the newest operation of a gateway has ended and is another than `before`; with its id.
    pub async fn next_end(&self, gateway: &GatewayId, before: Option<OperationId>) -> OperationId {
        self.0.holders.next_end(gateway, before).await
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
    pub(crate) fn running(&self) -> MutexGuard<'_, HashMap<OperationId, Arc<Notify>>> {
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
}
