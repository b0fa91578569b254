//! One rung: another story, run inside this one. Its plan is made when its turn comes, and it is audited
//! before it acts. What it does not bring is noted, and the climb goes on.

use std::time::Duration;

use domain::audit::{AuditOutcome, NewAuditEvent};
use domain::fault::{Boundary, Fault, FaultKind, Retry};
use domain::gateway::{AccountId, GatewayId};
use domain::operation::{Cancel, Command, Passing};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::choose::{Choice, Kind, choose, matter};
use super::facts::{Facts, refusal};
use super::{Plan, State};
use crate::step::{Cx, Step, Undo, act, mins, secs, step};
use crate::story::Story;

/// Readiness follows the account within a moment.
const SETTLE: Duration = secs(30);
/// Between two looks.
const POLL: Duration = Duration::from_millis(250);
/// The audit trail may be away that long, like everything else in the database.
const AUDIT: Duration = mins(1);
/// Between tries of what may pass, until it is noted.
const PAUSES: [Duration; 3] = [secs(1), secs(2), secs(4)];

/// A story that is a rung.
pub(super) trait Rung: Story {
    const KIND: Kind;
    /// Once this step has succeeded there is nothing of the rung to put back.
    const SETTLES: &'static str;
    /// What this step does stays.
    const STAYS: Option<&'static str>;
    /// The command of the story by itself.
    fn command(gateway: GatewayId, account: AccountId) -> Command;
    /// Where its state is.
    fn slot(state: &mut State) -> &mut Tried<Self>;
    /// The waits that a person may go on without: those after which nothing has to be put back.
    const SKIPPABLE: &'static [&'static str];
    /// Whether a failure of this step ends the climb: the engine puts back with more patience.
    fn ends(_step: &str) -> bool {
        false
    }
}

/// What became of a rung.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Tried<R: Story> {
    /// Made when it was decided to try it.
    plan: Option<R::Plan>,
    state: R::State,
    /// Nothing is to be put back any more.
    settled: bool,
    /// Why it did not help.
    pub(super) found: Option<String>,
    /// What it left behind.
    left: Option<String>,
}

impl<R: Story> Default for Tried<R> {
    fn default() -> Self {
        Self {
            plan: None,
            state: R::State::default(),
            settled: false,
            found: None,
            left: None,
        }
    }
}

impl<R: Story> core::fmt::Debug for Tried<R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tried")
            .field("plan", &self.plan.is_some())
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

impl<R: Story> Tried<R> {
    /// Whether it was tried.
    pub(super) fn was_tried(&self) -> bool {
        self.plan.is_some() || self.found.is_some()
    }

    /// What a person should check when putting `step` back failed.
    pub(super) fn todo(&self, step: &str) -> String {
        match &self.plan {
            Some(plan) => R::todo(plan, &self.state, step),
            None => "Look at the gateway, put it right, then free it here.".to_owned(),
        }
    }

    /// A person went on without waiting for `step`.
    pub(super) fn skip(&mut self, step: &str, by: &str)
    where
        R: Rung,
    {
        if step == R::SETTLES {
            self.settled = true;
        } else {
            self.found = Some(format!("Skipped by {by}."));
        }
    }

    /// What is left to know of it.
    pub(super) fn note(&self) -> Option<String> {
        let told = self.plan.as_ref().and_then(|_| R::note(&self.state));
        let all: Vec<String> = told.into_iter().chain(self.left.clone()).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }
}

/// The head of a rung: looks anew, decides, and when it is tried makes its plan and audits it.
pub(super) fn head<R: Rung>(name: &'static str, label: &'static str) -> Step<Plan, State> {
    step(
        name,
        label,
        act!(decide::<R>),
        Undo::Nothing,
        mins(3),
        Cancel::Now,
    )
}

/// The step of the rung's story at this place.
pub(super) fn part<R: Rung, const AT: usize>(name: &'static str) -> Step<Plan, State> {
    let inner = R::steps().swap_remove(AT);
    let undo = match inner.undo {
        _ if R::STAYS == Some(inner.name) => Undo::Stays,
        Undo::With(_, limit) => Undo::With(act!(back::<R, AT>), limit),
        _ if R::SETTLES == inner.name => Undo::Settles,
        _ => Undo::Nothing,
    };
    Step {
        name,
        label: inner.label,
        act: act!(climb::<R, AT>),
        undo,
        // What fails is tried again here, not by the engine.
        limit: inner.limit * 2,
        cancel: inner.cancel,
        skippable: R::SKIPPABLE.contains(&inner.name),
    }
}

/// The proof at the end of a rung.
pub(super) fn proof<R: Rung>(name: &'static str) -> Step<Plan, State> {
    let label = "Look whether it helped";
    step(
        name,
        label,
        act!(prove::<R>),
        Undo::Nothing,
        mins(1),
        Cancel::Now,
    )
}

async fn decide<R: Rung>(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.passed = Some(Passing::NotNeeded);
    if state.works {
        cx.say.line("Not needed: it works.");
        return Ok(());
    }
    let facts = Facts::of(cx, &plan.account).await?;
    if facts.work() {
        state.works = true;
        cx.say.line("Not needed: it works by now.");
        return Ok(());
    }
    let climbed = state.climbed();
    let choice = match refusal(&facts, &plan.account) {
        Some(refused) => Choice::NotTried(refused.message),
        None => choose(R::KIND, &facts, climbed),
    };
    let tried = R::slot(state);
    let why = match choice {
        Choice::Try(why) => why,
        Choice::NotNeeded(why) => {
            cx.say.line(format!("Not needed: {why}"));
            return Ok(());
        }
        Choice::NotTried(why) => {
            cx.say.line(format!("Not tried: {why}"));
            return Ok(());
        }
    };
    let command = R::command(cx.gateway.clone(), plan.account.clone());
    let made = match R::plan(cx, &command).await {
        Ok(made) => made,
        Err(fault) if fault.retry == Retry::Yes => return Err(fault),
        Err(fault) => {
            let found = cx.say.scrub(&fault.message);
            cx.say.line(format!("Not possible: {found}"));
            tried.found = Some(found);
            state.passed = Some(Passing::Fruitless);
            return Ok(());
        }
    };
    write_down(cx, plan, R::KIND, &why).await?;
    cx.say.line(format!("{why} {}", R::KIND.costs()));
    tried.plan = Some(made);
    state.passed = None;
    Ok(())
}

/// The audit event of a rung. Without it the rung is not done.
async fn write_down(cx: &Cx, plan: &Plan, kind: Kind, why: &str) -> Result<(), Fault> {
    let event = NewAuditEvent {
        gateway: Some(cx.gateway.clone()),
        target: Some(format!("account {}", plan.account)),
        operation: Some(cx.operation),
        note: Some(cx.say.scrub(&format!("Tries {}: {why}", kind.word()))),
        ..NewAuditEvent::new(
            cx.asked_by.clone(),
            super::Recover::NAME,
            AuditOutcome::Requested,
        )
    };
    let began = Instant::now();
    loop {
        match cx.audit.record(event.clone()).await {
            Ok(_) => return Ok(()),
            Err(_) if began.elapsed() < AUDIT => {
                cx.say
                    .progress("The audit trail cannot be written; waiting for it.");
                tokio::time::sleep(secs(1)).await;
            }
            Err(error) => {
                tracing::warn!(
                    operation.id = %cx.operation,
                    error = &error as &dyn core::error::Error,
                    "Rung `{}` of operation `{}` was not tried: it could not be audited",
                    kind.word(),
                    cx.operation
                );
                return Err(Fault::new(
                    FaultKind::Refused,
                    Boundary::Database,
                    "The audit trail cannot be written, and nothing is done without it.",
                ));
            }
        }
    }
}

/// Runs one step of the rung's story, unless the rung is not tried or is over.
async fn climb<R: Rung, const AT: usize>(
    cx: &Cx,
    _: &Plan,
    state: &mut State,
) -> Result<(), Fault> {
    state.passed = Some(Passing::NotNeeded);
    let tried = R::slot(state);
    let (Some(plan), None) = (&tried.plan, &tried.found) else {
        return Ok(());
    };
    let inner = R::steps().swap_remove(AT);
    let mut pauses = PAUSES.into_iter();
    let fault = loop {
        match (inner.act)(cx, plan, &mut tried.state).await {
            Ok(()) => {
                tried.settled |= inner.name == R::SETTLES;
                state.passed = None;
                return Ok(());
            }
            Err(fault) if R::ends(inner.name) && !tried.settled => return Err(fault),
            Err(fault) => match pauses.next().filter(|_| fault.retry == Retry::Yes) {
                Some(pause) => {
                    cx.say.line(format!("{fault} Trying again."));
                    tokio::time::sleep(pause).await;
                }
                None => break fault,
            },
        }
    };
    let why = cx.say.scrub(&fault.message);
    cx.say.line(&why);
    if tried.settled && R::STAYS == Some(inner.name) {
        // The rung has done what it can; this is only what it leaves behind.
        tried.left = Some(why);
    } else {
        give_up::<R, AT>(cx, tried).await;
        tried.found = Some(why);
    }
    state.passed = Some(Passing::Fruitless);
    Ok(())
}

/// Puts back at once what a rung that failed has done so far, as well as it can.
async fn give_up<R: Rung, const AT: usize>(cx: &Cx, tried: &mut Tried<R>) {
    let Some(plan) = tried.plan.as_ref().filter(|_| !tried.settled) else {
        return;
    };
    for inner in R::steps().into_iter().take(AT + 1).rev() {
        let Undo::With(undo, limit) = inner.undo else {
            continue;
        };
        let undone = tokio::time::timeout(limit, undo(cx, plan, &mut tried.state)).await;
        if !matches!(undone, Ok(Ok(()))) {
            let label = inner.label;
            cx.say.line(format!("“{label}” could not be put back."));
        }
    }
}

/// Puts one step of the rung's story back, when the climb ends inside it.
async fn back<R: Rung, const AT: usize>(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    let tried = R::slot(state);
    match (R::steps().swap_remove(AT).undo, &tried.plan) {
        (Undo::With(undo, _), Some(plan)) => undo(cx, plan, &mut tried.state).await,
        _ => Ok(()),
    }
}

/// Whether the account is connected and the gateway ready; what is missing is noted.
async fn prove<R: Rung>(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.passed = Some(Passing::NotNeeded);
    let tried = R::slot(state);
    if tried.plan.is_none() || tried.found.is_some() {
        return Ok(());
    }
    let began = Instant::now();
    let facts = loop {
        let facts = Facts::of(cx, &plan.account).await?;
        let connected = facts.known().is_some_and(|account| account.connected);
        if facts.work() || !connected || began.elapsed() >= SETTLE {
            break facts;
        }
        cx.say
            .progress("Connected; waiting until the gateway is ready.");
        tokio::time::sleep(POLL).await;
    };
    if facts.work() {
        cx.say
            .line("It works: the account is connected, and the gateway is ready.");
        state.works = true;
        state.passed = None;
        return Ok(());
    }
    let why = cx.say.scrub(&matter(&facts));
    cx.say.line(&why);
    // What the story found out itself says more.
    tried.found = Some(tried.note().unwrap_or(why));
    state.passed = Some(Passing::Fruitless);
    Ok(())
}
