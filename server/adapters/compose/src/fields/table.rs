//! Mappings with fixed keys.

use std::collections::BTreeSet;

use super::Field;
use crate::error::{ComposeError, shown};
use crate::yaml::Entry;

/// A mapping whose keys are fixed. Ask for each with [`Table::take`], then call [`Table::finish`].
pub(crate) struct Table<'a> {
    field: Field<'a>,
    entries: &'a [Entry],
    known: BTreeSet<&'static str>,
}

impl<'a> Table<'a> {
    pub(super) fn new(field: Field<'a>, entries: &'a [Entry]) -> Self {
        Self {
            field,
            entries,
            known: BTreeSet::new(),
        }
    }

    pub(crate) fn take(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.known.insert(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(self.field.child(key, &entry.value))
    }

    /// The value of a key, read by `read`; `None` when the key is not there.
    pub(crate) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Field<'a>) -> Result<T, ComposeError>,
    ) -> Result<Option<T>, ComposeError> {
        self.take(key).map(|field| read(&field)).transpose()
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Result<Option<String>, ComposeError> {
        self.read(key, Field::some_text).map(Option::flatten)
    }

    pub(crate) fn flag(&mut self, key: &'static str) -> Result<bool, ComposeError> {
        self.read(key, Field::flag).map(Option::unwrap_or_default)
    }

    /// The value of a key, or the default of its type when the key is not there.
    pub(crate) fn or_default<T: Default>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Field<'a>) -> Result<T, ComposeError>,
    ) -> Result<T, ComposeError> {
        self.read(key, read).map(Option::unwrap_or_default)
    }

    /// Keys that compose knows and the panel does not carry out, each with what to do.
    pub(crate) fn refuse(
        &mut self,
        keys: &[(&'static str, &'static str)],
    ) -> Result<(), ComposeError> {
        for (key, advice) in keys {
            self.known.insert(key);
            if let Some(entry) = self.entries.iter().find(|entry| entry.key == *key) {
                return Err(ComposeError::Unsupported {
                    place: entry.at.place(self.field.file),
                    what: format!("`{key}` in {}", self.field.path),
                    advice: (*advice).to_owned(),
                });
            }
        }
        Ok(())
    }

    /// No key may be left that nobody asked for. Extension keys, `x-…`, are nobody's business.
    pub(crate) fn finish(self) -> Result<(), ComposeError> {
        let unknown = self
            .entries
            .iter()
            .find(|entry| !entry.key.starts_with("x-") && !self.known.contains(entry.key.as_str()));
        let Some(entry) = unknown else { return Ok(()) };
        let near = self
            .known
            .iter()
            .map(|known| (distance(known, &entry.key), known))
            .min();
        let advice = match near {
            Some((0..=2, known)) => format!("did you mean `{known}`?"),
            _ => "correct or remove it, or start it with `x-` to have it ignored".to_owned(),
        };
        Err(ComposeError::UnknownKey {
            place: entry.at.place(self.field.file),
            key: shown(&entry.key),
            within: self.field.path,
            advice,
        })
    }
}

/// How many letters to add, drop or change to get from one to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let change = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}
