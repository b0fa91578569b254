//! `env_file` and `environment` of a service.

use std::collections::BTreeMap;

use super::Reading;
use super::locate::read_if_there;
use crate::env_file::EnvFile;
use crate::error::ComposeError;
use crate::fields::{Field, Table};
use crate::model::Service;

impl Reading<'_> {
    /// `env_file` first, in order, then `environment` over it. A name without a value takes it from
    /// the variables, as compose does; without one there it is unset even if the image sets it.
    pub(super) fn environment(
        &self,
        table: &mut Table<'_>,
        service: &mut Service,
    ) -> Result<(), ComposeError> {
        let mut own: BTreeMap<String, Option<String>> = BTreeMap::new();
        if let Some(field) = table.take("environment") {
            for pair in field.pairs()? {
                if pair.name.is_empty() {
                    return Err(field.invalid("has a variable without a name"));
                }
                let value = pair
                    .value
                    .or_else(|| self.variables.mentioned(pair.name, pair.at.line));
                own.insert(pair.name.to_owned(), value);
            }
        }
        let mut merged: BTreeMap<String, String> = own
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
            .collect();
        if let Some(field) = table.take("env_file") {
            for (field, required) in env_files(&field)? {
                self.env_file(&field, required, &own, &mut merged)?;
            }
        }
        for (name, value) in own {
            if let Some(value) = value {
                merged.insert(name, value);
            } else {
                merged.remove(&name);
                service.environment_unset.insert(name);
            }
        }
        service.environment = merged;
        Ok(())
    }

    fn env_file(
        &self,
        field: &Field<'_>,
        required: bool,
        own: &BTreeMap<String, Option<String>>,
        merged: &mut BTreeMap<String, String>,
    ) -> Result<(), ComposeError> {
        let path = self.host_path(field, field.text()?)?;
        let Some(text) = read_if_there(&path, self.files)? else {
            if required {
                return Err(field.invalid("names a file that is not there; make it"));
            }
            return Ok(());
        };
        let lookup = |name: &str| {
            self.variables
                .get(name)
                .or_else(|| own.get(name).cloned().flatten())
        };
        EnvFile::parse(&text)
            .and_then(|env_file| env_file.values_onto(merged, &lookup))
            .map_err(|source| ComposeError::EnvFile { file: path, source })
    }
}

/// Each path, and whether the file must be there.
fn env_files<'a>(field: &Field<'a>) -> Result<Vec<(Field<'a>, bool)>, ComposeError> {
    if let Ok(text) = field.text() {
        return Ok(if text.is_empty() {
            vec![]
        } else {
            vec![(field.clone(), true)]
        });
    }
    let mut files = Vec::new();
    for item in field.list()? {
        if item.text().is_ok() {
            files.push((item, true));
            continue;
        }
        let mut table = item.table()?;
        let path = table
            .take("path")
            .ok_or_else(|| item.invalid("needs a `path`"))?;
        let required = table.read("required", Field::flag)?.unwrap_or(true);
        table.refuse(&[("format", "write the file in the usual `NAME=value` form")])?;
        table.finish()?;
        files.push((path, required));
    }
    Ok(files)
}
