//! What a story is made of: steps, each with an act, a way back, a limit, and a rule for cancelling.

use std::sync::Arc;
use std::time::Duration;

use domain::fault::Fault;
use domain::gateway::GatewayId;
use domain::operation::{Cancel, OperationId, StepOutline};
use domain::person::Actor;
use domain::ports::{
    AuditTrail, Backups, Clock, Containers, GatewayControl, GatewayKeys, KeyRotations, LinkFiles,
    PanelDevices, Plugins, RepositorySecrets, RotationLog, RotationNotes, Scans, StateFolder,
};
use futures::future::BoxFuture;

use crate::reporter::Reporter;

/// What a step can use. Cheap to clone.
#[derive(Clone)]
pub struct Cx {
    /// The gateway that is acted on.
    pub gateway: GatewayId,
    /// The operation.
    pub operation: OperationId,
    /// Who asked for it.
    pub asked_by: Actor,
    /// Docker.
    pub containers: Arc<dyn Containers>,
    /// The gateway's own answers.
    pub control: Arc<dyn GatewayControl>,
    /// Where codes are shown.
    pub scans: Arc<dyn Scans>,
    /// Where backups are kept.
    pub backups: Arc<dyn Backups>,
    /// The files of accounts' links.
    pub links: Arc<dyn LinkFiles>,
    /// The whole state folder.
    pub folder: Arc<dyn StateFolder>,
    /// Plugins.
    pub plugins: Arc<dyn Plugins>,
    /// The gateway's key.
    pub keys: Arc<dyn GatewayKeys>,
    /// The panel's identities at the gateway.
    pub devices: Arc<dyn PanelDevices>,
    /// What is left to do with a new key.
    pub rotations: Arc<dyn KeyRotations>,
    /// Where other rotations are noted.
    pub register: Arc<dyn RotationNotes>,
    /// The repository's secret.
    pub secrets: Arc<dyn RepositorySecrets>,
    /// The log of rotations.
    pub log: Arc<dyn RotationLog>,
    /// For acts within the operation that are audited for themselves.
    pub audit: Arc<dyn AuditTrail>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Lines for people.
    pub say: Reporter,
}

/// A step's body: `async fn(&Cx, &Plan, &mut State) -> Result<(), Fault>`, wrapped by `act!`.
/// Doing it twice must do no harm: after a crash a step that had begun is run again.
pub type Act<P, T> = for<'a> fn(&'a Cx, &'a P, &'a mut T) -> BoxFuture<'a, Result<(), Fault>>;

/// Wraps an `async fn` as an [`Act`].
macro_rules! act {
    ($body:path) => {
        |cx, plan, state| Box::pin($body(cx, plan, state))
    };
}
pub(crate) use act;

/// The way back from a step.
pub enum Undo<P, T> {
    /// Puts back, within the limit. It is given the state after the last step that succeeded, so it
    /// must cope with a step that did all, half or nothing of its work; what it changes in the state is
    /// not kept.
    With(Act<P, T>, Duration),
    /// The step changes nothing.
    Nothing,
    /// The step changes nothing. Once it has succeeded, what the parts before it in the same step did
    /// stays, too.
    Settles,
    /// What the step does stays, and once it has succeeded, what the parts before it in the same step did.
    /// Other steps before it are still put back when a later one fails.
    Stays,
    /// From here only forward.
    NoReturn,
}

/// One line of a story's table.
pub struct Step<P, T> {
    /// Stored, so never renamed: `stop_old`; `restart.await_ready` is a part of the step `restart`.
    pub name: &'static str,
    /// Shown: `Stop the old container`.
    pub label: &'static str,
    /// The body.
    pub act: Act<P, T>,
    /// The way back.
    pub undo: Undo<P, T>,
    /// How long the body may take.
    pub limit: Duration,
    /// How it can be cancelled.
    pub cancel: Cancel,
    /// Whether a person can go on without waiting for it, see [`crate::story::Story::skip`].
    pub skippable: bool,
}

/// A line of the table.
pub const fn step<P, T>(
    name: &'static str,
    label: &'static str,
    act: Act<P, T>,
    undo: Undo<P, T>,
    limit: Duration,
    cancel: Cancel,
) -> Step<P, T> {
    Step {
        name,
        label,
        act,
        undo,
        limit,
        cancel,
        skippable: false,
    }
}

/// Seconds, for tables.
pub const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Minutes, for tables.
pub const fn mins(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// What the engine needs to know of a step's way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// There is an undo with this limit.
    Undo(Duration),
    /// Nothing to put back.
    Nothing,
    /// Nothing to put back, from here on neither for the parts before it.
    Settles,
    /// It stays, and from here on what the parts before it did; what came before those is still put back.
    Stays,
    /// No way back.
    NoReturn,
}

/// A step without its bodies: all that decisions are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Stored name.
    pub name: &'static str,
    /// Shown name.
    pub label: &'static str,
    /// The way back.
    pub back: Back,
    /// The limit of the act.
    pub limit: Duration,
    /// How it can be cancelled.
    pub cancel: Cancel,
    /// Whether a person can go on without waiting for it.
    pub skippable: bool,
}

impl Shape {
    /// The step as people see it.
    pub fn outline(&self) -> StepOutline {
        StepOutline {
            name: self.name.to_owned(),
            label: self.label.to_owned(),
            no_return: self.back == Back::NoReturn,
            cancel: self.cancel,
            limit: self.limit,
            skippable: self.skippable,
        }
    }
}

impl<P, T> Step<P, T> {
    /// The same step, that a person can go on without: it only waits.
    #[must_use]
    pub fn skippable(self) -> Self {
        Self {
            skippable: true,
            ..self
        }
    }

    /// The step without its bodies.
    pub fn shape(&self) -> Shape {
        Shape {
            name: self.name,
            label: self.label,
            back: match self.undo {
                Undo::With(_, limit) => Back::Undo(limit),
                Undo::Nothing => Back::Nothing,
                Undo::Settles => Back::Settles,
                Undo::Stays => Back::Stays,
                Undo::NoReturn => Back::NoReturn,
            },
            limit: self.limit,
            cancel: self.cancel,
            skippable: self.skippable,
        }
    }
}
