//! One run of a step's body or undo, with tries when a fault says that another one may help.

use std::sync::Arc;
use std::time::Duration;

use domain::fault::{Fault, Retry};
use domain::operation::Command;
use serde_json::Value;
use tokio::time::Instant;

use crate::step::Cx;
use crate::story::AnyStory;

/// Tries of a body whose fault may pass.
const ACT_TRIES: u32 = 4;
/// Tries of an undo whose fault will not pass by itself.
const UNDO_TRIES: u32 = 3;
/// How long an undo is tried again when its fault may pass: Docker itself may be restarting. Stuck is
/// the worst end, so this is generous.
pub(crate) const UNDO_PATIENCE: Duration = Duration::from_secs(600);

/// What is run: one step of one story, from where it stands.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) story: Arc<dyn AnyStory>,
    pub(crate) step: &'static str,
    pub(crate) cx: Cx,
    pub(crate) plan: Value,
    pub(crate) state: Value,
    /// How long the body is tried again when its fault may pass. Where there is no way back, forward is
    /// worth more patience.
    pub(crate) patience: Duration,
}

fn backoff(tries: u32) -> Duration {
    Duration::from_secs(1 << tries.saturating_sub(1).min(3))
}

impl Attempt {
    /// The body; the state after it.
    pub(crate) async fn act(self) -> Result<Value, Fault> {
        let began = Instant::now();
        let mut tries = 1;
        loop {
            let (plan, state) = (self.plan.clone(), self.state.clone());
            let worth = |tries| tries < ACT_TRIES || began.elapsed() < self.patience;
            let fault = match self
                .story
                .act(self.step, self.cx.clone(), plan, state)
                .await
            {
                Ok(state) => return Ok(state),
                Err(fault) if fault.retry == Retry::Yes && worth(tries) => fault,
                Err(fault) => return Err(fault),
            };
            tries += 1;
            self.cx
                .say
                .line(format!("{} Trying again.", sentence(&fault)));
            tokio::time::sleep(backoff(tries)).await;
        }
    }

    /// The way back.
    pub(crate) async fn undo(self) -> Result<Value, Fault> {
        let began = Instant::now();
        let mut tries = 1;
        loop {
            let (plan, state) = (self.plan.clone(), self.state.clone());
            let undone = self
                .story
                .undo(self.step, self.cx.clone(), plan, state)
                .await;
            let fault = match undone {
                Ok(()) => return Ok(Value::Null),
                Err(fault) => fault,
            };
            let patient = fault.retry == Retry::Yes && began.elapsed() < UNDO_PATIENCE;
            if tries >= UNDO_TRIES && !patient {
                return Err(fault);
            }
            tries += 1;
            self.cx
                .say
                .line(format!("{} Trying again.", sentence(&fault)));
            tokio::time::sleep(backoff(tries)).await;
        }
    }
}

/// Makes a plan; looking once more does no harm.
pub(crate) async fn plan(
    story: &Arc<dyn AnyStory>,
    cx: &Cx,
    command: &Command,
) -> Result<Value, Fault> {
    let mut tries = 1;
    loop {
        match story.plan(cx.clone(), command.clone()).await {
            Err(fault) if fault.retry == Retry::Yes && tries < ACT_TRIES => {
                tries += 1;
                tokio::time::sleep(backoff(tries)).await;
            }
            planned => return planned,
        }
    }
}

/// The fault's message as a sentence that another one can follow.
fn sentence(fault: &Fault) -> String {
    let text = fault.message.trim_end();
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
