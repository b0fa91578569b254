//! The report of each month, by mail: once to each, whatever is restarted and however many panels there are.

use std::sync::Arc;
use std::time::Duration;

use app::{Letter, Panel};
use domain::ports::{Clock, Mail, Reports, StoreError};
use domain::report::Month;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::rounds::Rounds;

/// How often it is looked whether a month is over. Within minutes is soon enough for a report.
const EVERY: Duration = Duration::from_secs(600);

/// Makes the mail of a month; `None` when nothing was recorded in it.
type Write =
    Box<dyn Fn(Month) -> BoxFuture<'static, Result<Option<Letter>, StoreError>> + Send + Sync>;

/// Mails the report of the last whole month.
pub(crate) struct Reporting {
    reports: Arc<dyn Reports>,
    clock: Arc<dyn Clock>,
    mail: Arc<dyn Mail>,
    write: Write,
    to: Vec<String>,
}

impl Reporting {
    /// To these addresses; `None` when there are none or the panel sends no mail.
    pub(crate) fn of(panel: &Panel, to: &[String]) -> Option<Self> {
        let mail = panel.mail.clone().filter(|_| !to.is_empty())?;
        let writer = panel.clone();
        Some(Self {
            reports: panel.reports.clone(),
            clock: panel.clock.clone(),
            mail,
            write: Box::new(move |month| {
                let panel = writer.clone();
                async move { app::report_letter(&panel, month).await }.boxed()
            }),
            to: to.to_vec(),
        })
    }

    /// Until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut rounds = Rounds::every(EVERY, stop);
        while rounds.next().await {
            rounds.say("The monthly report could not be mailed", self.round().await);
        }
    }

    /// Mails it to whoever has not got it. What a panel missed while it did not run comes late.
    async fn round(&self) -> Result<(), StoreError> {
        let month = Month::last_whole(self.clock.now());
        let mut letter: Option<Letter> = None;
        for to in &self.to {
            if !self.reports.waits(month, to).await? {
                continue;
            }
            if letter.is_none() {
                letter = (self.write)(month).await?;
            }
            let Some(letter) = &letter else {
                // A panel that was not there in that month has nothing to tell.
                return Ok(());
            };
            // No event, no mail.
            if !self.reports.claim(month, to).await? {
                continue;
            }
            let sent = self.mail.send(to, &letter.subject, &letter.text).await;
            let outcome = sent.map_err(|fault| fault.message);
            if let Err(why) = &outcome {
                tracing::warn!("The report of {month} could not be mailed: {why}");
            }
            self.reports.mailed(month, to, outcome).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use domain::audit::Filter;
    use domain::history::Transition;
    use domain::ports::{Counts, Patience};
    use domain::report::Facts;
    use domain::time::Timestamp;

    use super::*;
    use crate::register::testing::Listing;

    /// Who got which month, as two panels on one database see it.
    #[derive(Default)]
    struct Sent(Mutex<BTreeSet<(Month, String)>>, Mutex<Vec<String>>);

    #[async_trait]
    impl Reports for Sent {
        async fn facts(
            &self,
            _: Timestamp,
            _: Timestamp,
            _: Duration,
        ) -> Result<Facts, StoreError> {
            unreachable!("the mail is given")
        }
        async fn events_between(
            &self,
            _: &Filter,
            _: &[Timestamp],
            _: Patience,
        ) -> Result<Counts, StoreError> {
            unreachable!("the mail is given")
        }
        async fn changes(&self, _: Timestamp, _: Timestamp) -> Result<Vec<Transition>, StoreError> {
            unreachable!("the mail is given")
        }
        async fn waits(&self, month: Month, to: &str) -> Result<bool, StoreError> {
            Ok(!self.0.lock().unwrap().contains(&(month, to.to_owned())))
        }
        async fn claim(&self, month: Month, to: &str) -> Result<bool, StoreError> {
            Ok(self.0.lock().unwrap().insert((month, to.to_owned())))
        }
        async fn mailed(
            &self,
            month: Month,
            to: &str,
            outcome: Result<(), String>,
        ) -> Result<(), StoreError> {
            let said = format!("{month} to {to}: {outcome:?}");
            self.1.lock().unwrap().push(said);
            Ok(())
        }
    }

    fn reporting(sent: &Arc<Sent>, listing: &Arc<Listing>, letter: Option<Letter>) -> Reporting {
        Reporting {
            reports: sent.clone(),
            clock: listing.clone(),
            mail: listing.clone(),
            write: Box::new(move |_| {
                let letter = letter.clone();
                async move { Ok(letter) }.boxed()
            }),
            to: vec!["mia@example.org".to_owned(), "otto@example.org".to_owned()],
        }
    }

    fn letter() -> Letter {
        Letter {
            subject: "Report".to_owned(),
            text: "All of it.".to_owned(),
        }
    }

    #[tokio::test]
    async fn two_panels_mail_the_last_month_to_each_once() {
        let (sent, listing) = (Arc::new(Sent::default()), Arc::new(Listing::default()));
        for _ in 0..2 {
            let panel = reporting(&sent, &listing, Some(letter()));
            panel.round().await.unwrap();
            panel.round().await.unwrap();
        }
        assert_eq!(
            listing.done(),
            [
                "mail to mia@example.org: Report: All of it.",
                "mail to otto@example.org: Report: All of it."
            ]
        );
        let noted = sent.1.lock().unwrap().clone();
        assert_eq!(
            noted,
            [
                "2026-12 to mia@example.org: Ok(())",
                "2026-12 to otto@example.org: Ok(())"
            ]
        );
    }

    #[tokio::test]
    async fn why_a_mail_did_not_go_out_is_noted_and_an_empty_month_is_not_mailed() {
        let sent = Arc::new(Sent::default());
        let mut listing = Listing::of(Vec::new());
        listing.no_mail = true;
        let listing = Arc::new(listing);
        let panel = reporting(&sent, &listing, Some(letter()));
        panel.round().await.unwrap();
        let noted = sent.1.lock().unwrap().clone();
        let why = "2026-12 to mia@example.org: Err(\"The mail server does not answer.\")";
        assert_eq!(noted.first().map(String::as_str), Some(why));
        let (sent, listing) = (Arc::new(Sent::default()), Arc::new(Listing::default()));
        reporting(&sent, &listing, None).round().await.unwrap();
        assert!(listing.done().is_empty());
        assert!(sent.1.lock().unwrap().is_empty());
        assert!(sent.0.lock().unwrap().is_empty(), "nor is it asked for");
    }
}
