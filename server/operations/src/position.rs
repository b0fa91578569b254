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

    /// A wish to stop is not heeded in a step that refuses it, nor past the point of no return.
    fn heeds_wish(&self) -> bool {
        let refuses = self
            .steps
            .iter()
            .zip(&self.progress)
            .any(|(step, progress)| *progress == Progress::Begun && step.cancel == Cancel::Refuse);
        !refuses && !self.past_return
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::fault::{Boundary, FaultKind};
    use domain::time::Timestamp;
    use serde_json::json;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    /// `look` changes nothing, `stop` and `swap` have a way back, `remove` has none.
    fn table() -> Vec<Shape> {
        let shape = |name, back, cancel| Shape {
            name,
            label: name,
            back,
            limit: LIMIT,
            cancel,
        };
        vec![
            shape("look", Back::Nothing, Cancel::Now),
            shape("stop", Back::Undo(LIMIT), Cancel::AfterStep),
            shape("swap", Back::Undo(LIMIT), Cancel::Refuse),
            shape("remove", Back::NoReturn, Cancel::Refuse),
        ]
    }

    fn fault() -> Fault {
        Fault::new(FaultKind::Unexpected, Boundary::Docker, "broken")
    }

    /// Reads `plan`, `+step` began, `=step` succeeded, `!step` failed, `<step` is being put back,
    /// `-step` was put back, `?step` could not be put back, `cancel`, `adopt`, `end`.
    fn decide(journal: &str) -> Decision {
        let step = |word: &str| word[1..].to_owned();
        let entries = journal.split_whitespace().map(|word| match word {
            "plan" => Event::Planned { plan: json!({}) },
            "cancel" => Event::CancelAsked {
                by: "anna".to_owned(),
            },
            "adopt" => Event::Adopted { generation: 1 },
            "end" => Event::Ended {
                outcome: Outcome::Succeeded { note: None },
            },
            _ if word.starts_with('+') => Event::Started {
                step: step(word),
                attempt: 1,
            },
            _ if word.starts_with('=') => Event::Succeeded {
                step: step(word),
                state: json!({}),
            },
            _ if word.starts_with('!') => Event::Failed {
                step: step(word),
                fault: fault(),
            },
            _ if word.starts_with('<') => Event::UndoStarted { step: step(word) },
            _ if word.starts_with('-') => Event::UndoFinished { step: step(word) },
            _ => Event::UndoFailed {
                step: step(word),
                fault: fault(),
            },
        });
        let recorded: Vec<Recorded> = (1..)
            .zip(entries)
            .map(|(sequence, event)| Recorded {
                sequence,
                at: Timestamp::default(),
                event,
            })
            .collect();
        Position::of(&recorded, &table()).decision
    }

    fn words(decision: &Decision) -> String {
        let name = |at: usize| table()[at].name;
        match decision {
            Decision::Plan => "plan".to_owned(),
            Decision::Run { step, attempt } => format!("run {} ({attempt})", name(*step)),
            Decision::Unwind { step } => format!("unwind {}", name(*step)),
            Decision::Finish(outcome) => outcome.as_str().to_owned(),
            Decision::MarkStuck { at, .. } => format!("mark stuck at {at}"),
            Decision::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn the_next_move_follows_from_the_journal_alone() {
        let past = "plan +look =look +stop =stop +swap =swap";
        for (journal, next) in [
            ("", "plan"),
            ("plan", "run look (1)"),
            // What had begun when the panel died is begun again.
            ("plan +look adopt", "run look (2)"),
            ("plan +look =look +stop =stop +swap", "run swap (2)"),
            (&format!("{past} +remove =remove"), "succeeded"),
            (&format!("{past} +remove =remove end"), "nothing"),
            // A failure goes back, the failed step first; what changed nothing is not put back.
            ("plan +look !look", "undone"),
            ("plan +look =look +stop !stop", "unwind stop"),
            ("plan +look =look +stop !stop <stop", "unwind stop"),
            ("plan +look =look +stop !stop <stop -stop", "undone"),
            ("plan +look =look +stop =stop +swap !swap", "unwind swap"),
            (
                "plan +look =look +stop =stop +swap !swap <swap -swap",
                "unwind stop",
            ),
            ("plan +look =look +stop !stop <stop ?stop", "stuck"),
            // Past the point of no return there is only forward.
            (&format!("{past} +remove !remove"), "failed"),
            (&format!("{past} +remove cancel"), "run remove (2)"),
            (&format!("{past} +remove cancel !remove"), "failed"),
            (&format!("{past} cancel +remove"), "run remove (2)"),
            (&format!("{past} cancel +remove !remove"), "failed"),
            // A wish to stop goes back, too, but not out of a step that refuses it.
            ("cancel", "cancelled"),
            ("plan cancel", "cancelled"),
            ("plan +look cancel", "cancelled"),
            ("plan +look =look +stop cancel", "unwind stop"),
            (
                "plan +look =look +stop cancel =stop <stop -stop",
                "cancelled",
            ),
            ("plan +look =look +stop =stop +swap cancel", "run swap (2)"),
            (&format!("{past} cancel"), "unwind swap"),
            // A failure says more than a wish.
            ("plan +look =look +stop cancel !stop <stop -stop", "undone"),
            // An unknown step is never guessed.
            ("plan +look =look +dance", "mark stuck at dance"),
            ("plan +dance end", "nothing"),
        ] {
            assert_eq!(words(&decide(journal)), next, "{journal}");
        }
    }
}
