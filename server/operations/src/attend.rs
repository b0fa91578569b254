//! Attends to a step that runs: writes down what it says, and watches its limit, the journal and the
//! shutdown.

use std::sync::Arc;
use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind, Retry};
use domain::operation::{Cancel, Event};
use domain::words;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::attempt::UNDO_PATIENCE;
use crate::position::{Decision, Position};
use crate::runner::{Halt, Runner};
use crate::step::{Back, Shape};

/// How long a call that is past its limit is still waited for, before it is left to itself.
const OVERTIME: Duration = Duration::from_secs(60);

/// What is being run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Forward,
    Back,
}

/// How a run of a step ended.
pub(crate) enum Ran {
    Done(Value),
    Broke(Fault),
    /// Dropped, because somebody wishes to stop or to skip it. The journal says the rest.
    Dropped,
}

impl Runner {
    /// Waits for a step that runs in its own task, writes down what it says, and watches the limit, the
    /// journal (a wish to stop, another runner) and the shutdown.
    ///
    /// A step that only waits or reads is dropped when it is no longer wanted. Any other is never
    /// dropped in the middle of a call: past its limit it is waited for a while longer, then left to
    /// end by itself, and the undo looks at the world anew.
    pub(crate) async fn attend(
        &mut self,
        shapes: &[Shape],
        at: usize,
        way: Way,
        mut job: AbortOnDropHandle<Result<Value, Fault>>,
        mut said: UnboundedReceiver<String>,
    ) -> Result<Ran, Halt> {
        let shape = &shapes[at];
        let droppable = way == Way::Forward && shape.cancel == Cancel::Now;
        let limit = match (way, shape.back) {
            (Way::Back, Back::Undo(limit)) => limit + UNDO_PATIENCE,
            _ => shape.limit,
        };
        let news = Arc::clone(&self.news);
        let closing = self.engine.closing.clone();
        let mut deadline = Instant::now() + limit;
        let mut late = false;
        loop {
            let poll = tokio::time::sleep(self.engine.timing.poll);
            tokio::select! {
                biased;
                Some(line) = said.recv() => self.say(shape, line).await?,
                ended = &mut job => {
                    while let Ok(line) = said.try_recv() {
                        self.say(shape, line).await?;
                    }
                    return Ok(match ended {
                        Ok(Ok(state)) => Ran::Done(state),
                        Ok(Err(fault)) => Ran::Broke(fault),
                        Err(error) => Ran::Broke(Fault::new(
                            FaultKind::Unexpected,
                            Boundary::Panel,
                            format!("the panel failed inside this step ({error})"),
                        )),
                    });
                }
                () = closing.cancelled(), if droppable => return Err(Halt::Closing),
                () = tokio::time::sleep_until(deadline) => {
                    if droppable || late {
                        if !droppable {
                            drop(job.detach());
                        }
                        return Ok(Ran::Broke(over(limit)));
                    }
                    late = true;
                    deadline += OVERTIME;
                    let limit = words::duration(limit);
                    let line = format!("This takes longer than {limit}; waiting for an answer.");
                    self.say(shape, line).await?;
                }
                () = news.notified() => {
                    if self.unwanted(shapes, droppable).await? {
                        return Ok(Ran::Dropped);
                    }
                }
                () = poll => {
                    if self.unwanted(shapes, droppable).await? {
                        return Ok(Ran::Dropped);
                    }
                }
            }
        }
    }

    /// Whether the journal no longer wants the step that runs. A database that is away changes nothing.
    async fn unwanted(&mut self, shapes: &[Shape], droppable: bool) -> Result<bool, Halt> {
        match self.ledger.peek().await {
            Ok(peeked) => peeked?,
            Err(_) => return Ok(false),
        }
        let decision = Position::of(self.ledger.entries(), shapes).decision;
        Ok(droppable
            && matches!(
                decision,
                Decision::Unwind { .. } | Decision::Finish(_) | Decision::Skip { .. }
            ))
    }

    async fn say(&mut self, shape: &Shape, said: String) -> Result<(), Halt> {
        let step = shape.name.to_owned();
        self.ledger.append(Event::Progressed { step, said }).await?;
        Ok(())
    }
}

fn over(limit: Duration) -> Fault {
    Fault {
        retry: Retry::No,
        ..Fault::new(
            FaultKind::TimedOut,
            Boundary::Panel,
            format!("it did not end within {}", words::duration(limit)),
        )
    }
}
