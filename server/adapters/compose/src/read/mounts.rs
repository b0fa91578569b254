//! `volumes` and `tmpfs` of a service, and paths of the host.

use std::path::{Path, PathBuf};

use super::{Reading, clean};
use crate::error::ComposeError;
use crate::fields::{Field, Table};
use crate::model::{Mount, Service};
use crate::yaml::Value;

impl Reading<'_> {
    pub(super) fn mounts(
        &self,
        table: &mut Table<'_>,
        service: &mut Service,
    ) -> Result<(), ComposeError> {
        let mut targets: Vec<String> = Vec::new();
        let mut once = |field: &Field<'_>, target: &str| {
            if targets.iter().any(|other| other == target) {
                return Err(field.invalid("mounts two things at the same path; remove one"));
            }
            targets.push(target.to_owned());
            Ok(())
        };
        if let Some(field) = table.take("tmpfs") {
            for text in field.text_or_texts()? {
                let (path, options) = text.split_once(':').unwrap_or((&text, ""));
                let path = target(&field, path)?;
                once(&field, &path)?;
                service.tmpfs.insert(path, options.to_owned());
            }
        }
        if let Some(field) = table.take("volumes") {
            for item in field.list()? {
                let mount = match &item.node.value {
                    Value::Map(_) => self.long_form(&item)?,
                    _ => self.short_form(&item)?,
                };
                once(&item, mount.target())?;
                service.mounts.push(mount);
            }
        }
        Ok(())
    }

    /// `source:target[:option,…]`
    fn short_form(&self, field: &Field<'_>) -> Result<Mount, ComposeError> {
        let text = field.text()?;
        let parts: Vec<&str> = text.split(':').collect();
        let (source, path, options) = match parts.as_slice() {
            [_] => return Err(anonymous(field)),
            [source, path] => (*source, *path, "rw"),
            [source, path, options] => (*source, *path, *options),
            _ => return Err(field.invalid("must be `source:target` or `source:target:ro`")),
        };
        let target = target(field, path)?;
        let (mut read_only, mut no_copy) = (false, false);
        for option in options.split(',') {
            match option {
                "ro" => read_only = true,
                "rw" => read_only = false,
                "nocopy" => no_copy = true,
                _ => {
                    return Err(field.unsupported(
                        "a mount option other than `ro`, `rw` and `nocopy`",
                        "remove it",
                    ));
                }
            }
        }
        if source.starts_with(['.', '/', '~']) {
            let source = self.host_path(field, source)?;
            return Ok(Mount::Bind {
                source,
                target,
                read_only,
                create_host_path: true,
            });
        }
        Ok(Mount::Volume {
            name: volume_name(field, source)?,
            target,
            read_only,
            no_copy,
        })
    }

    /// `{type: bind, source: ./data, target: /data, …}`
    fn long_form(&self, field: &Field<'_>) -> Result<Mount, ComposeError> {
        let mut table = field.table()?;
        let kind = table
            .take("type")
            .ok_or_else(|| field.invalid("needs a `type`"))?;
        let source = table.text("source")?.unwrap_or_default();
        let target_field = table
            .take("target")
            .ok_or_else(|| field.invalid("needs a `target`"))?;
        let target = target(&target_field, target_field.text()?)?;
        let read_only = table.flag("read_only")?;
        table.refuse(&[("consistency", "remove it; it has no effect")])?;
        let mount = match kind.text()? {
            "bind" => {
                if source.is_empty() {
                    return Err(field.invalid("needs a `source`"));
                }
                let create_host_path = table.read("bind", create_host_path)?.unwrap_or(true);
                let source = self.host_path(field, &source)?;
                Mount::Bind {
                    source,
                    target,
                    read_only,
                    create_host_path,
                }
            }
            "volume" => {
                if source.is_empty() {
                    return Err(anonymous(field));
                }
                let no_copy = table.or_default("volume", no_copy)?;
                Mount::Volume {
                    name: volume_name(field, &source)?,
                    target,
                    read_only,
                    no_copy,
                }
            }
            "tmpfs" => {
                if !source.is_empty() || read_only {
                    return Err(field.invalid("is a tmpfs, which has no `source` or `read_only`"));
                }
                let (size_bytes, mode) = table.or_default("tmpfs", tmpfs)?;
                Mount::Tmpfs {
                    target,
                    size_bytes,
                    mode,
                }
            }
            _ => {
                return Err(
                    kind.unsupported("a mount of this type", "use `bind`, `volume` or `tmpfs`")
                );
            }
        };
        table.finish()?;
        Ok(mount)
    }

    /// A path of the host: absolute, or from the compose folder, or from the home folder.
    pub(super) fn host_path(&self, field: &Field<'_>, text: &str) -> Result<PathBuf, ComposeError> {
        let home = text
            .strip_prefix('~')
            .map(|rest| rest.strip_prefix('/').unwrap_or(rest));
        match (home, text) {
            // Compose takes an absolute path as it stands.
            (None, _) if text.starts_with('/') => Ok(PathBuf::from(text)),
            (None, _) => Ok(clean(&self.folder.join(text))),
            (Some(rest), _) if text == "~" || text.starts_with("~/") => {
                let home = self
                    .variables
                    .get("HOME")
                    .filter(|home| home.starts_with('/'));
                let home = home.ok_or_else(|| {
                    field.invalid("starts with `~`, but `HOME` is not set; write the whole path")
                })?;
                Ok(clean(&Path::new(&home).join(rest)))
            }
            _ => Err(field.unsupported("somebody else's home folder (`~name`)", "write it out")),
        }
    }
}

impl Mount {
    fn target(&self) -> &str {
        match self {
            Self::Volume { target, .. }
            | Self::Bind { target, .. }
            | Self::Tmpfs { target, .. } => target,
        }
    }
}

fn create_host_path(field: &Field<'_>) -> Result<bool, ComposeError> {
    let mut table = field.table()?;
    let create = table.read("create_host_path", Field::flag)?;
    table.refuse(&[
        ("propagation", "remove it"),
        ("selinux", "label the folder on the host"),
        ("recursive", "remove it"),
    ])?;
    table.finish()?;
    Ok(create.unwrap_or(true))
}

fn no_copy(field: &Field<'_>) -> Result<bool, ComposeError> {
    let mut table = field.table()?;
    let no_copy = table.flag("nocopy")?;
    table.refuse(&[
        ("subpath", "mount the whole volume"),
        ("labels", "put the labels under the file's `volumes`"),
    ])?;
    table.finish()?;
    Ok(no_copy)
}

fn tmpfs(field: &Field<'_>) -> Result<(Option<u64>, Option<u32>), ComposeError> {
    let mut table = field.table()?;
    let size = table.read("size", Field::bytes)?.filter(|size| *size > 0);
    let mode = table.read("mode", |mode| match &mode.node.value {
        Value::Text(text) => u32::from_str_radix(text, 8)
            .map_err(|_| mode.invalid("must be octal, as in `\"1777\"`")),
        _ => mode.small(),
    })?;
    table.finish()?;
    Ok((size, mode))
}

fn target(field: &Field<'_>, text: &str) -> Result<String, ComposeError> {
    let path = clean(Path::new(text));
    match path.to_str() {
        Some(path) if text.starts_with('/') => Ok(path.to_owned()),
        _ => Err(field.invalid("must have an absolute path in the container, as in `/data`")),
    }
}

fn volume_name(field: &Field<'_>, name: &str) -> Result<String, ComposeError> {
    // Compose takes one letter before a colon for a drive of Windows.
    if name.len() > 1
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    {
        return Ok(name.to_owned());
    }
    Err(field.invalid(
        "must name a volume of two or more letters, digits, `.`, `_` and `-`, or a path that \
         starts with `./` or `/`",
    ))
}

fn anonymous(field: &Field<'_>) -> ComposeError {
    field.unsupported(
        "a volume without a name",
        "give it a name and list it under the file's `volumes`, so that a new container keeps it",
    )
}
