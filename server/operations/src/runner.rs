//! Runs one operation: fold the journal, do what it says, write down what came of it, again.

use std::sync::Arc;
use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind, Retry};
use domain::operation::{Event, Operation, Outcome, Passing};
use domain::ports::Fenced;
use domain::words;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::task::AbortOnDropHandle;

use crate::attempt::{self, Attempt};
use crate::attend::{Ran, Way};
use crate::engine::Inner;
use crate::ledger::Ledger;
use crate::position::{Decision, Position};
use crate::reporter::Reporter;
use crate::step::{Back, Cx, Shape};
use crate::story::AnyStory;

/// Why a runner stopped before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// Another runner took over.
    Fenced,
    /// The panel is shutting down; the journal is resumed later.
    Closing,
}

impl From<Fenced> for Halt {
    fn from(Fenced: Fenced) -> Self {
        Self::Fenced
    }
}

/// How the operation came to this runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Begun here.
    Begun,
    /// Taken over, or begun again after the runner failed.
    Adopted,
}

pub(crate) struct Runner {
    pub(crate) engine: Arc<Inner>,
    operation: Operation,
    origin: Origin,
    pub(crate) ledger: Ledger,
    /// Rung when another part of the panel knows of news in the journal.
    pub(crate) news: Arc<Notify>,
}

impl Runner {
    pub(crate) fn new(
        engine: Arc<Inner>,
        operation: Operation,
        origin: Origin,
        news: Arc<Notify>,
    ) -> Self {
        let journal = Arc::clone(&engine.parts.journal);
        let ledger = Ledger::new(journal, operation.id, operation.generation);
        Self {
            engine,
            operation,
            origin,
            ledger,
            news,
        }
    }

    /// Runs to the end; its outcome, or `None` when it had ended already.
    pub(crate) async fn run(mut self) -> Result<Option<Outcome>, Halt> {
        if self.origin == Origin::Adopted {
            self.note_adoption().await?;
        }
        let known = self.engine.book.story(&self.operation.command);
        let Some(story) = known else {
            let why = format!(
                "this release of the panel does not know the operation `{}`",
                self.operation.command.name()
            );
            return self.mark_stuck(None, "", why).await.map(Some);
        };
        let shapes = story.shapes();
        let same = self.operation.steps.iter().map(|step| step.name.as_str());
        if !same.eq(shapes.iter().map(|shape| shape.name)) {
            let why = "this release of the panel has other steps for this operation".to_owned();
            return self.mark_stuck(Some(&story), "", why).await.map(Some);
        }
        loop {
            if self.engine.closing.is_cancelled() {
                return Err(Halt::Closing);
            }
            self.ledger.sync().await?;
            let position = Position::of(self.ledger.entries(), &shapes);
            match position.decision.clone() {
                Decision::Nothing => return Ok(None),
                Decision::Plan => {
                    if let Some(outcome) = self.plan(&story).await? {
                        return Ok(Some(outcome));
                    }
                }
                Decision::Run { step, attempt } => {
                    if let Some(why) = unreadable(&story, &position) {
                        let at = shapes[step].name;
                        return self.mark_stuck(Some(&story), at, why).await.map(Some);
                    }
                    self.forward(&story, &shapes, step, attempt, &position)
                        .await?;
                }
                Decision::Skip { step, by } => {
                    let step = shapes[step].name;
                    if let Some(why) = unreadable(&story, &position) {
                        return self.mark_stuck(Some(&story), step, why).await.map(Some);
                    }
                    let passed = Event::Passed {
                        step: step.to_owned(),
                        state: story.skip(step, &position.state, &by),
                        how: Passing::Skipped,
                    };
                    self.ledger.append(passed).await?;
                }
                Decision::Unwind { step } => {
                    if let Some(why) = unreadable(&story, &position) {
                        let at = shapes[step].name;
                        return self.mark_stuck(Some(&story), at, why).await.map(Some);
                    }
                    self.back(&story, &shapes, step, &position).await?;
                }
                Decision::MarkStuck { at, why } => {
                    return self.mark_stuck(Some(&story), &at, why).await.map(Some);
                }
                Decision::Finish(outcome) => {
                    let outcome = complete(outcome, &story, &position);
                    return self.end(outcome).await.map(Some);
                }
            }
        }
    }

    /// Writes the take-over down, unless the journal did so itself.
    async fn note_adoption(&mut self) -> Result<(), Halt> {
        let generation = self.operation.generation;
        self.ledger.sync().await?;
        let adopted = Event::Adopted { generation };
        let ended = |event: &Event| matches!(event, Event::Ended { .. });
        let entries = self.ledger.entries();
        if !entries
            .iter()
            .any(|entry| entry.event == adopted || ended(&entry.event))
        {
            self.ledger.append(adopted).await?;
        }
        Ok(())
    }

    /// Makes the plan; the outcome when that is not possible.
    async fn plan(&mut self, story: &Arc<dyn AnyStory>) -> Result<Option<Outcome>, Halt> {
        let (cx, said) = self.cx();
        let planning = attempt::plan(story, &cx, &self.operation.command);
        let limit = self.engine.timing.plan_limit;
        let planned = tokio::time::timeout(limit, planning).await;
        drop(said);
        let fault = match planned {
            Ok(Ok(plan)) => {
                self.ledger.append(Event::Planned { plan }).await?;
                return Ok(None);
            }
            Ok(Err(fault)) => cx.say.scrub_fault(fault),
            Err(_) => Fault {
                retry: Retry::No,
                ..Fault::new(
                    FaultKind::TimedOut,
                    Boundary::Panel,
                    format!(
                        "looking at the gateway took longer than {}",
                        words::duration(limit)
                    ),
                )
            },
        };
        self.end(Outcome::Undone { why: fault }).await.map(Some)
    }

    async fn forward(
        &mut self,
        story: &Arc<dyn AnyStory>,
        shapes: &[Shape],
        at: usize,
        attempt: u16,
        position: &Position,
    ) -> Result<(), Halt> {
        let shape = &shapes[at];
        let step = shape.name.to_owned();
        self.ledger
            .append(Event::Started {
                step: step.clone(),
                attempt,
            })
            .await?;
        let (cx, said) = self.cx();
        let say = cx.say.clone();
        let body = attempt_at(story, shape, cx, position).act();
        let job = AbortOnDropHandle::new(self.engine.tracker.spawn(body));
        match self.attend(shapes, at, Way::Forward, job, said).await? {
            Ran::Done(state) => {
                let ended = match story.passed(&state) {
                    Some(how) => Event::Passed { step, state, how },
                    None => Event::Succeeded { step, state },
                };
                self.ledger.append(ended).await?;
            }
            Ran::Broke(fault) => {
                let fault = say.scrub_fault(fault);
                self.ledger.append(Event::Failed { step, fault }).await?;
            }
            Ran::Dropped => {}
        }
        Ok(())
    }

    async fn back(
        &mut self,
        story: &Arc<dyn AnyStory>,
        shapes: &[Shape],
        at: usize,
        position: &Position,
    ) -> Result<(), Halt> {
        let shape = &shapes[at];
        let step = shape.name.to_owned();
        self.ledger
            .append(Event::UndoStarted { step: step.clone() })
            .await?;
        let (cx, said) = self.cx();
        let say = cx.say.clone();
        let body = attempt_at(story, shape, cx, position).undo();
        let job = AbortOnDropHandle::new(self.engine.tracker.spawn(body));
        match self.attend(shapes, at, Way::Back, job, said).await? {
            Ran::Broke(fault) => {
                let fault = say.scrub_fault(fault);
                self.ledger
                    .append(Event::UndoFailed { step, fault })
                    .await?;
            }
            Ran::Done(_) | Ran::Dropped => {
                self.ledger.append(Event::UndoFinished { step }).await?;
            }
        }
        Ok(())
    }

    fn cx(&self) -> (Cx, UnboundedReceiver<String>) {
        let (say, said) = Reporter::new(Arc::clone(&self.engine.scrubber));
        let parts = &self.engine.parts;
        let cx = Cx {
            gateway: self.operation.command.gateway().clone(),
            operation: self.operation.id,
            asked_by: self.operation.asked_by.clone(),
            containers: Arc::clone(&parts.containers),
            control: Arc::clone(&parts.control),
            scans: Arc::clone(&parts.scans),
            backups: Arc::clone(&parts.backups),
            links: Arc::clone(&parts.links),
            folder: Arc::clone(&parts.folder),
            plugins: Arc::clone(&parts.plugins),
            keys: Arc::clone(&parts.keys),
            devices: Arc::clone(&parts.devices),
            rotations: Arc::clone(&parts.rotations),
            register: Arc::clone(&parts.register),
            secrets: Arc::clone(&parts.secrets),
            log: Arc::clone(&parts.log),
            audit: Arc::clone(&parts.audit),
            clock: Arc::clone(&parts.clock),
            say,
        };
        (cx, said)
    }

    async fn mark_stuck(
        &mut self,
        story: Option<&Arc<dyn AnyStory>>,
        at: &str,
        why: String,
    ) -> Result<Outcome, Halt> {
        let todo = match story {
            Some(story) => story.todo(&Value::Null, &Value::Null, at),
            None => {
                "Start a panel of the release that began this operation, or look at the gateway's \
                     containers on the host and free the gateway here."
                    .to_owned()
            }
        };
        let why = Fault::new(FaultKind::Unexpected, Boundary::Panel, why);
        let at = at.to_owned();
        self.end(Outcome::Stuck { at, why, todo }).await
    }

    async fn end(&mut self, outcome: Outcome) -> Result<Outcome, Halt> {
        self.ledger.end(&outcome).await?;
        tracing::info!(
            operation.id = %self.operation.id,
            operation.name = self.operation.command.name(),
            gateway.id = %self.operation.command.gateway(),
            outcome = outcome.as_str(),
            "Operation `{}` ended: {}",
            self.operation.command.name(),
            outcome.as_str()
        );
        Ok(outcome)
    }
}

fn unreadable(story: &Arc<dyn AnyStory>, position: &Position) -> Option<String> {
    let plan = position.plan.as_ref().unwrap_or(&Value::Null);
    story.readable(plan, &position.state).err()
}

/// Adds what only the story knows: the note of a success, what to check when stuck.
fn complete(outcome: Outcome, story: &Arc<dyn AnyStory>, position: &Position) -> Outcome {
    match outcome {
        Outcome::Succeeded { .. } => Outcome::Succeeded {
            note: story.note(&position.state),
        },
        Outcome::Stuck { at, why, .. } => {
            let plan = position.plan.as_ref().unwrap_or(&Value::Null);
            let todo = story.todo(plan, &position.state, &at);
            Outcome::Stuck { at, why, todo }
        }
        other => other,
    }
}

fn attempt_at(story: &Arc<dyn AnyStory>, shape: &Shape, cx: Cx, position: &Position) -> Attempt {
    Attempt {
        story: Arc::clone(story),
        step: shape.name,
        cx,
        plan: position.plan.clone().unwrap_or(Value::Null),
        state: position.state.clone(),
        patience: match shape.back {
            Back::NoReturn => shape.limit / 2,
            Back::Undo(_) | Back::Nothing | Back::Settles | Back::Stays => Duration::ZERO,
        },
    }
}
