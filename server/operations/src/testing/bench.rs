//! A world, a journal, and panels that can be killed and started again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::can;
use domain::gateway::GatewayId;
use domain::operation::{Command, Operation, OperationId, Outcome};
use domain::person::{Actor, Role};
use domain::ports::{Journal, Operations, StartError};
use domain::scrub::Scrubber;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::{CANARY, FakeIds, MemoryAudit, MemoryJournal, World};
use crate::engine::{Engine, Parts, Timing};
use crate::stories::Book;

/// See the module.
pub struct Bench {
    /// Docker and the gateway.
    pub world: World,
    /// The journal.
    pub journal: Arc<MemoryJournal>,
    /// The audit trail.
    pub audit: Arc<MemoryAudit>,
    /// The gateways whose key is changed only when a second person agrees.
    pub second_person: BTreeSet<GatewayId>,
    ids: Arc<FakeIds>,
}

impl Bench {
    /// Around a world.
    pub fn new(world: World) -> Self {
        Self {
            journal: Arc::new(MemoryJournal::new(Arc::clone(&world.clock))),
            audit: Arc::default(),
            second_person: BTreeSet::new(),
            world,
            ids: Arc::default(),
        }
    }

    /// A panel with these stories.
    pub fn panel_with(&self, book: Book) -> Engine {
        let parts = Parts {
            journal: Arc::clone(&self.journal) as _,
            containers: Arc::new(self.world.clone()),
            control: Arc::new(self.world.clone()),
            scans: Arc::new(self.world.clone()),
            backups: Arc::new(self.world.clone()),
            links: Arc::new(self.world.clone()),
            folder: Arc::new(self.world.clone()),
            plugins: Arc::new(self.world.clone()),
            keys: Arc::new(self.world.clone()),
            devices: Arc::new(self.world.clone()),
            rotations: Arc::new(self.world.clone()),
            register: Arc::new(self.world.clone()),
            secrets: Arc::new(self.world.clone()),
            log: Arc::new(self.world.clone()),
            audit: Arc::clone(&self.audit) as _,
            clock: Arc::clone(&self.world.clock) as _,
            ids: Arc::clone(&self.ids) as _,
            scrubber: Scrubber::new([CANARY.to_owned()]),
            gateways: vec![gateway()],
            second_person: self.second_person.clone(),
        };
        let engine = Engine::with(parts, TaskTracker::new(), book, Timing::default());
        engine.tend();
        engine
    }

    /// A panel.
    pub fn panel(&self) -> Engine {
        self.panel_with(Book::default())
    }

    /// Asks a panel for an operation, as somebody who may.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn ask(
        &self,
        panel: &Engine,
        command: &Command,
        key: &str,
    ) -> Result<OperationId, StartError> {
        let permit = can::permit(&admin(), command.action(), Some(command.gateway()))
            .map_err(|_| StartError::NotPermitted)?;
        let key = key.to_owned();
        panel.start(permit, command.clone(), key, None).await
    }

    /// Waits for the end of an operation.
    ///
    /// # Panics
    /// When it takes more than three hours (of the paused clock).
    pub async fn ended(&self, id: OperationId) -> Outcome {
        for _ in 0..3 * 3600 * 4 {
            if let Ok(Some(Operation {
                outcome: Some(outcome),
                ..
            })) = self.journal.operation(id).await
            {
                return outcome;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        panic!("operation {id} did not end: {}", self.journal.dump());
    }

    /// Starts an operation in a new panel and waits for its end.
    ///
    /// # Panics
    /// When it was not started.
    pub async fn run(&self, book: Book, command: &Command) -> (OperationId, Outcome) {
        let panel = self.panel_with(book);
        let id = match self.ask(&panel, command, "key").await {
            Ok(id) => id,
            Err(error) => panic!("not started: {error}"),
        };
        let outcome = self.ended(id).await;
        panel.0.abandon.cancel();
        (id, outcome)
    }
}

impl Engine {
    /// Kills this panel when cancelled: everything is dropped where it stands.
    pub fn kill_switch(&self) -> CancellationToken {
        self.0.abandon.clone()
    }
}

/// The gateway of all tests.
pub fn gateway() -> GatewayId {
    "openclaw".parse().unwrap_or_else(|_| unreachable!())
}

/// The admin of all tests: may ask for every operation.
fn admin() -> Actor {
    Actor::Person {
        id: Uuid::nil(),
        name: "olga".to_owned(),
        role: Role::Admin,
        address: None,
        browser: None,
        session: None,
        token: None,
    }
}

/// The operator of all tests.
pub fn operator() -> Actor {
    Actor::Person {
        id: Uuid::nil(),
        name: "olga".to_owned(),
        role: Role::Operator,
        address: None,
        browser: None,
        session: None,
        token: None,
    }
}
