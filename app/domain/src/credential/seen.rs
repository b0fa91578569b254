//! What the panel sees of credentials by itself, in what it knows of a gateway.

use std::time::Duration;

use super::Kind;
use crate::observation::Observation;
use crate::time::Timestamp;

/// What is seen of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Seen {
    /// Since when there is this version of it.
    pub since: Option<Timestamp>,
    /// When it ends by itself.
    pub ends: Option<Ends>,
}

/// When a credential ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Then; whoever renews it has time yet.
    InGoodTime(Timestamp),
    /// Then, and it should have been renewed by now.
    Soon(Timestamp),
}

impl Seen {
    /// What `known` tells of a credential of its gateway.
    pub fn of(kind: Kind, known: &Observation, now: Timestamp) -> Self {
        match kind {
            Kind::WhatsappSession => Self {
                since: oldest_link(known, now),
                ends: None,
            },
            Kind::TlsCertificate => certificate(known, now),
            Kind::GatewayKey
            | Kind::PanelDevice
            | Kind::GithubToken
            | Kind::DatabasePassword
            | Kind::BackupKey
            | Kind::Other => Self::default(),
        }
    }
}

/// Since when the account that was linked first is linked.
fn oldest_link(known: &Observation, now: Timestamp) -> Option<Timestamp> {
    let session = known.session.detail.as_ref()?;
    let accounts = session.accounts.iter();
    let oldest = accounts
        .filter_map(|account| account.credential_age_ms)
        .max()?;
    let asked = known.session.checked_at.unwrap_or(now);
    Some(asked.minus(Duration::from_millis(oldest)))
}

fn certificate(known: &Observation, now: Timestamp) -> Seen {
    let edge = known.edge.detail.as_ref();
    Seen {
        since: edge.and_then(|edge| edge.tls_begins_at),
        ends: edge.and_then(|edge| {
            let ends = edge.tls_expires_at?;
            Some(match edge.certificate_ends_soon(now) {
                Some(ends) => Ends::Soon(ends),
                None => Ends::InGoodTime(ends),
            })
        }),
    }
}
