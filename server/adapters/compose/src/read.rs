//! From files to a [`Project`].

mod environment;
mod healthcheck;
mod locate;
mod mounts;
mod networks;
mod ports;
mod resources;
mod service;
mod volumes;

use std::collections::BTreeMap;
use std::path::Path;

use crate::Files;
use crate::error::{ComposeError, shown};
use crate::fields::Field;
use crate::model::{Condition, Dependency, Mount, NetworkMode, Project, Service};
use crate::variables::Variables;
use crate::yaml::{self, Node};
use locate::clean;

/// What every part of the reader needs.
struct Reading<'a> {
    folder: &'a Path,
    file: &'a Path,
    files: &'a dyn Files,
    variables: &'a Variables,
}

pub(crate) fn project(
    folder: &Path,
    files: &dyn Files,
    environment: &BTreeMap<String, String>,
) -> Result<Project, ComposeError> {
    if !folder.is_absolute() {
        return Err(ComposeError::FolderNotAbsolute {
            folder: folder.to_owned(),
        });
    }
    let folder = clean(folder);
    let dot_env = locate::dot_env(&folder, files, environment)?;
    let mut variables = Variables::new(environment.clone(), dot_env);
    let (file, text) = locate::compose_file(&folder, files, &variables)?;
    let mut root = yaml::read(&text, &file)?;
    let name = locate::project_name(&root, &folder, &file, &variables)?;
    variables.set_project_name(&name);
    variables.replace_all(&mut root, "", &file)?;

    let reading = Reading {
        folder: &folder,
        file: &file,
        files,
        variables: &variables,
    };
    let mut project = Project {
        name,
        file: file.clone(),
        folder: folder.clone(),
        services: BTreeMap::new(),
        networks: BTreeMap::new(),
        volumes: BTreeMap::new(),
        env_names_used: BTreeMap::new(),
    };
    reading.top_level(&root, &mut project)?;
    project.env_names_used = variables.into_used();
    Ok(project)
}

impl Reading<'_> {
    fn top_level(&self, root: &Node, project: &mut Project) -> Result<(), ComposeError> {
        let root = Field::root(self.file, root);
        let mut table = root.table()?;
        // The name was needed before everything else; the version says nothing since years.
        table.take("name");
        table.read("version", |version| version.text().map(drop))?;
        table.refuse(&[
            ("include", "write everything into one file"),
            ("secrets", "pass the values by `environment` and `.env`"),
            ("configs", "mount the files by `volumes`"),
            ("models", "remove it"),
        ])?;
        project.networks = table.or_default("networks", |field| networks::read(field, project))?;
        project.volumes = table.or_default("volumes", |field| volumes::read(field, project))?;
        let services = table
            .take("services")
            .ok_or_else(|| root.invalid("has no `services`; add the service of the gateway"))?;
        for (name, field) in services.named()? {
            if !is_service_name(name) {
                return Err(field.invalid(
                    "has a name with other characters than letters, digits, `.`, `_` and `-`",
                ));
            }
            let service = self.service(&field)?;
            project.services.insert(name.to_owned(), service);
        }
        if project.services.is_empty() {
            return Err(services.invalid("is empty; add the service of the gateway"));
        }
        table.finish()?;
        for (name, field) in services.named()? {
            consistent(name, &field, project)?;
        }
        acyclic(&services, project)?;
        networks::add_default(project);
        Ok(())
    }
}

/// What a service refers to must be there. The names could come out of a variable, so the sentences
/// list what there is instead.
fn consistent(name: &str, field: &Field<'_>, project: &mut Project) -> Result<(), ComposeError> {
    let Some(service) = project.services.get_mut(name) else {
        return Ok(());
    };
    let missing = |what: &str, there: &mut dyn Iterator<Item = &String>, advice: &str| {
        let there: Vec<String> = there.map(|key| shown(key)).collect();
        let there = if there.is_empty() {
            "none".to_owned()
        } else {
            there.join(", ")
        };
        field.invalid(format!("{what} (there: {there}); {advice}"))
    };
    let joins = |key: &str| key == "default" || project.networks.contains_key(key);
    if !service.networks.iter().all(|network| joins(&network.name)) {
        return Err(missing(
            "joins a network that is not under the file's `networks`",
            &mut project.networks.keys(),
            "add it there",
        ));
    }
    let mounts = |mount: &Mount| match mount {
        Mount::Volume { name, .. } => project.volumes.contains_key(name),
        Mount::Bind { .. } | Mount::Tmpfs { .. } => true,
    };
    if !service.mounts.iter().all(mounts) {
        return Err(missing(
            "mounts a volume that is not under the file's `volumes`",
            &mut project.volumes.keys(),
            "add it there, or start the path with `./` if it is a folder",
        ));
    }
    // Sharing a network means starting after its owner.
    if let Some(NetworkMode::Service(owner)) = &service.network_mode {
        service
            .depends_on
            .entry(owner.clone())
            .or_insert(Dependency {
                condition: Condition::Started,
                restart: true,
                required: true,
            });
    }
    let needed: Vec<String> = service.depends_on.keys().cloned().collect();
    if !needed
        .iter()
        .all(|other| project.services.contains_key(other))
    {
        return Err(missing(
            "depends on a service that is not in the file",
            &mut project.services.keys(),
            "correct its name",
        ));
    }
    Ok(())
}

/// Services must not wait for each other in a circle.
fn acyclic(services: &Field<'_>, project: &Project) -> Result<(), ComposeError> {
    let mut waiting: BTreeMap<&str, &Service> = project
        .services
        .iter()
        .map(|(name, service)| (name.as_str(), service))
        .collect();
    loop {
        let ready: Vec<&str> = waiting
            .iter()
            .filter(|(_, service)| {
                !service
                    .depends_on
                    .keys()
                    .any(|other| waiting.contains_key(other.as_str()))
            })
            .map(|(name, _)| *name)
            .collect();
        if ready.is_empty() {
            break;
        }
        waiting.retain(|name, _| !ready.contains(name));
    }
    match waiting.keys().next() {
        None => Ok(()),
        Some(name) => Err(services.invalid(format!(
            "depend on each other in a circle, `{name}` among them; remove one `depends_on`"
        ))),
    }
}

fn is_service_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

#[cfg(test)]
mod tests;
