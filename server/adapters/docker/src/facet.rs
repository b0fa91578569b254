//! A container, wanted or running, as a flat list of things that can differ.
//!
//! Both sides pass through the same code, which writes defaults of the image and of Docker the same
//! way. What comes from the image is not explicit, and where neither side is explicit nothing
//! differs: a newer image may bring another `PATH` without anybody having changed it.

mod config;
mod host;
mod network;

use std::collections::BTreeMap;

use bollard::models::{
    ContainerConfig, ContainerInspectResponse, EndpointSettings, HostConfig, ImageConfig,
    MountPoint,
};

use crate::plan::Plan;

/// What differs by name, in words for a person.
pub(crate) type Facets = BTreeMap<String, Facet>;

/// One thing that can differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facet {
    /// As it is in effect, written the same way on both sides.
    pub(crate) value: String,
    /// Somebody asked for it; otherwise image or Docker brought it.
    pub(crate) explicit: bool,
    /// The value may not be shown.
    pub(crate) secret: bool,
}

/// Adds facets, leaving out what is not set.
pub(crate) struct Collector(Facets);

impl Collector {
    fn add(&mut self, what: impl Into<String>, value: impl Into<String>, explicit: bool) {
        let facet = Facet {
            value: value.into(),
            explicit,
            secret: false,
        };
        self.0.insert(what.into(), facet);
    }

    /// Like [`Self::add`], for values that may hold a secret.
    fn add_secret(&mut self, what: impl Into<String>, value: impl Into<String>, explicit: bool) {
        let facet = Facet {
            value: value.into(),
            explicit,
            secret: true,
        };
        self.0.insert(what.into(), facet);
    }

    /// Something that is there because somebody asked for it, or not there.
    fn asked(&mut self, what: impl Into<String>, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.add(what, value, true);
        }
    }

    /// A list whose order means nothing.
    fn set(&mut self, what: &str, list: Option<&Vec<String>>, write: impl Fn(&str) -> String) {
        let mut list: Vec<String> = list.into_iter().flatten().map(|word| write(word)).collect();
        list.sort();
        list.dedup();
        self.asked(what, (!list.is_empty()).then(|| list.join(", ")));
    }
}

/// Where the two sides keep the same things.
struct Side<'a> {
    config: &'a ContainerConfig,
    host: &'a HostConfig,
    image: Option<&'a ImageConfig>,
    /// Names by which the container is known anyway on its networks.
    own_names: Vec<String>,
    networks: Vec<(String, EndpointSettings)>,
    /// As mounted; `None` before it is created.
    mounted: Option<&'a [MountPoint]>,
}

/// The container that the compose folder asks for.
pub(crate) fn wanted(plan: &Plan, image: Option<&ImageConfig>, own_names: Vec<String>) -> Facets {
    let config = config::merged(&plan.body, image);
    collect(&Side {
        config: &config,
        host: plan
            .body
            .host_config
            .as_ref()
            .unwrap_or(&HostConfig::default()),
        image,
        own_names,
        networks: plan.joins.clone(),
        mounted: None,
    })
}

/// The container that is there. `image` is the one it was made from; `None` when that is gone.
pub(crate) fn running(
    inspect: &ContainerInspectResponse,
    image: Option<&ImageConfig>,
    own_names: Vec<String>,
) -> Facets {
    let settings = inspect.network_settings.as_ref();
    let mut networks: Vec<(String, EndpointSettings)> = settings
        .and_then(|settings| settings.networks.clone())
        .unwrap_or_default()
        .into_iter()
        .collect();
    networks.sort_by(|one, other| one.0.cmp(&other.0));
    let mut config = inspect.config.clone().unwrap_or_default();
    config::forget_default_hostname(&mut config, inspect);
    collect(&Side {
        config: &config,
        host: inspect
            .host_config
            .as_ref()
            .unwrap_or(&HostConfig::default()),
        image,
        own_names,
        networks,
        mounted: Some(inspect.mounts.as_deref().unwrap_or_default()),
    })
}

fn collect(side: &Side<'_>) -> Facets {
    let mut to = Collector(Facets::new());
    config::collect(side, &mut to);
    host::collect(side, &mut to);
    host::mounts(side, &mut to);
    network::collect(side, &mut to);
    to.0
}
