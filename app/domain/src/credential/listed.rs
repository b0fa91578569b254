//! The register as it is shown: each credential with its gateway and with what is seen of it.

use super::{Credential, Due, Seen};
use crate::gateway::Gateway;
use crate::ports::Observations;
use crate::time::Timestamp;

/// A credential of the register, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The credential.
    pub credential: Credential,
    /// Its gateway; `None` for what belongs to no gateway.
    pub gateway: Option<Gateway>,
    /// What the panel sees of it.
    pub seen: Seen,
    /// When it has to be changed.
    pub due: Due,
}

impl Listed {
    /// A credential as it stands; `None` when its gateway is not configured (any more).
    pub fn of(
        credential: Credential,
        observations: &dyn Observations,
        now: Timestamp,
    ) -> Option<Self> {
        let mut gateways = observations.gateways().into_iter();
        let gateway = match &credential.gateway {
            Some(id) => Some(gateways.find(|gateway| gateway.id == *id)?),
            None => None,
        };
        let known = gateway
            .as_ref()
            .and_then(|gateway| observations.observation(&gateway.id));
        let seen = known.map_or(Seen::default(), |known| {
            Seen::of(credential.kind, &known, now)
        });
        let due = credential.due(seen, now);
        Some(Self {
            credential,
            gateway,
            seen,
            due,
        })
    }

    /// `12 days`: how old its present version is.
    pub fn age(&self, now: Timestamp) -> Option<String> {
        self.credential.age(self.seen, now)
    }
}

/// The register, most urgent first.
pub fn listed(
    credentials: Vec<Credential>,
    observations: &dyn Observations,
    now: Timestamp,
) -> Vec<Listed> {
    let each = credentials.into_iter();
    let mut listed: Vec<_> = each
        .filter_map(|credential| Listed::of(credential, observations, now))
        .collect();
    // What has no date keeps its place behind what has one.
    listed.sort_by_key(|listed| match listed.due {
        Due::Overdue { since } => (0, since),
        Due::Soon { at, .. } => (1, at),
        Due::Snoozed { at, .. } => (2, at),
        Due::Unknown { .. } => (3, Timestamp::default()),
        Due::Fine { at } => (4, at),
        Due::Never => (5, Timestamp::default()),
    });
    listed
}
