//! The stories, one file each, and the book that finds them.
//!
//! Every file reads in the same order: what the plan and the state hold, the table of steps, their
//! bodies in the order of the table, tests.

mod accounts;
mod aside;
pub mod backup;
mod drain;
pub mod install;
pub mod install_plugin;
mod look;
pub mod reconnect;
pub mod recover;
pub mod recreate;
pub mod relink;
pub mod replace_link;
pub mod restart;
pub mod restore;
pub mod rotate_device;
pub mod rotate_key;
pub mod start;
pub mod stop;
#[cfg(test)]
mod tests;
pub mod unlink;
mod waiting;
pub mod wipe;

use std::sync::Arc;

use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::Command;

use crate::story::{AnyStory, Story, Told};

/// The stories an engine knows, by name.
#[derive(Clone)]
pub struct Book(Vec<Arc<dyn AnyStory>>);

impl Default for Book {
    fn default() -> Self {
        Self(vec![
            told::<reconnect::Reconnect>(),
            told::<relink::Relink>(),
            told::<replace_link::ReplaceLink>(),
            told::<unlink::Unlink>(),
            told::<wipe::Wipe>(),
            told::<restart::Restart>(),
            told::<recreate::Recreate>(),
            told::<install::Install>(),
            told::<install_plugin::InstallPlugin>(),
            told::<stop::Stop>(),
            told::<start::Start>(),
            told::<recover::Recover>(),
            told::<backup::BackUp>(),
            told::<restore::Restore>(),
            told::<rotate_key::RotateKey>(),
            told::<rotate_device::RotateDevice>(),
        ])
    }
}

fn told<S: Story>() -> Arc<dyn AnyStory> {
    Arc::new(Told::<S>::default())
}

impl Book {
    /// A book of these stories.
    pub fn of(stories: Vec<Arc<dyn AnyStory>>) -> Self {
        Self(stories)
    }

    /// The story of a command; `None` when this release has none.
    pub fn story(&self, command: &Command) -> Option<Arc<dyn AnyStory>> {
        self.0
            .iter()
            .find(|story| story.name() == command.name())
            .map(Arc::clone)
    }

    /// The names of all stories.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|story| story.name())
    }
}

/// A refusal: it cannot be done as things stand.
fn refused(kind: FaultKind, at: Boundary, why: impl Into<String>) -> Fault {
    Fault::new(kind, at, why)
}

/// A wait that was given up: trying the same again at once would not help.
fn gave_up(at: Boundary, why: impl Into<String>) -> Fault {
    Fault {
        retry: domain::fault::Retry::No,
        ..Fault::new(FaultKind::TimedOut, at, why)
    }
}
