//! Writing the log and committing it, and putting it back when no commit comes of it.

use std::fs;

use domain::fault::{Fault, FaultKind};
use domain::ports::LogLine;

use crate::fault::{self, complaint, repository};
use crate::file;
use crate::table;
use crate::tree::Tree;

impl Tree {
    /// Writes the file, in folders that are made where they are missing.
    pub(crate) fn write(&self, text: &str) -> Result<(), Fault> {
        let path = self.path();
        let made = match path.parent() {
            Some(folder) => file::make_folders(folder, self.owner)?,
            None => Vec::new(),
        };
        file::write(&path, text, self.owner).inspect_err(|_| file::remove_folders(&made))
    }

    /// Commits the file. When no commit comes of it, the file is as `before` again, or else as it was committed.
    pub(crate) async fn commit(
        &self,
        line: &LogLine,
        committed: Option<&str>,
        before: Option<String>,
    ) -> Result<(), Fault> {
        let Err(failed) = self.try_commit(line, committed).await else {
            return Ok(());
        };
        // Its answer may be all that failed.
        if let Ok(Some(after)) = self.committed().await
            && table::holds(&after, &line.operation.to_string())
        {
            return Ok(());
        }
        let before = before.or_else(|| committed.map(str::to_owned));
        match self.put_back(before).await {
            Ok(()) => Err(failed),
            Err(worse) => {
                let why = format!(
                    "{} The log could not be put back, either: {}",
                    failed.message, worse.message
                );
                Err(repository(failed.kind, why))
            }
        }
    }

    async fn try_commit(&self, line: &LogLine, before: Option<&str>) -> Result<(), Fault> {
        let file = self.file.as_str();
        if before.is_none() {
            let said = self
                .git
                .run(&["add", "--intent-to-add", "--", file])
                .await?;
            if !said.is_success() {
                return Err(self.refused(&said.err));
            }
        }
        let message = message(line);
        let arguments = [
            "commit",
            "--only",
            "--quiet",
            "--no-verify",
            "--no-gpg-sign",
            "--cleanup=whitespace",
            "--message",
            &message,
            "--",
            file,
        ];
        let seconds = line.at.as_millis().div_euclid(1000);
        let said = self.git.run_at(seconds, &arguments).await?;
        if said.is_success() {
            return Ok(());
        }
        Err(self.refused(&said.err))
    }

    async fn put_back(&self, before: Option<String>) -> Result<(), Fault> {
        let path = self.path();
        if let Some(text) = before {
            return file::write(&path, &text, self.owner);
        }
        let file = self.file.as_str();
        // Forgets that it was to be added; the next commit of somebody else must not meet it.
        self.git
            .run(&[
                "rm",
                "--cached",
                "--quiet",
                "--force",
                "--ignore-unmatch",
                "--",
                file,
            ])
            .await?;
        fs::remove_file(&path).map_err(|error| fault::file("removing", &path, &error))?;
        let mut folders = self.file.way(&self.git.folder);
        folders.pop();
        file::remove_folders(&folders);
        Ok(())
    }

    fn refused(&self, stderr: &str) -> Fault {
        let folder = self.folder();
        let said = |what: &str| stderr.contains(what);
        if said("index.lock") || said("HEAD.lock") {
            let why = format!(
                "Another git is at work in {folder}, or has died there. Try again; if it stays so, remove the file \
                 that ends in .lock from its .git."
            );
            return repository(FaultKind::Refused, why).retryable();
        }
        if said("No space left") || said("Disk quota") {
            let why = format!(
                "There is no room for a commit in {folder}. Free some disk space, then try again."
            );
            return repository(FaultKind::Refused, why);
        }
        if said("ermission") || said("Read-only file system") {
            let why = format!(
                "git may not write in {folder}. Make the panel's user the owner of the clone."
            );
            return repository(FaultKind::Refused, why);
        }
        let why = format!(
            "git could not commit the log in {folder}: {}.",
            complaint(stderr)
        );
        repository(FaultKind::Unexpected, why)
    }

    /// The short id of the commit that brought the operation's row.
    pub(crate) async fn commit_of(&self, operation: &str) -> Result<String, Fault> {
        let file = self.file.as_str();
        let trailer = format!("Operation: {operation}");
        let by_message = [
            "log",
            "-1",
            "--format=%h",
            "--fixed-strings",
            "--grep",
            &trailer,
            "--",
            file,
        ];
        let found = self.git.ask(&by_message).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        // A row that a person has written.
        self.git
            .ask(&["log", "-1", "--format=%h", "-S", operation, "--", file])
            .await
    }
}

fn message(line: &LogLine) -> String {
    let credential: String = line
        .credential
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(60)
        .collect();
    let operation = line.operation;
    format!(
        "Log the rotation of {}\n\nOperation: {operation}\n",
        credential.trim()
    )
}
