//! Which of the daemon's containers is the gateway's.

use std::collections::HashMap;
use std::sync::PoisonError;

use bollard::models::ContainerSummary;
use bollard::query_parameters::ListContainersOptions;
use domain::fault::Fault;

use crate::client::{Host, QUICK};
use crate::project;

pub(crate) const PROJECT: &str = "com.docker.compose.project";
pub(crate) const SERVICE: &str = "com.docker.compose.service";
pub(crate) const ONE_OFF: &str = "com.docker.compose.oneoff";
/// The operation that made a container.
pub(crate) const OPERATION: &str = "panel.operation";

/// What a gateway's container is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) project: String,
    pub(crate) service: String,
    pub(crate) container: String,
}

impl Names {
    /// Whether these labels and this name are those of one of the gateway's containers.
    pub(crate) fn fit<'a>(
        &self,
        label: impl Fn(&str) -> Option<&'a str>,
        name: Option<&str>,
    ) -> bool {
        let labelled = label(PROJECT) == Some(&self.project)
            && label(SERVICE) == Some(&self.service)
            && !label(ONE_OFF).is_some_and(|one_off| one_off.eq_ignore_ascii_case("true"));
        labelled || name == Some(&self.container)
    }
}

impl Host {
    /// From the compose folder; when that cannot be read, the last that was, else a guess. So a
    /// broken file blinds the panel for the file and not for the container.
    pub(crate) async fn names(&self) -> Names {
        if let Ok(read) = project::read(&self.settings).await {
            let names = Names {
                project: read.project.name.clone(),
                service: read.name().to_owned(),
                container: read.container_name(),
            };
            *self
                .last_names
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(names.clone());
            return names;
        }
        let last = self
            .last_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        last.unwrap_or_else(|| self.guessed_names())
    }

    fn guessed_names(&self) -> Names {
        let folder = self.settings.compose_dir.file_name().unwrap_or_default();
        let normal = |name: &str| -> String {
            name.to_lowercase()
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
                .collect::<String>()
                .trim_start_matches(['-', '_'])
                .to_owned()
        };
        let project = self
            .settings
            .environment
            .get("COMPOSE_PROJECT_NAME")
            .map_or_else(|| normal(&folder.to_string_lossy()), Clone::clone);
        let service = self.settings.service.clone();
        let container = format!("{project}-{service}-1");
        Names {
            project,
            service,
            container,
        }
    }

    /// The id or name of the gateway's container; `None` when there is none.
    pub(crate) async fn current_id(&self, names: &Names) -> Result<Option<String>, Fault> {
        let found = self
            .labelled(&[(PROJECT, &names.project), (SERVICE, &names.service)])
            .await?;
        if let Some(id) = choose(&found, &names.container) {
            return Ok(Some(id));
        }
        Ok(Some(names.container.clone()))
    }

    /// Every container with all these labels, whatever its state.
    pub(crate) async fn labelled(
        &self,
        labels: &[(&str, &str)],
    ) -> Result<Vec<ContainerSummary>, Fault> {
        let labels = labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let options = ListContainersOptions {
            all: true,
            filters: Some(HashMap::from([("label".to_owned(), labels)])),
            ..ListContainersOptions::default()
        };
        let found = self
            .call(QUICK, "listing containers", |docker| async move {
                docker.list_containers(Some(options)).await
            })
            .await?;
        Ok(found)
    }
}

/// The one that carries the compose name. Else one of another name (an older Compose joined with
/// `_`), but not one that was set aside: its name holds the compose name and more.
fn choose(found: &[ContainerSummary], name: &str) -> Option<String> {
    let mut fitting: Vec<(&ContainerSummary, String)> = found
        .iter()
        .filter(|one| {
            let one_off = one.labels.as_ref().and_then(|labels| labels.get(ONE_OFF));
            !one_off.is_some_and(|word| word.eq_ignore_ascii_case("true"))
        })
        .map(|one| (one, first_name(one)))
        .collect();
    if let Some((one, _)) = fitting.iter().find(|(_, given)| given == name) {
        return one.id.clone();
    }
    fitting.retain(|(_, given)| !given.contains(name) || is_numbered(given, name));
    fitting.sort_by_key(|(one, _)| {
        let running = one
            .state
            .is_some_and(|state| state.to_string() == "running");
        (running, one.created)
    });
    fitting.last().and_then(|(one, _)| one.id.clone())
}

/// `x-10` holds `x-1` and is yet another replica, not one set aside.
fn is_numbered(given: &str, name: &str) -> bool {
    given
        .strip_prefix(name)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

fn first_name(one: &ContainerSummary) -> String {
    one.names
        .iter()
        .flatten()
        .map(|name| name.trim_start_matches('/'))
        .find(|name| !name.contains('/'))
        .unwrap_or_default()
        .to_owned()
}

/// A name or id as Docker writes them, fit to stand in a path.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 200
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: &str, name: &str, created: i64) -> ContainerSummary {
        ContainerSummary {
            id: Some(id.to_owned()),
            names: Some(vec![format!("/{name}"), format!("/other/{name}")]),
            created: Some(created),
            labels: Some(HashMap::from([(ONE_OFF.to_owned(), "False".to_owned())])),
            ..ContainerSummary::default()
        }
    }

    #[test]
    fn the_compose_name_wins_over_one_set_aside() {
        let found = [one("old", "p-s-1-before-1a2b", 1), one("new", "p-s-1", 2)];
        assert_eq!(choose(&found, "p-s-1").as_deref(), Some("new"));
        assert_eq!(
            choose(&found[..1], "p-s-1"),
            None,
            "one set aside is not current"
        );
    }

    #[test]
    fn the_name_of_an_older_compose_is_found_and_a_one_off_is_not() {
        assert_eq!(
            choose(&[one("v1", "p_s_1", 1)], "p-s-1").as_deref(),
            Some("v1")
        );
        let mut run = one("run", "p-s-run-12", 9);
        run.labels = Some(HashMap::from([(ONE_OFF.to_owned(), "True".to_owned())]));
        assert_eq!(choose(&[run], "p-s-1"), None);
        assert_eq!(
            choose(&[one("ten", "p-s-10", 1)], "p-s-1").as_deref(),
            Some("ten")
        );
    }

    #[test]
    fn names_that_would_leave_their_place_in_a_path_are_refused() {
        assert!(is_name("openclaw-openclaw-gateway-1"));
        for bad in ["", "../x", "a/b", "a?x=1", ".hidden", "-x"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
