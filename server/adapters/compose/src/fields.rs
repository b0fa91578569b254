//! Reading the tree strictly: every key is asked for, or it is an error.

mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::error::{ComposeError, shown};
use crate::units;
use crate::yaml::{Entry, Mark, Node, Value};

pub(crate) use table::Table;

/// A value and what to call it in an error.
#[derive(Clone)]
pub(crate) struct Field<'a> {
    pub(crate) file: &'a Path,
    /// As in `services.web.ports`.
    pub(crate) path: String,
    pub(crate) node: &'a Node,
}

/// An entry of a list or mapping of `NAME: value` pairs.
pub(crate) struct Pair<'a> {
    pub(crate) name: &'a str,
    /// `None` for a name alone.
    pub(crate) value: Option<String>,
    pub(crate) at: Mark,
}

impl<'a> Field<'a> {
    pub(crate) fn root(file: &'a Path, node: &'a Node) -> Self {
        Self {
            file,
            path: "the file".to_owned(),
            node,
        }
    }

    fn child(&self, key: &str, node: &'a Node) -> Self {
        let key = shown(key);
        let path = if self.path == "the file" {
            key
        } else {
            format!("{}.{key}", self.path)
        };
        Self {
            file: self.file,
            path,
            node,
        }
    }

    pub(crate) fn invalid(&self, problem: impl Into<String>) -> ComposeError {
        ComposeError::Invalid {
            place: self.node.at.place(self.file),
            what: self.path.clone(),
            problem: problem.into(),
        }
    }

    pub(crate) fn unsupported(&self, what: &str, advice: &str) -> ComposeError {
        ComposeError::Unsupported {
            place: self.node.at.place(self.file),
            what: format!("{what} in {}", self.path),
            advice: advice.to_owned(),
        }
    }

    fn expected(&self, expected: &str) -> ComposeError {
        let hint = match self.node.value {
            Value::Null => "; give it a value or remove the key",
            Value::Date => "; put it in quotes",
            Value::Flag(_) | Value::Whole(_) | Value::Number(_) if expected == "text" => {
                "; put it in quotes"
            }
            _ => "",
        };
        self.invalid(format!(
            "must be {expected} and is {}{hint}",
            self.node.value.kind()
        ))
    }

    pub(crate) fn is_null(&self) -> bool {
        self.node.value == Value::Null
    }

    pub(crate) fn text(&self) -> Result<&'a str, ComposeError> {
        match &self.node.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.expected("text")),
        }
    }

    /// Text, where compose takes an empty one for none, as in `user: ${APP_USER:-}`.
    pub(crate) fn some_text(&self) -> Result<Option<String>, ComposeError> {
        self.text()
            .map(|text| (!text.is_empty()).then(|| text.to_owned()))
    }

    /// Any scalar as text; `None` for nothing at all.
    pub(crate) fn scalar(&self) -> Result<Option<String>, ComposeError> {
        match &self.node.value {
            Value::Null => Ok(None),
            value => value
                .scalar_text()
                .map(Some)
                .ok_or_else(|| self.expected("text or a number")),
        }
    }

    pub(crate) fn flag(&self) -> Result<bool, ComposeError> {
        match &self.node.value {
            Value::Flag(flag) => Ok(*flag),
            Value::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "y" | "yes" | "on" => Ok(true),
                "false" | "n" | "no" | "off" => Ok(false),
                _ => Err(self.invalid("must be `true` or `false`")),
            },
            _ => Err(self.expected("`true` or `false`")),
        }
    }

    /// A whole number, also one that came out of a variable.
    pub(crate) fn whole(&self) -> Result<i64, ComposeError> {
        match &self.node.value {
            Value::Whole(number) => {
                i64::try_from(*number).map_err(|_| self.invalid("is too large a number"))
            }
            Value::Text(text) => text
                .parse()
                .map_err(|_| self.invalid("must be a whole number")),
            _ => Err(self.expected("a whole number")),
        }
    }

    /// A whole number of a smaller type.
    pub(crate) fn small<T: TryFrom<i64>>(&self) -> Result<T, ComposeError> {
        let number = self.whole()?;
        T::try_from(number).map_err(|_| self.invalid("is out of range"))
    }

    /// A size, as in `512m`.
    pub(crate) fn bytes(&self) -> Result<u64, ComposeError> {
        let problem = "must be a size, as in `512m`, `2g` or a number of bytes";
        match &self.node.value {
            Value::Whole(number) => u64::try_from(*number).map_err(|_| self.invalid(problem)),
            Value::Text(text) => units::bytes(text).ok_or_else(|| self.invalid(problem)),
            _ => Err(self.expected("a size, as in `512m`,")),
        }
    }

    pub(crate) fn duration(&self) -> Result<Duration, ComposeError> {
        match &self.node.value {
            Value::Text(text) => units::duration(text)
                .ok_or_else(|| self.invalid("must be a duration, as in `10s` or `1m30s`")),
            _ => Err(self.expected("a duration, as in `10s`,")),
        }
    }

    /// A number of CPUs, as in `0.5`, in billionths.
    pub(crate) fn nano_cpus(&self) -> Result<u64, ComposeError> {
        let number = self.scalar()?.unwrap_or_default();
        units::nano_cpus(&number)
            .ok_or_else(|| self.invalid("must be a number of CPUs, as in `0.5` or `2`"))
    }

    pub(crate) fn list(&self) -> Result<Vec<Field<'a>>, ComposeError> {
        let Value::List(items) = &self.node.value else {
            return Err(self.expected("a list"));
        };
        Ok(items
            .iter()
            .map(|node| Field {
                node,
                ..self.clone()
            })
            .collect())
    }

    /// A list of texts without repetition.
    pub(crate) fn texts(&self) -> Result<Vec<String>, ComposeError> {
        let mut texts: Vec<String> = Vec::new();
        for item in self.list()? {
            let text = item.text()?;
            if texts.iter().any(|other| other == text) {
                return Err(item.invalid("has the same entry twice; keep one of them"));
            }
            texts.push(text.to_owned());
        }
        Ok(texts)
    }

    /// One text or a list of them; empty ones are left out.
    pub(crate) fn text_or_texts(&self) -> Result<Vec<String>, ComposeError> {
        let mut texts = match &self.node.value {
            Value::Text(text) => vec![text.clone()],
            _ => self.texts()?,
        };
        texts.retain(|text| !text.is_empty());
        Ok(texts)
    }

    /// A mapping whose keys are names given by the author.
    pub(crate) fn named(&self) -> Result<Vec<(&'a str, Field<'a>)>, ComposeError> {
        Ok(self
            .entries()?
            .iter()
            .map(|entry| self.entry(entry))
            .collect())
    }

    fn entry(&self, entry: &'a Entry) -> (&'a str, Field<'a>) {
        (&entry.key, self.child(&entry.key, &entry.value))
    }

    fn entries(&self) -> Result<&'a [Entry], ComposeError> {
        match &self.node.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.expected("a mapping")),
        }
    }

    /// `{NAME: value}` or `["NAME=value"]`.
    pub(crate) fn pairs(&self) -> Result<Vec<Pair<'a>>, ComposeError> {
        let Value::List(_) = self.node.value else {
            return self
                .entries()
                .map_err(|_| self.expected("a mapping or a list"))?
                .iter()
                .map(|entry| {
                    let (name, field) = self.entry(entry);
                    Ok(Pair {
                        name,
                        value: field.scalar()?,
                        at: entry.at,
                    })
                })
                .collect();
        };
        let mut pairs: Vec<Pair<'a>> = Vec::new();
        for item in self.list()? {
            let (name, value) = match item.text()?.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (item.text()?, None),
            };
            if name.is_empty() || name.ends_with(char::is_whitespace) {
                return Err(item.invalid("has an entry whose name is empty or ends in a blank"));
            }
            if let Some(first) = pairs.iter().find(|pair| pair.name == name) {
                let line = first.at.line;
                return Err(
                    item.invalid(format!("sets a name again that line {line} sets; keep one"))
                );
            }
            pairs.push(Pair {
                name,
                value,
                at: item.node.at,
            });
        }
        Ok(pairs)
    }

    /// `{NAME: value}` or `["NAME=value"]`, where a name alone has an empty value.
    pub(crate) fn labels(&self) -> Result<BTreeMap<String, String>, ComposeError> {
        let pairs = self.pairs()?;
        Ok(pairs
            .into_iter()
            .map(|pair| (pair.name.to_owned(), pair.value.unwrap_or_default()))
            .collect())
    }

    /// `{name: value}` only, as for driver options.
    pub(crate) fn options(&self) -> Result<BTreeMap<String, String>, ComposeError> {
        self.named()?
            .into_iter()
            .map(|(name, field)| Ok((name.to_owned(), field.scalar()?.unwrap_or_default())))
            .collect()
    }

    pub(crate) fn table(&self) -> Result<Table<'a>, ComposeError> {
        Ok(Table::new(self.clone(), self.entries()?))
    }
}
