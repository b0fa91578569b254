//! Operations: what is asked for, how far it is, how it ended. The phase is a fold of the journal.

mod command;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::command::Command;

use crate::fact::FactKind;
use crate::fault::Fault;
use crate::person::Actor;
use crate::time::Timestamp;

/// Names one operation; a version 7 UUID, so that newer ones sort last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub Uuid);

impl core::fmt::Display for OperationId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl OperationId {
    /// The last eight characters: enough for people to tell operations apart.
    pub fn short(&self) -> String {
        let text = self.0.simple().to_string();
        text[text.len() - 8..].to_owned()
    }
}

/// The name of the step that waits for a person to say whether a number that was linked instead of another is kept.
/// Skipping it keeps the number, stopping puts the one from before back.
pub const KEEP_NUMBER: &str = "keep_number";

/// What an operation causes may show a little after its end: a change within it is planned, too.
pub const AFTERMATH: Duration = Duration::from_secs(15);

/// The same for what is known to the moment.
pub const AT_ONCE: Duration = Duration::from_secs(2);

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Done. A note says what is left to know (`came back, but account default is not connected: …`).
    Succeeded {
        /// One sentence, when there is more to say than “done”.
        note: Option<String>,
    },
    /// It failed and everything was put back.
    Undone {
        /// Why it failed.
        why: Fault,
    },
    /// A person stopped it and everything was put back.
    Cancelled {
        /// Who.
        by: String,
    },
    /// It failed after the point of no return: the new state stands, but the goal was not reached.
    Failed {
        /// At which step.
        at: String,
        /// Why.
        why: Fault,
    },
    /// Putting back failed: a person must look. Keeps the gateway locked.
    Stuck {
        /// At which step.
        at: String,
        /// Why.
        why: Fault,
        /// What to check and do.
        todo: String,
    },
    /// A person looked at a stuck operation and freed the gateway.
    Abandoned {
        /// Who.
        by: String,
        /// What they wrote.
        comment: String,
    },
}

impl Outcome {
    /// The word used in tables, JSON and audit.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Succeeded { .. } => "succeeded",
            Self::Undone { .. } => "undone",
            Self::Cancelled { .. } => "cancelled",
            Self::Failed { .. } => "failed",
            Self::Stuck { .. } => "stuck",
            Self::Abandoned { .. } => "abandoned",
        }
    }

    /// Whether the gateway stays locked.
    pub const fn keeps_lock(&self) -> bool {
        matches!(self, Self::Stuck { .. })
    }
}

/// One entry of the journal. Append-only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The plan was made, before the first step. Nothing was changed yet.
    Planned {
        /// The story's own plan.
        plan: serde_json::Value,
    },
    /// A step began.
    Started {
        /// Its stored name.
        step: String,
        /// 1, then more after a crash.
        attempt: u16,
    },
    /// A line for people while a step runs. Scrubbed before it is written.
    Progressed {
        /// The step.
        step: String,
        /// The line.
        said: String,
    },
    /// A step ended well.
    Succeeded {
        /// The step.
        step: String,
        /// The story's own state after it.
        state: serde_json::Value,
    },
    /// A step ended, and the operation goes on without what it was for.
    Passed {
        /// The step.
        step: String,
        /// The story's own state after it.
        state: serde_json::Value,
        /// How.
        how: Passing,
    },
    /// A step failed.
    Failed {
        /// The step.
        step: String,
        /// Why.
        fault: Fault,
    },
    /// A person asked to stop and put back.
    CancelAsked {
        /// Who.
        by: String,
    },
    /// A person asked to go on without waiting for a step.
    SkipAsked {
        /// The step.
        step: String,
        /// Who.
        by: String,
    },
    /// Putting a step back began.
    UndoStarted {
        /// The step.
        step: String,
    },
    /// A step was put back.
    UndoFinished {
        /// The step.
        step: String,
    },
    /// A step could not be put back.
    UndoFailed {
        /// The step.
        step: String,
        /// Why.
        fault: Fault,
    },
    /// Another runner took the operation over after a crash.
    Adopted {
        /// The new generation; older runners can no longer write.
        generation: i32,
    },
    /// The end.
    Ended {
        /// How.
        outcome: Outcome,
    },
}

/// How a step was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passing {
    /// It had nothing to do, and did nothing.
    NotNeeded,
    /// It was tried and did not help.
    Fruitless,
    /// A person asked to go on without it.
    Skipped,
}

/// A journal entry with its place and time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// 1, 2, 3 … within the operation; also the id of server-sent events.
    pub sequence: i64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// How a step can be cancelled; shown with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancel {
    /// At once: it only waits or reads.
    Now,
    /// When the step has ended.
    AfterStep,
    /// Not any more.
    Refuse,
}

/// A step as people see it, before, while and after it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOutline {
    /// Stored name: `stop_old`; `restart.await_ready` is a part of the step `restart`.
    pub name: String,
    /// Shown: `Stop the old container`.
    pub label: String,
    /// Whether there is a way back after it.
    pub no_return: bool,
    /// How it can be cancelled.
    pub cancel: Cancel,
    /// Its limit.
    pub limit: Duration,
    /// Whether a person can go on without waiting for it.
    #[serde(default)]
    pub skippable: bool,
}

/// An operation's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// What was asked for.
    pub command: Command,
    /// By whom.
    pub asked_by: Actor,
    /// The reason they gave.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Counts adoptions: every write carries it.
    pub generation: i32,
    /// The steps as the story had them when it began.
    pub steps: Vec<StepOutline>,
    /// Median duration of the last successful ones of this kind, in milliseconds.
    pub usually_ms: Option<u64>,
}

impl Operation {
    /// Whether it holds its gateway's lock.
    pub fn holds_lock(&self) -> bool {
        match &self.outcome {
            None => true,
            Some(outcome) => outcome.keeps_lock(),
        }
    }

    /// Whether a change of this fact at that time is its doing, also a little after its end. A stuck one
    /// plans nothing any more: what breaks while it waits for somebody must alert.
    pub fn plans(&self, fact: FactKind, at: Timestamp) -> bool {
        self.command.disturbs(fact) && self.created_at <= at && !self.is_past(at)
    }

    /// Whether also what it causes after its end is over.
    pub fn is_past(&self, at: Timestamp) -> bool {
        self.ended_at
            .is_some_and(|ended| ended.plus(AFTERMATH) < at)
    }

    /// How long it took, or has taken so far.
    pub fn took(&self, now: Timestamp) -> Duration {
        self.ended_at.unwrap_or(now).since(self.created_at)
    }
}

/// State of one step, folded from the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Todo,
    /// Running.
    Running,
    /// Ended well.
    Done,
    /// Had nothing to do.
    NotNeeded,
    /// Was tried and did not help; the operation goes on.
    Fruitless,
    /// A person went on without it.
    Skipped,
    /// Failed.
    Failed,
    /// Being put back.
    Undoing,
    /// Put back.
    Undone,
    /// Could not be put back.
    UndoFailed,
}

/// One step with what happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepView {
    /// The step.
    pub outline: StepOutline,
    /// How far it is.
    pub state: StepState,
    /// When it (last) began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Lines said while it ran, oldest first.
    pub said: Vec<(Timestamp, String)>,
    /// Why it failed.
    pub fault: Option<Fault>,
    /// How often it was begun; more than one after a crash.
    pub attempts: u16,
    /// Who asked to skip it.
    pub skip_asked_by: Option<String>,
}

/// An operation with its steps: what its page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationView {
    /// The row.
    pub operation: Operation,
    /// Its steps in order.
    pub steps: Vec<StepView>,
    /// Who asked to stop it, if anybody.
    pub cancel_asked_by: Option<String>,
    /// The last journal entry that is in here.
    pub sequence: i64,
}

impl OperationView {
    /// Folds the journal into what people see.
    pub fn fold(operation: Operation, journal: &[Recorded]) -> Self {
        let mut view = Self {
            steps: operation.steps.iter().map(StepView::todo).collect(),
            operation,
            cancel_asked_by: None,
            sequence: 0,
        };
        for recorded in journal {
            view.apply(recorded);
        }
        view
    }

    fn step(&mut self, name: &str) -> Option<&mut StepView> {
        self.steps.iter_mut().find(|step| step.outline.name == name)
    }

    fn apply(&mut self, recorded: &Recorded) {
        self.sequence = recorded.sequence;
        let at = recorded.at;
        match &recorded.event {
            Event::Planned { .. } | Event::Adopted { .. } => {}
            Event::CancelAsked { by } => self.cancel_asked_by = Some(by.clone()),
            Event::SkipAsked { step, by } => self.change(step, |step| {
                step.skip_asked_by = Some(by.clone());
                step.said.push((at, format!("{by} asked to skip this.")));
            }),
            Event::Ended { outcome } => {
                self.operation.outcome = Some(outcome.clone());
                self.operation.ended_at = Some(at);
            }
            Event::Started { step, attempt } => self.change(step, |step| {
                step.state = StepState::Running;
                step.started_at = Some(at);
                step.ended_at = None;
                step.attempts = *attempt;
            }),
            Event::Progressed { step, said } => {
                self.change(step, |step| step.said.push((at, said.clone())));
            }
            Event::Succeeded { step, .. } => {
                self.change(step, |step| step.end(StepState::Done, at));
            }
            Event::Passed { step, how, .. } => {
                let state = match how {
                    Passing::NotNeeded => StepState::NotNeeded,
                    Passing::Fruitless => StepState::Fruitless,
                    Passing::Skipped => StepState::Skipped,
                };
                self.change(step, |step| step.end(state, at));
            }
            Event::Failed { step, fault } => self.change(step, |step| {
                step.fault = Some(fault.clone());
                step.end(StepState::Failed, at);
            }),
            Event::UndoStarted { step } => {
                self.change(step, |step| step.state = StepState::Undoing);
            }
            Event::UndoFinished { step } => {
                self.change(step, |step| step.end(StepState::Undone, at));
            }
            Event::UndoFailed { step, fault } => self.change(step, |step| {
                step.fault = Some(fault.clone());
                step.end(StepState::UndoFailed, at);
            }),
        }
    }

    fn change(&mut self, name: &str, with: impl FnOnce(&mut StepView)) {
        if let Some(step) = self.step(name) {
            with(step);
        }
    }

    /// The step that runs or is being put back now.
    pub fn current(&self) -> Option<&StepView> {
        self.steps
            .iter()
            .find(|step| matches!(step.state, StepState::Running | StepState::Undoing))
    }

    /// Whether it is going back.
    pub fn is_unwinding(&self) -> bool {
        self.operation.outcome.is_none()
            && self
                .steps
                .iter()
                .any(|step| matches!(step.state, StepState::Undoing | StepState::Undone))
    }

    /// Whether “stop and put back” can be pressed, and if not, why.
    ///
    /// # Errors
    /// The reason, as a sentence.
    pub fn can_cancel(&self) -> Result<(), &'static str> {
        if self.operation.outcome.is_some() {
            return Err("It has ended.");
        }
        if self.cancel_asked_by.is_some() {
            return Err("Somebody asked for it already.");
        }
        if self.is_unwinding() {
            return Err("It is being put back already.");
        }
        let past_return = self.steps.iter().any(|step| {
            step.outline.no_return && matches!(step.state, StepState::Running | StepState::Done)
        });
        let refuses = self
            .current()
            .is_some_and(|step| step.outline.cancel == Cancel::Refuse);
        if past_return || refuses {
            return Err("There is no way back from this step; it will end by itself.");
        }
        Ok(())
    }

    /// Whether any of its steps can be skipped at some time.
    pub fn has_skippable(&self) -> bool {
        self.steps.iter().any(|step| step.outline.skippable)
    }

    /// The step that a person can go on without now; if there is none, why.
    ///
    /// # Errors
    /// The reason, as a sentence.
    pub fn can_skip(&self) -> Result<&StepView, &'static str> {
        if self.operation.outcome.is_some() {
            return Err("It has ended.");
        }
        if self.is_unwinding() || self.cancel_asked_by.is_some() {
            return Err("It is being stopped.");
        }
        match self.current() {
            Some(step) if step.skip_asked_by.is_some() => {
                Err("Somebody asked to skip this step already.")
            }
            Some(step) if step.outline.skippable => Ok(step),
            _ => Err("This step cannot be skipped."),
        }
    }
}

impl StepView {
    fn todo(outline: &StepOutline) -> Self {
        Self {
            outline: outline.clone(),
            state: StepState::Todo,
            started_at: None,
            ended_at: None,
            said: Vec::new(),
            fault: None,
            attempts: 0,
            skip_asked_by: None,
        }
    }

    fn end(&mut self, state: StepState, at: Timestamp) {
        self.state = state;
        self.ended_at = Some(at);
    }
}

#[cfg(test)]
mod tests;
