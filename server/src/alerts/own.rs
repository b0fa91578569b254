//! People are told by mail what happens to their own accounts, where they have said where.

use std::sync::Arc;
use std::time::Duration;

use app::Panel;
use domain::audit::{AuditEvent, AuditOutcome, act};
use domain::mailbox::{Mailbox, TOLD};
use domain::ports::{Alerts, Mailboxes, StoreError};
use tokio_util::sync::CancellationToken;

use super::post::{Post, Recipient};
use crate::rounds::Rounds;

/// How often it is looked whether there is something to tell.
const EVERY: Duration = Duration::from_secs(5);

/// Tells people.
pub(crate) struct OwnMail {
    mailboxes: Arc<dyn Mailboxes>,
    post: Post,
    public_url: Arc<str>,
}

impl OwnMail {
    /// `None` when the panel sends no mail.
    pub(crate) fn of(panel: &Panel, alerts: Arc<dyn Alerts>) -> Option<Self> {
        let mail = panel.mail.clone()?;
        Some(Self {
            mailboxes: panel.mailboxes.clone(),
            post: Post { alerts, mail },
            public_url: panel.public_url.clone(),
        })
    }

    /// Until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut rounds = Rounds::every(EVERY, stop);
        while rounds.next().await {
            rounds.say(
                "People could not be told what happened to their accounts",
                self.round().await,
            );
        }
    }

    async fn round(&self) -> Result<(), StoreError> {
        for mailbox in self.mailboxes.all().await? {
            self.tell(&mailbox).await?;
        }
        Ok(())
    }

    async fn tell(&self, mailbox: &Mailbox) -> Result<(), StoreError> {
        let key = Mailbox::recipient(mailbox.person);
        let Some(untold) = self.post.alerts.claim(&key, &TOLD).await? else {
            return Ok(());
        };
        let candidates = untold.candidates.into_iter().map(|one| one.event);
        let events: Vec<AuditEvent> = candidates
            .filter(|event| is_of(event, &mailbox.name))
            .collect();
        let numbers: Vec<i64> = events.iter().map(|event| event.sequence).collect();
        let to = Recipient {
            key: &key,
            address: mailbox.address.as_str(),
        };
        let (name, url) = (&mailbox.name, &self.public_url);
        let each = |at: usize| app::own_mail(&events[at], name, url);
        let rest = |from: usize| {
            let rest: Vec<&AuditEvent> = events.iter().skip(from).collect();
            app::own_mails_folded(&rest, name, url)
        };
        self.post
            .tell(to, (untold.from, untold.to), &numbers, each, rest)
            .await
    }
}

/// Whether something was done to the account of that name; what was refused was not.
fn is_of(event: &AuditEvent, name: &str) -> bool {
    let what = &event.event;
    let whose = match what.action.as_str() {
        // Its target is the token's own name.
        act::MAKE_TOKEN => Some(what.actor.name()),
        _ => what.target.as_deref(),
    };
    what.outcome == AuditOutcome::Succeeded && whose == Some(name)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use domain::audit::NewAuditEvent;
    use domain::mailbox::{MailAddress, OwnMailbox};
    use domain::person::Actor;
    use domain::ports::{Candidate, PeopleError, Untold};
    use domain::time::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::register::testing::Listing;

    /// Anna and ben with their addresses, and how far each has been told.
    struct Two {
        told: Mutex<[i64; 2]>,
        events: Vec<AuditEvent>,
    }

    fn place(key: &str) -> usize {
        usize::from(key == Mailbox::recipient(Uuid::from_u128(2)))
    }

    #[async_trait]
    impl Mailboxes for Two {
        async fn of(&self, _: Uuid) -> Result<Option<OwnMailbox>, StoreError> {
            Ok(None)
        }
        async fn set(
            &self,
            _: &Actor,
            _: Option<&MailAddress>,
        ) -> Result<Option<MailAddress>, PeopleError> {
            Ok(None)
        }
        async fn all(&self) -> Result<Vec<Mailbox>, StoreError> {
            let mailbox = |id, name: &str| Mailbox {
                person: Uuid::from_u128(id),
                name: name.to_owned(),
                address: format!("{name}@example.org").parse().unwrap(),
            };
            Ok(vec![mailbox(1, "anna"), mailbox(2, "ben")])
        }
    }

    #[async_trait]
    impl Alerts for Two {
        async fn claim(&self, to: &str, acts: &[&str]) -> Result<Option<Untold>, StoreError> {
            let from = self.told.lock().unwrap()[place(to)];
            let of = |event: &&AuditEvent| {
                event.sequence > from && acts.contains(&event.event.action.as_str())
            };
            let candidates = self.events.iter().filter(of).map(|event| Candidate {
                event: event.clone(),
                leak: false,
                addresses: Vec::new(),
            });
            Ok(Some(Untold {
                from,
                to: 100,
                candidates: candidates.collect(),
            }))
        }
        async fn hold(&self, to: &str, told: i64) -> Result<bool, StoreError> {
            Ok(self.told.lock().unwrap()[place(to)] == told)
        }
        async fn told(&self, to: &str, _: i64, up_to: i64) -> Result<bool, StoreError> {
            self.told.lock().unwrap()[place(to)] = up_to;
            Ok(true)
        }
        async fn failed(&self, _: &str, _: &str) -> Result<(), StoreError> {
            Ok(())
        }
    }

    fn event(sequence: i64, action: &str, target: &str, outcome: AuditOutcome) -> AuditEvent {
        AuditEvent {
            sequence,
            id: Uuid::nil(),
            at: Timestamp::from_millis(1_800_000_000_000),
            event: NewAuditEvent {
                target: Some(target.to_owned()),
                ..NewAuditEvent::new(Actor::Panel, action, outcome)
            },
        }
    }

    #[tokio::test]
    async fn each_is_told_once_of_what_was_done_to_their_own_account_and_of_nothing_else() {
        use AuditOutcome::{Denied, Succeeded};
        let two = Arc::new(Two {
            told: Mutex::default(),
            events: vec![
                event(1, act::NEW_DEVICE, "anna", Succeeded),
                event(2, act::CHANGE_PASSWORD, "ben", Denied),
                event(3, act::CHANGE_ROLE, "ben", Succeeded),
                event(4, act::ADD_PERSON, "anna", Succeeded),
            ],
        });
        let listing = Arc::new(Listing::default());
        let own = OwnMail {
            mailboxes: two.clone(),
            post: Post {
                alerts: two.clone(),
                mail: listing.clone(),
            },
            public_url: "https://panel.example".into(),
        };
        own.round().await.unwrap();
        own.round().await.unwrap();
        let sent = listing.done();
        assert_eq!(sent.len(), 2, "{sent:?}");
        assert!(sent[0].contains("anna@example.org"), "{sent:?}");
        assert!(sent[0].contains("signed in with a new browser"), "{sent:?}");
        assert!(sent[1].contains("ben@example.org"), "{sent:?}");
        assert!(sent[1].contains("the role was changed"), "{sent:?}");
        assert_eq!(*two.told.lock().unwrap(), [100, 100]);
    }
}
