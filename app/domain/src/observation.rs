//! The panel's present knowledge of a gateway.

use serde::{Deserialize, Serialize};

use crate::fact::{Config, Container, Edge, Fact, FactKind, Process, Session, State};
use crate::gateway::Gateway;
use crate::time::Timestamp;

/// The owner lease that keeps a new container from starting after a kill (five minutes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerLease {
    /// When it ends at the latest.
    pub ends_at: Timestamp,
}

/// The five facts about one gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The gateway.
    pub gateway: Gateway,
    /// The public URL.
    pub edge: Fact<Edge>,
    /// The process.
    pub process: Fact<Process>,
    /// The container.
    pub container: Fact<Container>,
    /// The WhatsApp accounts.
    pub session: Fact<Session>,
    /// Compose folder against container.
    pub config: Fact<Config>,
    /// Set while the gateway refuses to start because of an owner lease.
    pub lease: Option<OwnerLease>,
    /// Counts changes: pages that show this number are up to date.
    pub revision: u64,
}

/// What every fact has, whatever its details.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactSummary {
    /// Which fact.
    pub kind: FactKind,
    /// Its state.
    pub state: State,
    /// Two to five words.
    pub headline: String,
    /// One line of evidence.
    pub reason: String,
    /// Where it was learnt.
    pub source: String,
    /// Since when the state holds.
    pub since: Timestamp,
    /// When it was last looked at.
    pub checked_at: Option<Timestamp>,
}

fn summary<D>(kind: FactKind, fact: &Fact<D>) -> FactSummary {
    FactSummary {
        kind,
        state: fact.state,
        headline: fact.headline.clone(),
        reason: fact.reason.clone(),
        source: fact.source.clone(),
        since: fact.since,
        checked_at: fact.checked_at,
    }
}

impl Observation {
    /// Nothing known yet.
    pub fn blank(gateway: Gateway, now: Timestamp) -> Self {
        let edge = format!("{}/healthz", gateway.public_url);
        Self {
            gateway,
            edge: Fact::not_yet(edge, now),
            process: Fact::not_yet("/healthz, /readyz", now),
            container: Fact::not_yet("Docker Engine", now),
            session: Fact::not_yet("channels.status", now),
            config: Fact::not_yet("compose folder", now),
            lease: None,
            revision: 0,
        }
    }

    /// The five facts without their details, in the order shown.
    pub fn facts(&self) -> [FactSummary; 5] {
        [
            summary(FactKind::Edge, &self.edge),
            summary(FactKind::Process, &self.process),
            summary(FactKind::Container, &self.container),
            summary(FactKind::Session, &self.session),
            summary(FactKind::Config, &self.config),
        ]
    }

    /// Whether the fact is too old to be believed.
    pub fn is_stale(&self, kind: FactKind, now: Timestamp) -> bool {
        match kind {
            FactKind::Edge => self.edge.is_stale(kind, now),
            FactKind::Process => self.process.is_stale(kind, now),
            FactKind::Container => self.container.is_stale(kind, now),
            FactKind::Session => self.session.is_stale(kind, now),
            FactKind::Config => self.config.is_stale(kind, now),
        }
    }
}
