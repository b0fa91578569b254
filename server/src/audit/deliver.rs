//! Checkpoints leave the house: each one to a URL, the latest one of a day by mail. Whoever keeps them elsewhere can
//! tell that the trail was written anew, even by root here.

use std::time::Duration;

use adapter_gateway::http::{Trust, client, why};
use adapter_mail::SmtpMail;
use adapter_store::{StoredCheckpoint, Way};
use anyhow::Context as _;
use domain::audit::Checkpoint;
use domain::ports::{Mail as _, StoreError};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use url::Url;

use super::Custodian;
use crate::config::Config;

/// The most that are posted in one round.
const AT_ONCE: usize = 100;
/// While one panel posts, no other does.
const URL_PAUSE: Duration = Duration::from_secs(60);
/// How soon a mail is tried again that did not go out.
const MAIL_PAUSE: Duration = Duration::from_secs(3_600);
const MAIL_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// Where checkpoints are sent.
pub(super) struct Deliveries {
    url: Option<(Client, Url)>,
    mail: Option<(SmtpMail, String)>,
    /// Which panel they are of.
    public_url: Url,
}

impl Deliveries {
    pub(super) fn new(config: &Config) -> anyhow::Result<Self> {
        let url = match &config.audit.checkpoint_url {
            Some(url) => {
                let trust = Trust::load(None).context("checkpoints cannot be posted")?;
                Some((client(&trust)?, url.clone()))
            }
            None => None,
        };
        let mail = config.mail.clone().zip(config.audit.mail_to.clone());
        Ok(Self {
            url,
            mail,
            public_url: config.public_url.clone(),
        })
    }

    /// Whether checkpoints go this way.
    pub(super) fn uses(&self, way: Way) -> bool {
        match way {
            Way::Url => self.url.is_some(),
            Way::Mail => self.mail.is_some(),
        }
    }
}

impl Custodian {
    /// Whatever has not left the house.
    pub(super) async fn deliver(&self) -> anyhow::Result<()> {
        if let Some((client, url)) = &self.deliveries.url {
            self.post(client, url).await?;
        }
        if let Some((mail, to)) = &self.deliveries.mail {
            self.mail(mail, to).await?;
        }
        Ok(())
    }

    async fn post(&self, client: &Client, url: &Url) -> anyhow::Result<()> {
        let waiting = self.waiting(Way::Url).await?;
        if waiting.is_empty() || !self.store.claim_delivery(Way::Url, URL_PAUSE).await? {
            return Ok(());
        }
        for stored in waiting.iter().take(AT_ONCE) {
            let posted = post_one(client, url, &stored.checkpoint).await;
            let failed = posted.is_err();
            if let Err(why) = &posted {
                tracing::warn!("A checkpoint of the audit trail could not be posted: {why}");
            }
            let result = posted.map(|()| stored.id);
            self.store.note_delivery(Way::Url, result).await?;
            if failed {
                break;
            }
        }
        Ok(())
    }

    async fn mail(&self, mail: &SmtpMail, to: &str) -> anyhow::Result<()> {
        let waiting = self.waiting(Way::Mail).await?;
        let Some(latest) = waiting.last() else {
            return Ok(());
        };
        let delivery = self.store.delivery(Way::Mail).await?;
        let before = delivery.and_then(|delivery| delivery.delivered_at);
        let now = self.clock.now();
        if before.is_some_and(|before| now.since(before) < MAIL_EVERY)
            || !self.store.claim_delivery(Way::Mail, MAIL_PAUSE).await?
        {
            return Ok(());
        }
        let last = self.store.last_audit_check().await?;
        let checked = last.map_or("It was not checked yet.".to_owned(), |check| {
            format!("{} Checked {}.", check.sentence(), check.at.utc_text())
        });
        let subject = format!("Audit trail: event {}", latest.checkpoint.sequence);
        let text = format!(
            "{checked}\n\nThis checkpoint of {} names the last event of the audit trail. Keep it: whoever writes the trail \
             anew cannot change what lies with you.\n\n{}\n",
            self.deliveries.public_url,
            serde_json::to_string(&latest.checkpoint)?
        );
        let sent = mail.send(to, &subject, &text).await;
        let result = sent.map(|()| latest.id).map_err(|fault| fault.message);
        if let Err(why) = &result {
            tracing::warn!("A checkpoint of the audit trail could not be mailed: {why}");
        }
        self.store.note_delivery(Way::Mail, result).await?;
        Ok(())
    }

    /// What has not left the house this way, oldest first.
    async fn waiting(&self, way: Way) -> Result<Vec<StoredCheckpoint>, StoreError> {
        let delivery = self.store.delivery(way).await?;
        let arrived = delivery.map_or(0, |delivery| delivery.checkpoint);
        self.store.checkpoints(arrived).await
    }
}

/// The sentence says nothing of the URL: it may hold a token.
async fn post_one(client: &Client, url: &Url, checkpoint: &Checkpoint) -> Result<(), String> {
    let body = serde_json::to_vec(checkpoint).map_err(|error| error.to_string())?;
    let request = client
        .post(url.clone())
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    let response = request
        .send()
        .await
        .map_err(|error| format!("{}.", why(&error, "the server").1))?;
    let status = response.status();
    if status.is_success() {
        Ok(())
    } else {
        Err(format!("the server answered {}.", status.as_u16()))
    }
}
