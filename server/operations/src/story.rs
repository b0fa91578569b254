//! A story, typed; and the same without its types, so that the engine can hold any of them.

use core::marker::PhantomData;

use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Command, Passing};
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::step::{Cx, Shape, Step, Undo};

/// One kind of operation.
pub trait Story: Sized + 'static {
    /// Stored, so never renamed; the same as [`Command::name`].
    const NAME: &'static str;
    /// Decided once, before the first step.
    type Plan: Serialize + DeserializeOwned + Send + Sync;
    /// What later steps and undos need to know of earlier ones. Kept when a step has succeeded.
    type State: Default + Serialize + DeserializeOwned + Send;

    /// Looks at the world and decides. Changes nothing.
    fn plan(cx: &Cx, command: &Command) -> impl Future<Output = Result<Self::Plan, Fault>> + Send;

    /// The table.
    fn steps() -> Vec<Step<Self::Plan, Self::State>>;

    /// What is left to know after all steps succeeded.
    fn note(_state: &Self::State) -> Option<String> {
        None
    }

    /// Whether the step that ended with this state was passed.
    fn passed(_state: &Self::State) -> Option<Passing> {
        None
    }

    /// Notes in the state that `by` asked to go on without waiting for `step`.
    fn skip(_state: &mut Self::State, _step: &str, _by: &str) {}

    /// What a person should check when putting `step` back failed.
    fn todo(_plan: &Self::Plan, _state: &Self::State, _step: &str) -> String {
        "Look at the gateway's containers on the host (`docker ps -a`), put them right, then free the \
         gateway here."
            .to_owned()
    }
}

/// A [`Story`] without its types.
pub trait AnyStory: Send + Sync {
    /// See [`Story::NAME`].
    fn name(&self) -> &'static str;
    /// The table without bodies.
    fn shapes(&self) -> Vec<Shape>;
    /// See [`Story::plan`].
    fn plan(&self, cx: Cx, command: Command) -> BoxFuture<'static, Result<Value, Fault>>;
    /// Whether this release can read what an earlier one stored.
    ///
    /// # Errors
    /// What cannot be read.
    fn readable(&self, plan: &Value, state: &Value) -> Result<(), String>;
    /// Runs a step's body once; the state after it.
    fn act(
        &self,
        step: &'static str,
        cx: Cx,
        plan: Value,
        state: Value,
    ) -> BoxFuture<'static, Result<Value, Fault>>;
    /// Puts a step back once.
    fn undo(
        &self,
        step: &'static str,
        cx: Cx,
        plan: Value,
        state: Value,
    ) -> BoxFuture<'static, Result<(), Fault>>;
    /// See [`Story::note`].
    fn note(&self, state: &Value) -> Option<String>;
    /// See [`Story::passed`].
    fn passed(&self, state: &Value) -> Option<Passing>;
    /// See [`Story::skip`]; the state after it.
    fn skip(&self, step: &str, state: &Value, by: &str) -> Value;
    /// See [`Story::todo`].
    fn todo(&self, plan: &Value, state: &Value, step: &str) -> String;
}

/// Makes a [`Story`] an [`AnyStory`].
pub struct Told<S>(PhantomData<fn() -> S>);

impl<S> Default for Told<S> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

fn unreadable(what: &str, error: &serde_json::Error) -> String {
    format!("the stored {what} cannot be read by this release of the panel ({error})")
}

fn read_plan<S: Story>(plan: &Value) -> Result<S::Plan, String> {
    S::Plan::deserialize(plan).map_err(|error| unreadable("plan", &error))
}

/// No state was stored before the first step has succeeded.
fn read_state<S: Story>(state: &Value) -> Result<S::State, String> {
    if state.is_null() {
        return Ok(S::State::default());
    }
    S::State::deserialize(state).map_err(|error| unreadable("state", &error))
}

fn internal(why: String) -> Fault {
    Fault::new(FaultKind::Unexpected, Boundary::Panel, why)
}

fn store<T: Serialize>(value: &T) -> Result<Value, Fault> {
    serde_json::to_value(value).map_err(|error| internal(error.to_string()))
}

fn find<S: Story>(name: &str) -> Result<Step<S::Plan, S::State>, Fault> {
    S::steps()
        .into_iter()
        .find(|step| step.name == name)
        .ok_or_else(|| internal(format!("`{}` has no step `{name}`", S::NAME)))
}

impl<S: Story> AnyStory for Told<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn shapes(&self) -> Vec<Shape> {
        S::steps().iter().map(Step::shape).collect()
    }

    fn plan(&self, cx: Cx, command: Command) -> BoxFuture<'static, Result<Value, Fault>> {
        Box::pin(async move { store(&S::plan(&cx, &command).await?) })
    }

    fn readable(&self, plan: &Value, state: &Value) -> Result<(), String> {
        read_plan::<S>(plan)?;
        read_state::<S>(state)?;
        Ok(())
    }

    fn act(
        &self,
        step: &'static str,
        cx: Cx,
        plan: Value,
        state: Value,
    ) -> BoxFuture<'static, Result<Value, Fault>> {
        Box::pin(async move {
            let step = find::<S>(step)?;
            let plan = read_plan::<S>(&plan).map_err(internal)?;
            let mut state = read_state::<S>(&state).map_err(internal)?;
            (step.act)(&cx, &plan, &mut state).await?;
            store(&state)
        })
    }

    fn undo(
        &self,
        step: &'static str,
        cx: Cx,
        plan: Value,
        state: Value,
    ) -> BoxFuture<'static, Result<(), Fault>> {
        Box::pin(async move {
            let step = find::<S>(step)?;
            let plan = read_plan::<S>(&plan).map_err(internal)?;
            let mut state = read_state::<S>(&state).map_err(internal)?;
            match step.undo {
                Undo::With(undo, _) => undo(&cx, &plan, &mut state).await,
                Undo::Nothing | Undo::Settles | Undo::Stays | Undo::NoReturn => Ok(()),
            }
        })
    }

    fn note(&self, state: &Value) -> Option<String> {
        read_state::<S>(state)
            .ok()
            .and_then(|state| S::note(&state))
    }

    fn passed(&self, state: &Value) -> Option<Passing> {
        read_state::<S>(state)
            .ok()
            .and_then(|state| S::passed(&state))
    }

    fn skip(&self, step: &str, state: &Value, by: &str) -> Value {
        let skipped = read_state::<S>(state).map(|mut state| {
            S::skip(&mut state, step, by);
            store(&state)
        });
        // A state that cannot be read stops the operation before this.
        match skipped {
            Ok(Ok(skipped)) => skipped,
            Ok(Err(_)) | Err(_) => state.clone(),
        }
    }

    fn todo(&self, plan: &Value, state: &Value, step: &str) -> String {
        match (read_plan::<S>(plan), read_state::<S>(state)) {
            (Ok(plan), Ok(state)) => S::todo(&plan, &state, step),
            _ => "Look at the gateway's containers on the host (`docker ps -a`), put them right, \
                       then free the gateway here. A panel of the release that began this operation \
                       could go on with it."
                .to_owned(),
        }
    }
}
