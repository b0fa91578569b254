//! Where a log is and in whose name it is written: checked before anything becomes a path or an argument.

use core::fmt;
use core::str::FromStr;
use std::path::{Path, PathBuf};

/// A log, and what becomes of its commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The top folder of a clone.
    pub repository: PathBuf,
    /// The file in it.
    pub file: LogFile,
    /// Whether commits are pushed.
    pub push: Push,
}

/// Whether commits are pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    /// They stay where they are.
    Never,
    /// To the branch that the present one follows; never by force.
    ToUpstream,
}

/// A path that cannot be that of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give a path inside the repository, for example docs/secrets-rotation-log.md")]
pub struct BadLogFile;

/// A file's path inside a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile(String);

impl LogFile {
    /// What the workbook names.
    pub const DEFAULT: &'static str = "docs/secrets-rotation-log.md";

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn within(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }

    /// Each folder on the way, from the top, and the file at the end.
    pub(crate) fn way(&self, folder: &Path) -> Vec<PathBuf> {
        let mut at = folder.to_owned();
        let step = |part| {
            at.push(part);
            at.clone()
        };
        self.0.split('/').map(step).collect()
    }
}

impl FromStr for LogFile {
    type Err = BadLogFile;

    fn from_str(given: &str) -> Result<Self, BadLogFile> {
        let plain = |part: &str| {
            !matches!(part, "" | "." | "..")
                && !part.eq_ignore_ascii_case(".git")
                && !part.contains(|c: char| c.is_control() || c == '\\')
        };
        if given.len() <= 255 && given.split('/').all(plain) {
            Ok(Self(given.to_owned()))
        } else {
            Err(BadLogFile)
        }
    }
}

/// A name that cannot be an author's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give a name and an address, for example OpenClaw Panel <panel@example.org>")]
pub struct BadAuthor;

/// In whose name commits are made: `OpenClaw Panel <panel@example.org>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    pub(crate) name: String,
    pub(crate) email: String,
}

impl FromStr for Author {
    type Err = BadAuthor;

    fn from_str(given: &str) -> Result<Self, BadAuthor> {
        let inside = given.trim().strip_suffix('>').ok_or(BadAuthor)?;
        let (name, email) = inside.split_once('<').ok_or(BadAuthor)?;
        let name = name.trim();
        let strange = |c: char| c.is_control() || matches!(c, '<' | '>');
        let name_fits = name.chars().any(char::is_alphanumeric)
            && !given.contains(char::is_control)
            && !name.contains(strange);
        let email_fits = email
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
            && !email.contains(|c: char| c.is_whitespace() || strange(c));
        if name_fits && email_fits {
            Ok(Self {
                name: name.to_owned(),
                email: email.to_owned(),
            })
        } else {
            Err(BadAuthor)
        }
    }
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <{}>", self.name, self.email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_inside_the_repository() {
        assert!(LogFile::DEFAULT.parse::<LogFile>().is_ok());
        for bad in [
            "",
            "/etc/passwd",
            "../log.md",
            "docs/../../log.md",
            "docs//log.md",
            "docs/",
            "./log.md",
            ".git/config",
            "docs/.GIT/x",
            "docs\\..\\x",
            "a\nb",
        ] {
            assert!(bad.parse::<LogFile>().is_err(), "{bad:?}");
        }
        let file: LogFile = "docs/ops/log.md".parse().unwrap();
        let way = file.way(Path::new("/r"));
        assert_eq!(
            way,
            ["/r/docs", "/r/docs/ops", "/r/docs/ops/log.md"].map(PathBuf::from)
        );
    }

    #[test]
    fn an_author_has_a_name_and_an_address() {
        let author: Author = "OpenClaw Panel <panel@vps-i1>".parse().unwrap();
        assert_eq!(author.to_string(), "OpenClaw Panel <panel@vps-i1>");
        for bad in [
            "",
            "panel@example.org",
            "<panel@example.org>",
            "Panel <>",
            "Panel <panel>",
            "Panel <a b@c>",
            "Panel\n<a@b>",
            "Panel <a@b> <c@d>",
        ] {
            assert!(bad.parse::<Author>().is_err(), "{bad:?}");
        }
    }
}
