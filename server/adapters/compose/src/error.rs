//! What can be wrong with a compose file or an env file.
//!
//! Every sentence says where and what to do. None holds a value: a value may have come out of
//! `.env`, and the line number is enough to find it.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A place in a file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line.
    pub line: usize,
    /// The column, where known.
    pub column: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file.display(), self.line)?;
        match self.column {
            Some(column) => write!(f, ", column {column}"),
            None => Ok(()),
        }
    }
}

/// Why a project could not be read. Display is one sentence for the person who edits the file.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// Relative paths in the file would mean something else in every process.
    #[error("the compose folder `{}` is not an absolute path; give the full path", folder.display())]
    FolderNotAbsolute {
        /// The folder given.
        folder: PathBuf,
    },
    /// There is nothing to read.
    #[error(
        "no compose file in `{}`; put a docker-compose.yml there, or correct the folder of this gateway",
        folder.display()
    )]
    NoComposeFile {
        /// The folder searched.
        folder: PathBuf,
    },
    /// A file is there or should be there, but cannot be read.
    #[error("`{}` cannot be read; check that it exists and that the panel may read it", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not YAML.
    #[error("{place}: this is not valid YAML ({problem}); correct it")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser said.
        problem: String,
    },
    /// A key that compose does not know either.
    #[error("{place}: unknown key `{key}` in {within}; {advice}")]
    UnknownKey {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// The mapping it stands in, as in `services.web`.
        within: String,
        /// What to do.
        advice: String,
    },
    /// Something that compose knows and the panel does not do.
    #[error("{place}: {what} is not supported by the panel; {advice}")]
    Unsupported {
        /// Where.
        place: Place,
        /// The thing, as in "`secrets` in services.web".
        what: String,
        /// What to do.
        advice: String,
    },
    /// The same key twice: one of them would silently lose.
    #[error("{place}: `{key}` is already on line {first_line}; keep one of them")]
    DuplicateKey {
        /// Where the second one is.
        place: Place,
        /// The key.
        key: String,
        /// Where the first one is.
        first_line: usize,
    },
    /// A value of the wrong kind or form.
    #[error("{place}: {what} {problem}")]
    Invalid {
        /// Where.
        place: Place,
        /// The setting, as in `services.web.restart`.
        what: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// `${NAME:?message}` without a value.
    #[error(
        "{place}: `{name}` is missing a value{}; set it in `.env`",
        because(message)
    )]
    MissingVariable {
        /// Where.
        place: Place,
        /// The variable.
        name: String,
        /// The message of the file's author, as written.
        message: String,
    },
    /// A `$` that starts nothing.
    #[error("{place}: {what} {problem}; write `$$` for a plain dollar sign")]
    Interpolation {
        /// Where.
        place: Place,
        /// The setting.
        what: String,
        /// What is wrong.
        problem: String,
    },
    /// An env file that cannot be understood.
    #[error("{}: {source}", file.display())]
    EnvFile {
        /// The file.
        file: PathBuf,
        /// What and where.
        #[source]
        source: crate::env_file::EnvFileError,
    },
}

/// What the author of `${NAME:?message}` had to say, in brackets.
pub(crate) fn because(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(" ({message})")
    }
}

/// A name from a file, fit for a sentence: cut where a value could begin, and short.
pub(crate) fn shown(name: &str) -> String {
    const MOST: usize = 60;
    let end = name.find(|c: char| c == '=' || c.is_whitespace() || c.is_control());
    let mut shown: String = name[..end.unwrap_or(name.len())]
        .chars()
        .take(MOST)
        .collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    shown
}
