//! Mails to one recipient about events of the trail: each event once, whatever is restarted and however many panels there are.

use std::sync::Arc;

use app::Letter;
use domain::ports::{Alerts, Mail, StoreError};

/// The most mails of one event each to somebody in a round; rounds are a minute apart.
const MOST: usize = 3;

/// Who is told.
#[derive(Clone, Copy)]
pub(crate) struct Recipient<'a> {
    /// What is counted under.
    pub(crate) key: &'a str,
    /// Where the mail goes.
    pub(crate) address: &'a str,
}

/// What is sent and what was.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) alerts: Arc<dyn Alerts>,
    pub(crate) mail: Arc<dyn Mail>,
}

impl Post {
    /// Tells of events, given by their numbers: one mail each, and one for the rest. What went out is noted at once, so that
    /// nothing goes out twice. When all of them are told, everything up to `end` is.
    pub(crate) async fn tell(
        &self,
        to: Recipient<'_>,
        (from, end): (i64, i64),
        events: &[i64],
        each: impl Fn(usize) -> Letter,
        rest: impl Fn(usize) -> Letter,
    ) -> Result<(), StoreError> {
        let mut told = from;
        for (at, sequence) in events.iter().enumerate().take(MOST) {
            if !self.send(to, told, *sequence, each(at)).await? {
                return Ok(());
            }
            told = *sequence;
        }
        if events.len() > MOST {
            self.send(to, told, end, rest(MOST)).await.map(drop)
        } else {
            self.alerts.told(to.key, told, end).await.map(drop)
        }
    }

    /// `false` when it did not go out, or another panel has gone on.
    async fn send(
        &self,
        to: Recipient<'_>,
        told: i64,
        up_to: i64,
        letter: Letter,
    ) -> Result<bool, StoreError> {
        if !self.alerts.hold(to.key, told).await? {
            return Ok(false);
        }
        let Letter { subject, text } = letter;
        match self.mail.send(to.address, &subject, &text).await {
            Ok(()) => self.alerts.told(to.key, told, up_to).await,
            Err(fault) => {
                tracing::warn!("An alert could not be mailed: {}", fault.message);
                self.alerts.failed(to.key, &fault.message).await?;
                Ok(false)
            }
        }
    }
}
