//! Managers are told of marked acts by mail: soon after, each event once, and never in the way of the act.

mod own;
mod post;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use app::Panel;
use domain::audit::AuditEvent;
use domain::ports::{Alerts, Candidate, StoreError};
use domain::review::{Known, OfficeHours, Rule, is_new_network, marks};
use tokio_util::sync::CancellationToken;

use self::post::{Post, Recipient};
use crate::rounds::Rounds;

pub(crate) use self::own::OwnMail;

/// How often it is looked whether there is something to tell.
const EVERY: Duration = Duration::from_secs(20);

/// Tells managers.
pub(crate) struct Alerting {
    post: Post,
    office_hours: Option<Arc<OfficeHours>>,
    public_url: Arc<str>,
    to: Vec<String>,
    used: BTreeSet<Rule>,
}

impl Alerting {
    /// To these addresses, of what these rules mark; `None` when there are none or the panel sends no mail.
    pub(crate) fn of(
        panel: &Panel,
        alerts: Arc<dyn Alerts>,
        to: &[String],
        used: &BTreeSet<Rule>,
    ) -> Option<Self> {
        let is_used = !to.is_empty() && !used.is_empty();
        Some(Self {
            post: Post {
                alerts,
                mail: panel.mail.clone().filter(|_| is_used)?,
            },
            office_hours: panel.office_hours.clone(),
            public_url: panel.public_url.clone(),
            to: to.to_vec(),
            used: used.clone(),
        })
    }

    /// Until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut rounds = Rounds::every(EVERY, stop);
        while rounds.next().await {
            rounds.say(
                "Managers could not be told of marked acts",
                self.round().await,
            );
        }
    }

    /// Tells everybody what they have not been told.
    async fn round(&self) -> Result<(), StoreError> {
        let acts: Vec<&str> = self
            .used
            .iter()
            .flat_map(|rule| rule.acts())
            .copied()
            .collect();
        for to in &self.to {
            if let Some(untold) = self.post.alerts.claim(to, &acts).await? {
                let marked: Vec<_> = untold
                    .candidates
                    .into_iter()
                    .filter_map(|candidate| self.marked(candidate))
                    .collect();
                self.tell(to, (untold.from, untold.to), &marked).await?;
            }
        }
        Ok(())
    }

    fn marked(&self, candidate: Candidate) -> Option<(AuditEvent, Vec<Rule>)> {
        let event = candidate.event;
        let address = event.event.actor.address();
        let known = Known {
            leak: candidate.leak,
            after_hours: self
                .office_hours
                .as_ref()
                .is_some_and(|hours| !hours.contain(event.at)),
            new_network: address.is_some_and(|address| {
                is_new_network(address, candidate.addresses.iter().map(String::as_str))
            }),
        };
        let rules = marks(&event, known, &self.used);
        (!rules.is_empty()).then_some((event, rules))
    }

    async fn tell(
        &self,
        to: &str,
        span: (i64, i64),
        marked: &[(AuditEvent, Vec<Rule>)],
    ) -> Result<(), StoreError> {
        let numbers: Vec<i64> = marked.iter().map(|(event, _)| event.sequence).collect();
        let to = Recipient {
            key: to,
            address: to,
        };
        let each = |at: usize| {
            let (event, rules) = &marked[at];
            app::alert_letter(event, rules, &self.public_url)
        };
        let rest = |from: usize| app::alerts_folded(&marked[from..], &self.public_url);
        self.post.tell(to, span, &numbers, each, rest).await
    }
}

#[cfg(test)]
mod tests;
