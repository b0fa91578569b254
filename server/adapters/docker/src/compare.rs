//! What runs against what the compose folder says.

use bollard::models::{
    ContainerInspectResponse, ContainerSummary, ContainerSummaryStateEnum, ImageInspect,
};
use compose::{Condition, PullPolicy, VariableSource};
use domain::compare::{Comparison, Difference};
use domain::fault::Fault;
use domain::scrub::Scrubber;

use crate::client::{Host, QUICK};
use crate::facet::{self, Facet, Facets};
use crate::inspect;
use crate::names::{PROJECT, SERVICE};
use crate::plan::Plan;
use crate::project::{self, Read};

const NOT_SET: &str = "not set";
/// Docker's default, in seconds.
const STOP_GRACE: u32 = 10;

impl Host {
    /// Reads the folder and inspects what runs. Changes nothing.
    pub(crate) async fn compare(&self) -> Result<Comparison, Fault> {
        let read = project::read(&self.settings).await?;
        let mut plan = Plan::of(&read)?;
        let fingerprint = plan.fingerprint()?;
        let image = self.image(&read.service().image).await?;
        let running = self.inspect_current().await?;
        let differences = match &running {
            None => Vec::new(),
            Some(running) => {
                // A network of another container is compared by that container's id.
                let _named_as_written = self.settle_network_mode(&read, &mut plan).await;
                let old_image = self
                    .image(running.image.as_deref().unwrap_or_default())
                    .await?;
                differences(&read, &plan, image.as_ref(), running, old_image.as_ref())
            }
        };
        let service = read.service();
        Ok(Comparison {
            file: read.project.file.display().to_string(),
            project: read.project.name.clone(),
            container_name: read.container_name(),
            image: service.image.clone(),
            image_id: image.and_then(|image| image.id),
            fingerprint,
            fixed_hostname: service.hostname.is_some(),
            stop_grace_seconds: service.stop_grace_period.map_or(STOP_GRACE, |grace| {
                u32::try_from(grace.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
            }),
            notes: self.notes(&read).await?,
            differences,
        })
    }

    /// An image on the daemon's machine; `None` when it is not there.
    pub(crate) async fn image(&self, reference: &str) -> Result<Option<ImageInspect>, Fault> {
        if reference.is_empty()
            || reference.contains(['?', '#', ' ', '%'])
            || reference.contains("..")
        {
            return Ok(None);
        }
        let wanted = reference.to_owned();
        let answer = self
            .call(QUICK, "looking for the image", |docker| async move {
                docker.inspect_image(&wanted).await
            })
            .await;
        match answer {
            Ok(image) => Ok(Some(image)),
            Err(failed) if failed.is_missing() => Ok(None),
            Err(failed) => Err(failed.into()),
        }
    }
}

/// Every difference, the image first.
fn differences(
    read: &Read,
    plan: &Plan,
    image: Option<&ImageInspect>,
    running: &ContainerInspectResponse,
    old_image: Option<&ImageInspect>,
) -> Vec<Difference> {
    let id = running.id.clone().unwrap_or_default();
    let own_names = vec![
        id.chars().take(12).collect(),
        inspect::name(running),
        plan.name.clone(),
    ];
    let new_defaults = image.and_then(|image| image.config.as_ref());
    let old_defaults = old_image.and_then(|image| image.config.as_ref());
    let wanted = facet::wanted(plan, new_defaults, own_names.clone());
    let present = facet::running(running, old_defaults, own_names);
    let mut found = Vec::new();
    found.extend(image_difference(read, image, running));
    let name = inspect::name(running);
    if name != plan.name {
        found.push(Difference {
            what: "container name".to_owned(),
            running: name,
            wanted: plan.name.clone(),
        });
    }
    found.extend(between(read, &present, &wanted, &read.scrubber()));
    found.extend(still_set(read, &present, &found));
    found
}

/// Variables of the image that the file takes away, and the container still has.
fn still_set(read: &Read, present: &Facets, found: &[Difference]) -> Vec<Difference> {
    let unset = read.service().environment_unset.iter();
    unset
        .map(|name| format!("environment {name}"))
        .filter(|what| present.contains_key(what) && !found.iter().any(|one| one.what == *what))
        .map(|what| Difference {
            what,
            running: "set".to_owned(),
            wanted: NOT_SET.to_owned(),
        })
        .collect()
}

impl Host {
    /// What the file asks for and the panel does not do, as sentences: never silently.
    async fn notes(&self, read: &Read) -> Result<Vec<String>, Fault> {
        let mut notes = Vec::new();
        if read.service().pull_policy == Some(PullPolicy::Always) {
            notes.push(format!(
                "The file says `pull_policy: always`, but the panel pulls nothing: it takes the image {} as it is \
                 on the host.",
                read.service().image
            ));
        }
        let needed = read.service().depends_on.iter();
        // One that has to end before this service starts has ended.
        let needed = needed.filter(|(_, dependency)| {
            dependency.required && dependency.condition != Condition::CompletedSuccessfully
        });
        for (name, _) in needed {
            let project = read.project.name.as_str();
            let found = self
                .labelled(&[(PROJECT, project), (SERVICE, name)])
                .await?;
            if !found.iter().any(runs) {
                notes.push(format!(
                    "The service depends on `{name}`, which does not run. The panel does not start it: \
                     `docker compose up -d {name}` does."
                ));
            }
        }
        Ok(notes)
    }
}

fn runs(found: &ContainerSummary) -> bool {
    found.state == Some(ContainerSummaryStateEnum::RUNNING)
}

fn between(read: &Read, running: &Facets, wanted: &Facets, scrubber: &Scrubber) -> Vec<Difference> {
    let mut names: Vec<&String> = running.keys().chain(wanted.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter_map(|what| {
            let (now, then) = (running.get(what), wanted.get(what));
            let explicit = [now, then]
                .into_iter()
                .flatten()
                .any(|facet| facet.explicit);
            if now.map(|facet| &facet.value) == then.map(|facet| &facet.value) || !explicit {
                return None;
            }
            let secret = [now, then].into_iter().flatten().any(|facet| facet.secret);
            let show = |facet: Option<&Facet>, hidden: &str| match facet {
                None => NOT_SET.to_owned(),
                Some(_) if secret => hidden.to_owned(),
                Some(facet) => scrubber.scrub(&facet.value),
            };
            Some(Difference {
                what: what.clone(),
                running: show(
                    now,
                    if then.is_some() {
                        "another value"
                    } else {
                        "set"
                    },
                ),
                wanted: show(then, where_set(read, what)),
            })
        })
        .collect()
}

/// Where a person finds the value that may not be shown.
fn where_set(read: &Read, what: &str) -> &'static str {
    let Some(name) = what.strip_prefix("environment ") else {
        return "set in the compose file";
    };
    match read
        .project
        .env_names_used
        .get(name)
        .map(|used| used.source)
    {
        Some(VariableSource::DotEnv) => "set in .env",
        _ => "set in the compose file or .env",
    }
}

fn image_difference(
    read: &Read,
    image: Option<&ImageInspect>,
    running: &ContainerInspectResponse,
) -> Option<Difference> {
    let wanted_name = &read.service().image;
    let running_name = running
        .config
        .as_ref()
        .and_then(|config| config.image.clone());
    let running_name = running_name.unwrap_or_default();
    let wanted_id = image.and_then(|image| image.id.as_deref());
    let running_id = running.image.as_deref().unwrap_or_default();
    let same_image = wanted_id.is_none_or(|id| id == running_id);
    if same_image && familiar(wanted_name) == familiar(&running_name) {
        return None;
    }
    let told = |name: &str, id: Option<&str>| match id {
        Some(id) => {
            let bare = id.strip_prefix("sha256:").unwrap_or(id);
            format!("{name} ({})", bare.chars().take(12).collect::<String>())
        }
        None => format!("{name} (not on this host)"),
    };
    Some(Difference {
        what: "image".to_owned(),
        running: told(&running_name, Some(running_id)),
        wanted: told(wanted_name, wanted_id),
    })
}

/// `docker.io/library/x` and `x` and `x:latest` are one name.
fn familiar(name: &str) -> String {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) {
        name.to_owned()
    } else {
        format!("{name}:latest")
    }
}

#[cfg(test)]
mod tests;
