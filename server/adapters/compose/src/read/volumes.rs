//! `volumes` at the top.

use std::collections::BTreeMap;

use super::networks::external;
use crate::error::ComposeError;
use crate::fields::Field;
use crate::model::{Project, Volume};

/// The volumes of the project, by key.
pub(super) fn read(
    field: &Field<'_>,
    project: &Project,
) -> Result<BTreeMap<String, Volume>, ComposeError> {
    field
        .named()?
        .into_iter()
        .map(|(key, field)| Ok((key.to_owned(), volume(key, &field, project)?)))
        .collect()
}

fn volume(key: &str, field: &Field<'_>, project: &Project) -> Result<Volume, ComposeError> {
    let own_name = format!("{}_{key}", project.name);
    if field.is_null() {
        return Ok(Volume {
            name: own_name,
            ..Volume::default()
        });
    }
    let mut table = field.table()?;
    let external = table.or_default("external", external)?;
    let name = table.text("name")?;
    let volume = Volume {
        name: name.unwrap_or_else(|| if external { key.to_owned() } else { own_name }),
        external,
        driver: table.text("driver")?,
        driver_opts: table.or_default("driver_opts", Field::options)?,
        labels: table.or_default("labels", Field::labels)?,
    };
    table.finish()?;
    let bare = Volume {
        name: volume.name.clone(),
        external,
        ..Volume::default()
    };
    if external && volume != bare {
        return Err(field.invalid(
            "is external, so it takes only `name`; remove the rest, which would have no effect",
        ));
    }
    Ok(volume)
}
