//! Managers are told of marked acts by mail: soon after, each event once, and never in the way of the act.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use app::{Letter, Panel};
use domain::audit::AuditEvent;
use domain::ports::{Alerts, Candidate, Mail, StoreError};
use domain::review::{Known, OfficeHours, Rule, is_new_network, marks};
use tokio_util::sync::CancellationToken;

use crate::rounds::Rounds;

/// How often it is looked whether there is something to tell.
const EVERY: Duration = Duration::from_secs(20);
/// The most mails of one event each to somebody in a round; rounds are a minute apart.
const MOST: usize = 3;

/// Tells managers.
pub(crate) struct Alerting {
    alerts: Arc<dyn Alerts>,
    mail: Arc<dyn Mail>,
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
            alerts,
            mail: panel.mail.clone().filter(|_| is_used)?,
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
            if let Some(untold) = self.alerts.claim(to, &acts).await? {
                let marked: Vec<_> = untold
                    .candidates
                    .into_iter()
                    .filter_map(|candidate| self.marked(candidate))
                    .collect();
                self.tell(to, untold.from, untold.to, &marked).await?;
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

    /// One mail each, and one for the rest. What went out is noted at once, so that nothing goes out twice.
    async fn tell(
        &self,
        to: &str,
        from: i64,
        end: i64,
        marked: &[(AuditEvent, Vec<Rule>)],
    ) -> Result<(), StoreError> {
        let (each, rest) = marked.split_at(marked.len().min(MOST));
        let mut told = from;
        for (event, rules) in each {
            let letter = app::alert_letter(event, rules, &self.public_url);
            if !self.send(to, told, event.sequence, letter).await? {
                return Ok(());
            }
            told = event.sequence;
        }
        if rest.is_empty() {
            self.alerts.told(to, told, end).await.map(drop)
        } else {
            let letter = app::alerts_folded(rest, &self.public_url);
            self.send(to, told, end, letter).await.map(drop)
        }
    }

    /// `false` when it did not go out, or another panel has gone on.
    async fn send(
        &self,
        to: &str,
        told: i64,
        up_to: i64,
        letter: Letter,
    ) -> Result<bool, StoreError> {
        if !self.alerts.hold(to, told).await? {
            return Ok(false);
        }
        match self.mail.send(to, &letter.subject, &letter.text).await {
            Ok(()) => self.alerts.told(to, told, up_to).await,
            Err(fault) => {
                tracing::warn!("An alert could not be mailed: {}", fault.message);
                self.alerts.failed(to, &fault.message).await?;
                Ok(false)
            }
        }
    }
}

#[cfg(test)]
mod tests;
