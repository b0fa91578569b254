//! The variables a compose file may name, and a note of each that it does.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use crate::error::ComposeError;
use crate::interpolate::{Problem, interpolate};
use crate::model::{VariableSource, VariableUse};
use crate::yaml::{Node, Value};

/// The caller's environment, which wins, and `.env`.
pub(crate) struct Variables {
    environment: BTreeMap<String, String>,
    dot_env: BTreeMap<String, String>,
    used: RefCell<BTreeMap<String, VariableUse>>,
}

impl Variables {
    pub(crate) fn new(
        environment: BTreeMap<String, String>,
        dot_env: BTreeMap<String, String>,
    ) -> Self {
        Self {
            environment,
            dot_env,
            used: RefCell::default(),
        }
    }

    /// Looks a name up without noting it.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.environment
            .get(name)
            .or_else(|| self.dot_env.get(name))
            .cloned()
    }

    /// Looks up a name that the compose file mentions on that line.
    pub(crate) fn mentioned(&self, name: &str, line: usize) -> Option<String> {
        let source = if self.environment.contains_key(name) {
            VariableSource::Environment
        } else if self.dot_env.contains_key(name) {
            VariableSource::DotEnv
        } else {
            VariableSource::Unset
        };
        self.used
            .borrow_mut()
            .entry(name.to_owned())
            .or_insert_with(|| VariableUse {
                source,
                lines: [].into(),
            })
            .lines
            .insert(line);
        self.get(name)
    }

    /// Compose offers the name of the project to the rest of the file.
    pub(crate) fn set_project_name(&mut self, name: &str) {
        self.environment
            .insert("COMPOSE_PROJECT_NAME".to_owned(), name.to_owned());
    }

    pub(crate) fn into_used(self) -> BTreeMap<String, VariableUse> {
        self.used.into_inner()
    }

    /// Replaces the references in one text of the compose file.
    pub(crate) fn replace(
        &self,
        text: &str,
        node: &Node,
        path: &str,
        file: &Path,
    ) -> Result<String, ComposeError> {
        let line = node.at.line;
        interpolate(text, &mut |name| self.mentioned(name, line)).map_err(|problem| match problem {
            Problem::Malformed(problem) => ComposeError::Interpolation {
                place: node.at.place(file),
                what: path.to_owned(),
                problem: problem.to_owned(),
            },
            Problem::Missing { name, message } => ComposeError::MissingVariable {
                place: node.at.place(file),
                name,
                message,
            },
        })
    }

    /// Replaces the references in every text of a tree, extension keys included, as compose does.
    /// Keys are never interpolated.
    pub(crate) fn replace_all(
        &self,
        node: &mut Node,
        path: &str,
        file: &Path,
    ) -> Result<(), ComposeError> {
        let replaced = match &node.value {
            Value::Text(text) if text.contains('$') => Some(self.replace(text, node, path, file)?),
            _ => None,
        };
        if let Some(text) = replaced {
            node.value = Value::Text(text);
        }
        match &mut node.value {
            Value::List(items) => {
                for item in items {
                    self.replace_all(item, path, file)?;
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    let key = crate::error::shown(&entry.key);
                    let path = if path.is_empty() {
                        key
                    } else {
                        format!("{path}.{key}")
                    };
                    self.replace_all(&mut entry.value, &path, file)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}
