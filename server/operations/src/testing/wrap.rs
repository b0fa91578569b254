//! Stories with something wrong in them: every body twice, every undo twice, a step that fails.

use std::sync::Arc;

use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Command, Passing};
use futures::future::BoxFuture;
use serde_json::Value;

use crate::step::{Cx, Shape};
use crate::stories::Book;
use crate::story::AnyStory;

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrong {
    /// Every body runs twice.
    ActTwice,
    /// Every undo runs twice.
    UndoTwice,
    /// This step fails before it did anything.
    FailBefore(&'static str),
    /// This step fails after it did everything.
    FailAfter(&'static str),
    /// This step panics.
    Panic(&'static str),
    /// Putting this step back always fails, after this step failed.
    UndoFails(&'static str),
}

struct Wrapped {
    story: Arc<dyn AnyStory>,
    wrong: Vec<Wrong>,
}

/// A book with only this command's story, wrapped.
pub(crate) fn book(command: &Command, wrong: &[Wrong]) -> Book {
    let story = Book::default().story(command).unwrap();
    Book::of(vec![Arc::new(Wrapped {
        story,
        wrong: wrong.to_vec(),
    })])
}

fn broken() -> Fault {
    let why = format!("made to fail (key {})", super::CANARY);
    Fault::new(FaultKind::Unexpected, Boundary::Panel, why)
}

impl AnyStory for Wrapped {
    fn name(&self) -> &'static str {
        self.story.name()
    }

    fn shapes(&self) -> Vec<Shape> {
        self.story.shapes()
    }

    fn plan(&self, cx: Cx, command: Command) -> BoxFuture<'static, Result<Value, Fault>> {
        self.story.plan(cx, command)
    }

    fn readable(&self, plan: &Value, state: &Value) -> Result<(), String> {
        self.story.readable(plan, state)
    }

    fn act(
        &self,
        step: &'static str,
        cx: Cx,
        plan: Value,
        state: Value,
    ) -> BoxFuture<'static, Result<Value, Fault>> {
        let (story, wrong) = (Arc::clone(&self.story), self.wrong.clone());
        let has = move |one: Wrong| wrong.contains(&one);
        Box::pin(async move {
            assert!(!has(Wrong::Panic(step)), "made to panic");
            if has(Wrong::FailBefore(step)) {
                return Err(broken());
            }
            if has(Wrong::ActTwice) {
                // What a crash leaves: the first run's state is lost.
                let (cx, plan, state) = (cx.clone(), plan.clone(), state.clone());
                story.act(step, cx, plan, state).await?;
            }
            let done = story.act(step, cx, plan, state).await;
            if has(Wrong::FailAfter(step)) {
                return Err(broken());
            }
            done
        })
    }

    fn undo(
        &self,
        step: &'static str,
        cx: Cx,
        plan: Value,
        state: Value,
    ) -> BoxFuture<'static, Result<(), Fault>> {
        let (story, wrong) = (Arc::clone(&self.story), self.wrong.clone());
        Box::pin(async move {
            if wrong.contains(&Wrong::UndoFails(step)) {
                return Err(broken());
            }
            if wrong.contains(&Wrong::UndoTwice) {
                let (cx, plan, state) = (cx.clone(), plan.clone(), state.clone());
                story.undo(step, cx, plan, state).await?;
            }
            story.undo(step, cx, plan, state).await
        })
    }

    fn note(&self, state: &Value) -> Option<String> {
        self.story.note(state)
    }

    fn passed(&self, state: &Value) -> Option<Passing> {
        self.story.passed(state)
    }

    fn skip(&self, step: &str, state: &Value, by: &str) -> Value {
        self.story.skip(step, state, by)
    }

    fn todo(&self, plan: &Value, state: &Value, step: &str) -> String {
        self.story.todo(plan, state, step)
    }
}
