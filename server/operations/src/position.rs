//! Where an operation stands, and what comes next: decided from its journal alone.

use domain::fault::Fault;
use domain::operation::{Cancel, Event, Outcome, Recorded};
use serde_json::Value;

use crate::step::{Back, Shape};

/// What to do next. Steps are places in the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Make the plan.
    Plan,
    /// Run this step.
    Run {
        /// Which.
        step: usize,
        /// 1, then more after a crash.
        attempt: u16,
    },
    /// Put this step back.
    Unwind {
        /// Which.
        step: usize,
    },
    /// Write the end.
    Finish(Outcome),
    /// Nobody can go on from here safely: a person must look.
    MarkStuck {
        /// The step that is concerned, as named in the journal.
        at: String,
        /// Why.
        why: String,
    },
    /// It has ended.
    Nothing,
}

/// The fold of a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The plan, once made.
    pub plan: Option<Value>,
    /// The state after the last step that succeeded; null before.
    pub state: Value,
    /// What comes next.
    pub decision: Decision,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Todo,
    Begun,
    Done,
    Failed,
    Undone,
}

impl Position {
    /// Folds a journal over the story's table.
    pub fn of(journal: &[Recorded], steps: &[Shape]) -> Self {
        let mut fold = Fold::new(steps);
        let mut ended = false;
        let mut broken = None;
        for recorded in journal {
            ended |= matches!(recorded.event, Event::Ended { .. });
            if let Err(stuck) = fold.apply(&recorded.event) {
                broken = broken.or(Some(stuck));
            }
        }
        let decision = match broken {
            _ if ended => Decision::Nothing,
            Some(stuck) => stuck,
            None => fold.decide(),
        };
        Self {
            plan: fold.plan,
            state: fold.state,
            decision,
        }
    }
}

struct Fold<'a> {
    steps: &'a [Shape],
    plan: Option<Value>,
    state: Value,
    progress: Vec<Progress>,
    attempts: Vec<u16>,
    failure: Option<(usize, Fault)>,
    wish: Option<String>,
    undo_failed: Option<(usize, Fault)>,
    past_return: bool,
}

impl<'a> Fold<'a> {
    fn new(steps: &'a [Shape]) -> Self {
        Self {
            steps,
            plan: None,
            state: Value::Null,
            progress: vec![Progress::Todo; steps.len()],
            attempts: vec![0; steps.len()],
            failure: None,
            wish: None,
            undo_failed: None,
            past_return: false,
        }
    }

    fn place(&self, name: &str) -> Result<usize, Decision> {
        self.steps
            .iter()
            .position(|step| step.name == name)
            .ok_or_else(|| Decision::MarkStuck {
                at: name.to_owned(),
                why: format!("this release of the panel does not know the step `{name}`"),
            })
    }

    fn apply(&mut self, event: &Event) -> Result<(), Decision> {
        match event {
            Event::Planned { plan } => self.plan = Some(plan.clone()),
            Event::Started { step, attempt } => {
                let at = self.place(step)?;
                self.progress[at] = Progress::Begun;
                self.attempts[at] = *attempt;
                self.past_return |= self.steps[at].back == Back::NoReturn;
            }
            Event::Succeeded { step, state } => {
                let at = self.place(step)?;
                self.progress[at] = Progress::Done;
                self.state = state.clone();
            }
            Event::Failed { step, fault } => {
                let at = self.place(step)?;
                self.progress[at] = Progress::Failed;
                self.failure.get_or_insert_with(|| (at, fault.clone()));
            }
            // Past the point of no return a wish to stop comes too late: it goes on forward.
            Event::CancelAsked { by } if !self.past_return => {
                self.wish.get_or_insert_with(|| by.clone());
            }
            Event::UndoFinished { step } => {
                let at = self.place(step)?;
                self.progress[at] = Progress::Undone;
            }
            Event::UndoFailed { step, fault } => {
                let at = self.place(step)?;
                self.undo_failed = Some((at, fault.clone()));
            }
            Event::UndoStarted { step } | Event::Progressed { step, .. } => {
                self.place(step)?;
            }
            Event::CancelAsked { .. } | Event::Adopted { .. } | Event::Ended { .. } => {}
        }
        Ok(())
    }

    fn decide(&self) -> Decision {
        if let Some((at, why)) = &self.undo_failed {
            return Decision::Finish(Outcome::Stuck {
                at: self.steps[*at].name.to_owned(),
                why: why.clone(),
                todo: String::new(),
            });
        }
        match (&self.failure, &self.wish) {
            (Some((at, why)), _) if self.past_return => Decision::Finish(Outcome::Failed {
                at: self.steps[*at].name.to_owned(),
                why: why.clone(),
            }),
            (Some((_, why)), _) => self.back(Outcome::Undone { why: why.clone() }),
            (None, Some(by)) if self.heeds_wish() => {
                self.back(Outcome::Cancelled { by: by.clone() })
            }
            (None, _) => self.forward(),
        }
    }

    /// A wish to stop is not heeded in a step that refuses it, nor when all is done.
    fn heeds_wish(&self) -> bool {
        let refuses = self
            .steps
            .iter()
            .zip(&self.progress)
            .any(|(step, progress)| *progress == Progress::Begun && step.cancel == Cancel::Refuse);
        let all_done = self.progress.iter().all(|step| *step == Progress::Done);
        !refuses && !all_done && !self.past_return
    }

    fn back(&self, outcome: Outcome) -> Decision {
        let next = (0..self.steps.len()).rev().find(|at| {
            matches!(self.steps[*at].back, Back::Undo(_))
                && !matches!(self.progress[*at], Progress::Todo | Progress::Undone)
        });
        match next {
            Some(step) => Decision::Unwind { step },
            None => Decision::Finish(outcome),
        }
    }

    fn forward(&self) -> Decision {
        if self.plan.is_none() {
            return Decision::Plan;
        }
        let next = self
            .progress
            .iter()
            .position(|progress| *progress != Progress::Done);
        match next {
            Some(step) => Decision::Run {
                step,
                attempt: self.attempts[step].saturating_add(1),
            },
            None => Decision::Finish(Outcome::Succeeded { note: None }),
        }
    }
}
