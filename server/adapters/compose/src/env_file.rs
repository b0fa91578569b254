//! The `.env` file, as docker compose reads it, and changed without touching anything else.

/// Why an env file could not be read or changed. Holds no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvFileError {
    /// The text is not an env file.
    #[error("line {line}: {problem}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// No line sets the variable.
    #[error("no line sets `{name}`; add one")]
    NotThere {
        /// The variable.
        name: String,
    },
    /// Several lines set the variable, so changing one could change nothing.
    #[error("`{name}` is set on lines {lines:?}; keep one of them")]
    Ambiguous {
        /// The variable.
        name: String,
        /// The lines.
        lines: Vec<usize>,
    },
}
