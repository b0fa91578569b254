//! The log of rotations: a table in a Markdown file of the infrastructure's repository, a commit for each row.
//!
//! It works by the program `git`, in the folder where people work, too. So it commits that one file and nothing else,
//! touches no file that somebody has begun to change, runs none of the repository's hooks, never forces a push, and
//! puts the file back when no commit comes of it. Where the panel runs as root and the folder belongs to somebody else,
//! git runs as that somebody: what it writes stays theirs, and their settings do nothing that they could not do.

mod commit;
mod fault;
mod file;
mod place;
mod program;
mod push;
mod table;
mod tree;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::fault::{Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::ports::{LogAccess, LogLine, Logged, RotationLog};

pub use place::{Author, BadAuthor, BadLogFile, LogFile, Place, Push};

use fault::repository;
use tree::{Present, Tree};

/// The logs, one for each gateway that has one. Several gateways may share a file.
#[derive(Clone, Debug)]
pub struct GitLog {
    author: Author,
    places: BTreeMap<GatewayId, Place>,
    limit: Duration,
}

impl GitLog {
    /// Touches nothing yet.
    pub fn new(author: Author, places: impl IntoIterator<Item = (GatewayId, Place)>) -> Self {
        Self {
            author,
            places: places.into_iter().collect(),
            limit: program::LIMIT,
        }
    }

    /// The same, with another limit for each command of git.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

#[async_trait]
impl RotationLog for GitLog {
    async fn check(&self, gateway: &GatewayId) -> Result<LogAccess, Fault> {
        let Some(place) = self.places.get(gateway) else {
            return Ok(LogAccess::Off);
        };
        let tree = Tree::open(place, &self.author, self.limit).await?;
        tree.nothing_in_progress().await?;
        let committed = tree.committed().await?;
        tree.present(committed.as_deref(), None).await?;
        tree.may_write()?;
        Ok(LogAccess::Ready {
            file: tree.shown(),
            pushes: place.push == Push::ToUpstream,
        })
    }

    async fn append(&self, gateway: &GatewayId, line: LogLine) -> Result<Logged, Fault> {
        let place = self.places.get(gateway).ok_or_else(|| {
            let why = "No repository with a log is configured for this gateway (rotation_log_repository).";
            repository(FaultKind::NotOffered, why)
        })?;
        let tree = Tree::open(place, &self.author, self.limit).await?;
        let _alone = tree.lock().await?;
        let operation = line.operation.to_string();
        let committed = tree.committed().await?;
        if !table::holds(committed.as_deref().unwrap_or_default(), &operation) {
            tree.nothing_in_progress().await?;
            let row = table::row(&line);
            match tree.present(committed.as_deref(), Some(&operation)).await? {
                // A panel was killed between writing and committing.
                Present::LeftOver => tree.commit(&line, committed.as_deref(), None).await?,
                Present::AsCommitted(text) => {
                    tree.write(&table::insert(text.as_deref().unwrap_or_default(), &row))?;
                    tree.commit(&line, committed.as_deref(), text).await?;
                }
            }
        }
        let commit = tree.commit_of(&operation).await?;
        let note = match place.push {
            Push::Never => None,
            Push::ToUpstream => push::push(&tree).await?,
        };
        Ok(Logged { commit, note })
    }
}
