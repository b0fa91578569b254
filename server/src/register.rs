//! The register of credentials: what the panel lists by itself, and who is reminded of what is due.

#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;
use std::time::Duration;

use domain::credential::{BuiltIn, Kind, Listed, Stage, listed};
use domain::path;
use domain::ports::{Clock, Mail, Mailed, Observations, Register, Reminders, StoreError};
use domain::time::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::rounds::Rounds;

use crate::config::Config;

/// How often the register is looked through. Within an hour is soon enough for what is due within days.
const EVERY: Duration = Duration::from_secs(600);

/// What the panel knows by itself, as it is configured.
pub(crate) fn known(config: &Config) -> Vec<BuiltIn> {
    let mut known = Vec::new();
    for gateway in &config.gateways {
        let of = |kind| BuiltIn {
            kind,
            gateway: Some(gateway.id.clone()),
        };
        known.extend([Kind::GatewayKey, Kind::WhatsappSession, Kind::PanelDevice].map(of));
        if gateway.public_url.scheme() == "https" {
            known.push(of(Kind::TlsCertificate));
        }
    }
    let of_panel = |kind| BuiltIn {
        kind,
        gateway: None,
    };
    known.push(of_panel(Kind::BackupKey));
    if config.github_token.is_some() {
        known.push(of_panel(Kind::GithubToken));
    }
    // The private cluster has no password.
    if config.database_url.is_some() {
        known.push(of_panel(Kind::DatabasePassword));
    }
    known
}

/// Reminds owners of what is due.
pub(crate) struct Reminding {
    pub(crate) register: Arc<dyn Register>,
    pub(crate) reminders: Arc<dyn Reminders>,
    pub(crate) observations: Arc<dyn Observations>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mail: Option<Arc<dyn Mail>>,
    /// Where browsers reach the panel, without a slash at the end.
    pub(crate) public_url: Arc<str>,
}

impl Reminding {
    /// Until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut rounds = Rounds::every(EVERY, stop);
        while rounds.next().await {
            rounds.say(
                "Nobody could be reminded of credentials",
                self.round().await,
            );
        }
    }

    /// Gives every reminder that is due and was not given.
    async fn round(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let credentials = self.register.list().await?;
        for listed in listed(credentials, &*self.observations, now) {
            if let (Some(stage), Some(due_at)) = (listed.due.stage(), listed.due.at()) {
                self.remind(&listed, stage, due_at, now).await?;
            }
        }
        Ok(())
    }

    async fn remind(
        &self,
        listed: &Listed,
        stage: Stage,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let credential = &listed.credential;
        let mailing = self.mail.as_ref().zip(credential.mail_address());
        let to = mailing.map(|(_, to)| to);
        if !self
            .reminders
            .claim(credential.id, due_at, stage, to)
            .await?
        {
            return Ok(());
        }
        let said = listed.due.words(now);
        tracing::info!(
            credential.id = %credential.id,
            "Credential `{}` is {said}",
            credential.title
        );
        let Some((mail, to)) = mailing else {
            // Pages show it.
            return Ok(());
        };
        let of = listed.gateway.as_ref();
        let of = of.map_or(String::new(), |gateway| format!(" of {}", gateway.name));
        let subject = format!("{}{of}: {said}", credential.title);
        let page = format!("{}{}", self.public_url, path::credential(credential.id));
        let text = format!(
            "{}{of} is {said} ({}).\n\nHow it is rotated, and where to note that it was:\n{page}\n\n\
             If it has to wait, say why on that page.\n",
            credential.title,
            due_at.utc_date()
        );
        let to = to.to_owned();
        let outcome = match mail.send(&to, &subject, &text).await {
            Ok(()) => Mailed::To(to),
            Err(fault) => Mailed::Failed {
                to,
                why: fault.message,
            },
        };
        let noted = self.reminders.mailed(credential.id, due_at, stage, outcome);
        noted.await
    }
}

#[cfg(test)]
mod tests {
    use domain::credential::Snooze;
    use domain::person::Actor;

    use super::testing::{DAY, Listing, NOW, credential};
    use super::*;

    fn reminding(listing: &Arc<Listing>) -> Reminding {
        Reminding {
            register: listing.clone(),
            reminders: listing.clone(),
            observations: listing.clone(),
            clock: listing.clone(),
            mail: Some(listing.clone()),
            public_url: "https://panel.example".into(),
        }
    }

    fn listing(owner: &str, days: u32) -> Listing {
        let mut key = credential(Kind::GatewayKey, days);
        owner.clone_into(&mut key.owner);
        Listing::of(vec![key])
    }

    #[tokio::test]
    async fn an_owner_with_an_address_is_mailed_once() {
        let listing = Arc::new(listing("otto@example.org", 173));
        let reminding = reminding(&listing);
        for _ in 0..3 {
            reminding.round().await.unwrap();
        }
        let done = listing.done();
        assert_eq!(done.len(), 3, "{done:?}");
        assert_eq!(done[0], "claimed 7-days to otto@example.org");
        assert!(
            done[1].starts_with(
                "mail to otto@example.org: OpenClaw API key of OpenClaw on vps-i1: due in 7 days"
            ),
            "{done:?}"
        );
        assert!(done[1].contains("https://panel.example/credentials/0000"));
        assert_eq!(done[2], "noted To(\"otto@example.org\")");
    }

    #[tokio::test]
    async fn an_owner_without_an_address_is_reminded_by_the_page_alone() {
        let listing = Arc::new(listing("otto", 180));
        reminding(&listing).round().await.unwrap();
        assert_eq!(listing.done(), ["claimed overdue"]);
    }

    #[tokio::test]
    async fn without_a_mail_server_nothing_is_sent() {
        let listing = Arc::new(listing("otto@example.org", 180));
        let reminding = Reminding {
            mail: None,
            ..reminding(&listing)
        };
        reminding.round().await.unwrap();
        assert_eq!(listing.done(), ["claimed overdue"]);
    }

    #[tokio::test]
    async fn a_mail_server_that_refuses_is_noted_with_its_reason() {
        let mut listing = listing("otto@example.org", 180);
        listing.no_mail = true;
        let listing = Arc::new(listing);
        reminding(&listing).round().await.unwrap();
        let done = listing.done();
        assert!(
            done[2].contains("The mail server does not answer."),
            "{done:?}"
        );
    }

    #[tokio::test]
    async fn nobody_is_reminded_of_what_is_fine_snoozed_or_of_no_date() {
        let mut snoozed = credential(Kind::GatewayKey, 183);
        snoozed.snoozed = Some(Snooze {
            until: NOW.plus(DAY),
            why: "otto is away".to_owned(),
            by: Actor::Panel,
        });
        let listing = Arc::new(Listing::of(vec![
            credential(Kind::GatewayKey, 3),
            snoozed,
            credential(Kind::WhatsappSession, 900),
        ]));
        reminding(&listing).round().await.unwrap();
        assert_eq!(listing.done(), [""; 0]);
    }
}
