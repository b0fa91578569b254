//! Where an operation stands, and what comes next: decided from its journal alone.

use domain::fault::Fault;
use domain::operation::{Cancel, Event, Outcome, Passing, Recorded};
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
    /// Go on without this step, which only waits.
    Skip {
        /// Which.
        step: usize,
        /// Who asked for it.
        by: String,
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
    /// It did nothing.
    Passed,
    /// It did not help, and has put back by itself what it could.
    Vain,
    Failed,
    Undone,
}

impl Position {
    /// Folds a journal over the story's table.
    pub fn of<'a>(journal: &'a [Recorded], steps: &'a [Shape]) -> Self {
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
            plan: fold.plan.cloned(),
            state: fold.state.cloned().unwrap_or(Value::Null),
            decision,
        }
    }
}

struct Fold<'a> {
    steps: &'a [Shape],
    plan: Option<&'a Value>,
    state: Option<&'a Value>,
    progress: Vec<Progress>,
    attempts: Vec<u16>,
    failure: Option<(usize, Fault)>,
    wish: Option<String>,
    skip: Option<(usize, String)>,
    undo_failed: Option<(usize, Fault)>,
    past_return: bool,
}

impl<'a> Fold<'a> {
    fn new(steps: &'a [Shape]) -> Self {
        Self {
            steps,
            plan: None,
            state: None,
            progress: vec![Progress::Todo; steps.len()],
            attempts: vec![0; steps.len()],
            failure: None,
            wish: None,
            skip: None,
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

    fn apply(&mut self, event: &'a Event) -> Result<(), Decision> {
        match event {
            Event::Planned { plan } => self.plan = Some(plan),
            Event::Started { step, attempt } => {
                let at = self.place(step)?;
                self.progress[at] = Progress::Begun;
                self.attempts[at] = *attempt;
                self.past_return |= self.steps[at].back == Back::NoReturn;
            }
            Event::Succeeded { step, state } => {
                let at = self.place(step)?;
                self.progress[at] = Progress::Done;
                self.state = Some(state);
            }
            Event::Passed { step, state, how } => {
                let at = self.place(step)?;
                self.progress[at] = match how {
                    Passing::NotNeeded => Progress::Passed,
                    Passing::Fruitless | Passing::Skipped => Progress::Vain,
                };
                self.state = Some(state);
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
            // It is a wish: too late for a step that has ended, and nothing to be stuck about.
            Event::SkipAsked { step, by } => {
                if let Ok(at) = self.place(step)
                    && self.progress[at] == Progress::Begun
                    && self.steps[at].skippable
                {
                    self.skip = Some((at, by.clone()));
                }
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
            (Some((at, why)), _) => {
                let failed = || Outcome::Failed {
                    at: self.steps[*at].name.to_owned(),
                    why: why.clone(),
                };
                if self.past_return {
                    Decision::Finish(failed())
                } else if self.something_stays() {
                    self.back(failed())
                } else {
                    self.back(Outcome::Undone { why: why.clone() })
                }
            }
            (None, Some(by)) if self.heeds_wish() => {
                self.back(Outcome::Cancelled { by: by.clone() })
            }
            (None, _) => match &self.skip {
                Some((step, by)) if self.progress[*step] == Progress::Begun => Decision::Skip {
                    step: *step,
                    by: by.clone(),
                },
                _ => self.forward(),
            },
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

    /// Whether a step began that is not put back.
    fn something_stays(&self) -> bool {
        let mut steps = self.steps.iter().zip(&self.progress);
        steps.any(|(step, progress)| {
            step.back == Back::Stays && !matches!(progress, Progress::Todo | Progress::Passed)
        })
    }

    /// Whether a later part of the same step has settled what this one did.
    fn is_settled(&self, at: usize) -> bool {
        let Some((within, _)) = self.steps[at].name.split_once('.') else {
            return false;
        };
        let mut later = self.steps.iter().zip(&self.progress).skip(at + 1);
        later.any(|(step, progress)| {
            matches!(step.back, Back::Settles | Back::Stays)
                && matches!(progress, Progress::Done | Progress::Vain)
                && step
                    .name
                    .split_once('.')
                    .is_some_and(|(its, _)| its == within)
        })
    }

    fn back(&self, outcome: Outcome) -> Decision {
        let next = (0..self.steps.len()).rev().find(|at| {
            matches!(self.steps[*at].back, Back::Undo(_))
                && !matches!(
                    self.progress[*at],
                    Progress::Todo | Progress::Passed | Progress::Vain | Progress::Undone
                )
                && !self.is_settled(*at)
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
        let next = self.progress.iter().position(|progress| {
            !matches!(progress, Progress::Done | Progress::Passed | Progress::Vain)
        });
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
            skippable: name == "look",
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

    /// The same with a `swap` that is not put back and does not end the way back.
    fn lasting() -> Vec<Shape> {
        let mut table = table();
        table[2].back = Back::Stays;
        table[2].cancel = Cancel::AfterStep;
        table.pop();
        table
    }

    /// Reads `plan`, `+step` began, `=step` succeeded, `~step` was not needed, `*step` was fruitless, `!step` failed, `<step` is being put back,
    /// `-step` was put back, `?step` could not be put back, `cancel`, `adopt`, `end`.
    fn decide(journal: &str, table: &[Shape]) -> Decision {
        let step = |word: &str| word[1..].to_owned();
        let entries = journal.split_whitespace().map(|word| match word {
            "plan" => Event::Planned { plan: json!({}) },
            "skip" => Event::SkipAsked {
                step: "look".to_owned(),
                by: "anna".to_owned(),
            },
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
            _ if word.starts_with(['~', '*']) => Event::Passed {
                step: step(word),
                state: json!({}),
                how: if word.starts_with('~') {
                    Passing::NotNeeded
                } else {
                    Passing::Fruitless
                },
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
        Position::of(&recorded, table).decision
    }

    fn words(decision: &Decision) -> String {
        let name = |at: usize| table()[at].name;
        match decision {
            Decision::Plan => "plan".to_owned(),
            Decision::Run { step, attempt } => format!("run {} ({attempt})", name(*step)),
            Decision::Skip { step, by } => format!("skip {} for {by}", name(*step)),
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
            assert_eq!(words(&decide(journal, &table())), next, "{journal}");
        }
    }

    #[test]
    fn a_step_is_skipped_while_it_runs_and_a_wish_to_stop_says_more() {
        for (journal, next) in [
            ("plan skip", "run look (1)"),
            ("plan skip +look", "run look (2)"),
            ("plan +look skip", "skip look for anna"),
            ("plan +look skip adopt", "skip look for anna"),
            ("plan +look skip =look", "run stop (1)"),
            ("plan +look =look skip", "run stop (1)"),
            ("plan +look skip cancel", "cancelled"),
            ("plan +look skip !look", "undone"),
        ] {
            assert_eq!(words(&decide(journal, &table())), next, "{journal}");
        }
    }

    #[test]
    fn what_was_passed_did_nothing_and_what_stays_is_no_end_of_the_way_back() {
        let begun = "plan +look =look +stop =stop";
        for (journal, next) in [
            ("plan +look ~look", "run stop (1)"),
            ("plan +look *look", "run stop (1)"),
            // Nothing was done, or it was put back within the step.
            ("plan +look =look +stop ~stop cancel", "cancelled"),
            ("plan +look =look +stop *stop cancel", "cancelled"),
            (&format!("{begun} +swap !swap"), "unwind stop"),
            (&format!("{begun} +swap !swap <stop -stop"), "failed"),
            (&format!("{begun} +swap =swap"), "succeeded"),
            (&format!("{begun} +swap =swap cancel"), "unwind stop"),
            (&format!("{begun} !stop <stop -stop"), "undone"),
        ] {
            assert_eq!(words(&decide(journal, &lasting())), next, "{journal}");
        }
    }

    #[test]
    fn what_a_later_part_has_settled_is_not_put_back() {
        let parts = || {
            let mut table = lasting();
            table[1].name = "restart.drain";
            table[2].name = "restart.do";
            let other = Shape {
                name: "start.other",
                back: Back::Settles,
                ..table[0].clone()
            };
            table.insert(
                0,
                Shape {
                    name: "drain",
                    back: Back::Undo(LIMIT),
                    ..other.clone()
                },
            );
            table.push(other);
            table
        };
        let words = |decision| match decision {
            Decision::Unwind { step } => format!("unwind {}", parts()[step].name),
            decision => words(&decision),
        };
        let begun = "plan +drain =drain +look =look +restart.drain =restart.drain +restart.do";
        for (journal, next) in [
            (begun.to_owned() + " !restart.do", "unwind restart.drain"),
            (begun.to_owned() + " cancel", "unwind restart.drain"),
            (begun.to_owned() + " =restart.do cancel", "unwind drain"),
            (begun.to_owned() + " *restart.do cancel", "unwind drain"),
            (
                begun.to_owned() + " =restart.do +start.other !start.other",
                "unwind drain",
            ),
        ] {
            assert_eq!(words(decide(&journal, &parts())), next, "{journal}");
        }
    }
}
