//! A clone as it lies there, and the log in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::fault::{Fault, FaultKind};
use nix::unistd::Uid;

use crate::fault::{self, complaint, repository};
use crate::file::{self, LARGEST, Owner};
use crate::place::{Author, LogFile, Place};
use crate::program::{Git, as_owner, may_write};
use crate::table;

/// What is in progress, by what git keeps of it in its folder.
const IN_PROGRESS: [(&str, &str); 6] = [
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
];

/// The lock of those who write the log; git has its own for the rest.
const LOCK: &str = "openclaw-panel.lock";
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(300);

pub(crate) struct Tree {
    pub(crate) git: Git,
    pub(crate) file: LogFile,
    /// Git's own folder.
    inner: PathBuf,
    pub(crate) owner: Owner,
}

/// How the file lies there, where it may be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Present {
    /// As in the last commit, but for how lines end; not at all where it was never committed.
    AsCommitted(Option<String>),
    /// With the operation's row, which is not committed yet, and no other change.
    LeftOver,
}

impl Tree {
    pub(crate) async fn open(
        place: &Place,
        author: &Author,
        limit: Duration,
    ) -> Result<Self, Fault> {
        let shown = place.repository.display();
        let none = |why: &str| {
            let why = format!(
                "{shown} {why}. Clone the repository there, or correct rotation_log_repository."
            );
            repository(FaultKind::NotFound, why)
        };
        let folder = fs::canonicalize(&place.repository).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => none("does not exist"),
            _ => fault::file("opening", &place.repository, &error),
        })?;
        let seen =
            fs::metadata(&folder).map_err(|error| fault::file("opening", &folder, &error))?;
        let owner = Owner {
            user: seen.uid(),
            group: seen.gid(),
        };
        let git = Git {
            folder,
            author: author.clone(),
            as_owner: as_owner(owner),
            limit,
        };
        let said = git
            .run(&["rev-parse", "--is-inside-work-tree", "--absolute-git-dir"])
            .await?;
        let lines = said.line();
        let inner = match lines.split_once('\n') {
            Some(("true", inner)) if said.is_success() => PathBuf::from(inner),
            _ => return Err(none("is not the top folder of a clone with its files")),
        };
        Ok(Self {
            git,
            file: place.file.clone(),
            inner,
            owner,
        })
    }

    /// The file with its whole path, for people.
    pub(crate) fn shown(&self) -> String {
        self.path().display().to_string()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.file.within(&self.git.folder)
    }

    pub(crate) fn folder(&self) -> std::path::Display<'_> {
        self.git.folder.display()
    }

    /// Nobody else's log is written at the same time, by whichever panel.
    pub(crate) async fn lock(&self) -> Result<File, Fault> {
        let path = self.inner.join(LOCK);
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o664)
            .open(&path)
            .and_then(|file| {
                if self.git.as_owner.is_some() {
                    fchown(&file, Some(self.owner.user), Some(self.owner.group))?;
                }
                Ok(file)
            });
        let file = opened.map_err(|error| fault::file("opening", &path, &error))?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
                Err(TryLockError::Error(error)) => {
                    return Err(fault::file("locking", &path, &error));
                }
            }
        }
        let why = format!(
            "Another panel has been writing the log in {} for 30 s. Try again.",
            self.folder()
        );
        Err(repository(FaultKind::TimedOut, why))
    }

    /// A commit now would be one on a branch, and no part of something else.
    pub(crate) async fn nothing_in_progress(&self) -> Result<(), Fault> {
        let folder = self.folder();
        for (mark, what) in IN_PROGRESS {
            if self.inner.join(mark).exists() {
                let why = format!(
                    "A {what} is in progress in {folder}. Finish it or abort it, then try again."
                );
                return Err(repository(FaultKind::Invalid, why));
            }
        }
        if self.branch().await?.is_none() {
            let why = format!(
                "No branch is checked out in {folder} (a detached HEAD). Check out the branch of the log, then try again."
            );
            return Err(repository(FaultKind::Invalid, why));
        }
        Ok(())
    }

    /// The branch that is checked out; `None` when there is none.
    pub(crate) async fn branch(&self) -> Result<Option<String>, Fault> {
        let asked = ["symbolic-ref", "--quiet", "--short", "HEAD"];
        let said = self.git.run(&asked).await?;
        if said.is_success() || said.is_no() {
            Ok(said.is_success().then(|| said.line()))
        } else {
            Err(self.git.broken(&said))
        }
    }

    /// The log of the last commit, as it is checked out here; `None` when that has none.
    pub(crate) async fn committed(&self) -> Result<Option<String>, Fault> {
        let head = self
            .git
            .run(&["rev-parse", "--quiet", "--verify", "HEAD^{commit}"])
            .await?;
        if !head.is_success() {
            return Ok(None);
        }
        let file = self.file.as_str();
        let listed = self.git.ask(&["ls-tree", "-l", "HEAD", "--", file]).await?;
        // `100644 blob ID SIZE<tab>path`
        let about: Vec<&str> = listed.split_whitespace().take(4).collect();
        let (id, size) = match about.as_slice() {
            [] => return Ok(None),
            ["100644" | "100755", "blob", id, size] => (*id, size.parse().unwrap_or(u64::MAX)),
            _ => return Err(self.no_file()),
        };
        let path = self.path();
        if size > LARGEST {
            return file::text(vec![0; usize::try_from(LARGEST).unwrap_or(0) + 1], &path).map(Some);
        }
        let wanted = format!("--path={file}");
        let said = self
            .git
            .run(&["cat-file", "--filters", &wanted, id])
            .await?;
        if !said.is_success() {
            let why = format!(
                "git cannot read {}: {}.",
                path.display(),
                complaint(&said.err)
            );
            return Err(repository(FaultKind::Unexpected, why));
        }
        file::text(said.out, &path).map(Some)
    }

    /// How the file lies there. Fails unless it is as it was committed, or has the operation's row besides.
    pub(crate) async fn present(
        &self,
        committed: Option<&str>,
        operation: Option<&str>,
    ) -> Result<Present, Fault> {
        self.no_way_out()?;
        let (path, file) = (self.path(), self.file.as_str());
        let shown = path.display();
        let plain = |text: &str| text.replace('\r', "");
        let text = file::read(&path)?;
        if let (Some(text), Some(operation)) = (&text, operation)
            && let Some(row) = table::row_of(text, operation)
            && plain(&table::insert(committed.unwrap_or_default(), row)) == plain(text)
        {
            return Ok(Present::LeftOver);
        }
        let status = self
            .git
            .ask(&[
                "status",
                "--porcelain",
                "--untracked-files=all",
                "--ignored=matching",
                "--",
                file,
            ])
            .await?;
        let invalid = |why: String| Err(repository(FaultKind::Invalid, why));
        match (status.get(..2), &text) {
            (None, None) if committed.is_some() => invalid(format!(
                "{shown} is committed, but not checked out. Check it out (git sparse-checkout), then try again."
            )),
            (None, None) if self.is_ignored().await? => self.ignored(),
            (None, _) => Ok(Present::AsCommitted(text)),
            (Some("??"), _) => invalid(format!(
                "{shown} was never committed. Commit it, or move it away, then try again."
            )),
            (Some("!!"), _) => self.ignored(),
            (Some("UU" | "AA" | "DD" | "AU" | "UA" | "DU" | "UD"), _) => invalid(format!(
                "{shown} has a conflict that nobody has resolved. Resolve and commit it, then try again."
            )),
            (Some(_), None) => invalid(format!(
                "{shown} was deleted, and that is not committed. Commit that or restore the file, then try again."
            )),
            (Some(_), Some(_)) => invalid(format!(
                "{shown} has changes that are not committed. Commit them or put them away, then try again."
            )),
        }
    }

    async fn is_ignored(&self) -> Result<bool, Fault> {
        let asked = ["check-ignore", "--quiet", "--", self.file.as_str()];
        let said = self.git.run(&asked).await?;
        if said.is_success() || said.is_no() {
            Ok(said.is_success())
        } else {
            Err(self.git.broken(&said))
        }
    }

    fn ignored<T>(&self) -> Result<T, Fault> {
        let why = format!(
            "The repository ignores {} (.gitignore). Take it out of there, or choose another rotation_log_file.",
            self.shown()
        );
        Err(repository(FaultKind::Invalid, why))
    }

    /// Neither a folder on the way nor the file leads out of the repository.
    fn no_way_out(&self) -> Result<(), Fault> {
        let way = self.file.way(&self.git.folder);
        let last = way.len().saturating_sub(1);
        for (at, path) in way.iter().enumerate() {
            let seen = match fs::symlink_metadata(path) {
                Ok(seen) => seen,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(fault::file("looking at", path, &error)),
            };
            let fits = if at == last {
                seen.is_file()
            } else {
                seen.is_dir()
            };
            if !fits {
                return Err(self.no_file());
            }
        }
        Ok(())
    }

    fn no_file(&self) -> Fault {
        let why = format!(
            "{} is no plain file in plain folders of the repository: a link or something else is on the way. Choose \
             another rotation_log_file.",
            self.shown()
        );
        repository(FaultKind::Invalid, why)
    }

    /// Whether the panel's user could write what has to be written.
    pub(crate) fn may_write(&self) -> Result<(), Fault> {
        let path = self.path();
        let there = path.ancestors().skip(1).find(|at| at.exists());
        let objects = self.git.folder.join(".git/objects");
        let needed = [
            Some(self.inner.as_path()),
            objects.exists().then_some(&*objects),
            there,
        ];
        let refused = |at: &Path, what: &str| {
            let why = format!(
                "The panel's user may not {what} {}. Make it the owner of the clone.",
                at.display()
            );
            Err(repository(FaultKind::Refused, why))
        };
        if let Some(at) = needed.into_iter().flatten().find(|at| !may_write(at)) {
            return refused(at, "write in");
        }
        // Only root can give a file that is written anew back to its owner.
        let me = Uid::effective();
        match fs::metadata(&path) {
            Ok(seen) if !me.is_root() && seen.uid() != me.as_raw() => {
                refused(&path, "keep the owner of")
            }
            _ => Ok(()),
        }
    }
}
