//! The `.env` file, as docker compose reads it, and changed without touching anything else.
//!
//! Secrets live here, so neither `Debug` nor an error shows a value.

mod parse;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::error::because;
use crate::interpolate::{Problem, interpolate};
use value::Quote;

/// An env file in parts that, put together, are the file byte for byte.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvFile {
    parts: Vec<Part>,
}

/// A stretch of the file.
#[derive(Clone, PartialEq, Eq)]
enum Part {
    /// Blank lines, comments, a byte order mark.
    Filling(String),
    /// `NAME` alone: taken over from the environment, if it has it.
    Inherited {
        line: usize,
        name: String,
        text: String,
    },
    /// `NAME=value`.
    Assignment(Assignment),
}

#[derive(Clone, PartialEq, Eq)]
struct Assignment {
    line: usize,
    name: String,
    /// Indentation, `export`, the name and the sign, up to the value.
    before: String,
    quote: Quote,
    /// The value as written, without its quotes.
    raw: String,
    /// A comment, blanks and the line end.
    after: String,
}

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
    /// A `${NAME:?message}` without a value.
    #[error(
        "line {line}: `{name}` is missing a value{}; set it above that line",
        because(message)
    )]
    MissingVariable {
        /// Counted from 1.
        line: usize,
        /// The variable.
        name: String,
        /// The message of the file's author, as written.
        message: String,
    },
    /// No line sets the variable.
    #[error("no line sets `{name}`; add a line `{name}=` first")]
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
    /// No way of writing it would be read back the same.
    #[error("the new value of `{name}` cannot be written to an env file: {problem}")]
    Unwritable {
        /// The variable.
        name: String,
        /// What about it.
        problem: &'static str,
    },
}

impl EnvFile {
    /// Takes a file apart. Values are only looked at by [`EnvFile::values`].
    pub fn parse(text: &str) -> Result<Self, EnvFileError> {
        parse::parse(text).map(|parts| Self { parts })
    }

    /// Each name and its line, in the order of the file; a name may come twice.
    pub fn names(&self) -> impl Iterator<Item = (&str, usize)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Filling(_) => None,
            Part::Inherited { line, name, .. } => Some((name.as_str(), *line)),
            Part::Assignment(assignment) => Some((assignment.name.as_str(), assignment.line)),
        })
    }

    /// The variables of the file. References are looked up in `environment` first, then among the
    /// lines above; a name that comes twice has its last value.
    pub fn values(
        &self,
        environment: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, EnvFileError> {
        let mut values = BTreeMap::new();
        self.values_onto(&mut values, &|name| environment.get(name).cloned())?;
        Ok(values)
    }

    /// Adds the variables of the file to `values`, which also answer its references.
    pub(crate) fn values_onto(
        &self,
        values: &mut BTreeMap<String, String>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), EnvFileError> {
        for part in &self.parts {
            match part {
                Part::Filling(_) => {}
                Part::Inherited { name, .. } => {
                    if let Some(value) = environment(name) {
                        values.insert(name.clone(), value);
                    }
                }
                Part::Assignment(assignment) => {
                    let value = assignment.value(values, environment)?;
                    values.insert(assignment.name.clone(), value);
                }
            }
        }
        Ok(())
    }

    /// Gives a variable a new value, taken literally. Nothing else of the file changes, and it must
    /// be set on exactly one line.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), EnvFileError> {
        let lines: BTreeSet<usize> = self
            .names()
            .filter(|(other, _)| *other == name)
            .map(|(_, line)| line)
            .collect();
        if lines.len() > 1 {
            return Err(EnvFileError::Ambiguous {
                name: name.to_owned(),
                lines: lines.into_iter().collect(),
            });
        }
        let assignment = self.parts.iter_mut().find_map(|part| match part {
            Part::Assignment(assignment) if assignment.name == name => Some(assignment),
            _ => None,
        });
        let Some(assignment) = assignment else {
            return Err(EnvFileError::NotThere {
                name: name.to_owned(),
            });
        };
        let (quote, raw) =
            value::write(assignment.quote, value, &assignment.after).map_err(|problem| {
                EnvFileError::Unwritable {
                    name: name.to_owned(),
                    problem,
                }
            })?;
        assignment.quote = quote;
        assignment.raw = raw;
        Ok(())
    }
}

impl Assignment {
    fn value(
        &self,
        values: &BTreeMap<String, String>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<String, EnvFileError> {
        let Some(template) = value::template(self.quote, &self.raw) else {
            return Ok(value::literal(&self.raw));
        };
        interpolate(&template, &mut |name| {
            environment(name).or_else(|| values.get(name).cloned())
        })
        .map_err(|problem| match problem {
            Problem::Malformed(problem) => EnvFileError::Syntax {
                line: self.line,
                problem: format!(
                    "`{}` {problem}; write the value in single quotes if it is meant literally",
                    crate::error::shown(&self.name)
                ),
            },
            Problem::Missing { name, message } => EnvFileError::MissingVariable {
                line: self.line,
                name,
                message,
            },
        })
    }
}

/// The whole file.
impl fmt::Display for EnvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Filling(text) | Part::Inherited { text, .. } => f.write_str(text)?,
                Part::Assignment(Assignment {
                    before,
                    quote,
                    raw,
                    after,
                    ..
                }) => {
                    let quote = quote.text();
                    write!(f, "{before}{quote}{raw}{quote}{after}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for EnvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names().map(|(name, _)| name).collect();
        f.debug_struct("EnvFile")
            .field("names", &names)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
