//! The audit trail and its reviews, as the fakes have them: the rules of the domain on what the world holds.

use async_trait::async_trait;
use domain::audit::{AuditEvent, Filter, Hash, NewAuditEvent, SavedView};
use domain::can::Permit;
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::person::Actor;
use domain::ports::{
    AuditReader, AuditTrail, Chained, Found, Place, ReviewError, Reviews, SavedViews, StoreError,
    Vocabulary, Waiting,
};
use domain::review::{Agreed, Answer, Draft, Review, may_review, waits};
use domain::time::Timestamp;
use uuid::Uuid;

use crate::fakes::{Fake, NOW, away};

#[async_trait]
impl AuditTrail for Fake {
    async fn record(&self, event: NewAuditEvent) -> Result<AuditEvent, StoreError> {
        self.0.written.lock().unwrap().push(event.clone());
        self.0.store(AuditEvent {
            sequence: 1,
            id: Uuid::nil(),
            at: NOW,
            event,
        })
    }
    async fn list(&self, _: Option<i64>, _: u32) -> Result<Vec<AuditEvent>, StoreError> {
        self.0.store(self.0.audit.clone())
    }
}

#[async_trait]
impl AuditReader for Fake {
    async fn page(&self, filter: &Filter, place: Place, limit: u32) -> Result<Found, StoreError> {
        let mut events: Vec<AuditEvent> = self
            .0
            .audit
            .iter()
            .filter(|event| filter.takes(event, NOW))
            .filter(|event| match place {
                Place::Newest => true,
                Place::Before(number) => event.sequence < number,
                Place::After(number) => event.sequence > number,
            })
            .cloned()
            .collect();
        events.sort_by_key(|event| match place {
            Place::After(_) => event.sequence,
            _ => -event.sequence,
        });
        let more = events.len() > limit as usize;
        events.truncate(limit as usize);
        events.sort_by_key(|event| -event.sequence);
        self.0.store(Found {
            events,
            more,
            searched_to: self.0.searched_to,
        })
    }

    async fn fitting(
        &self,
        filter: &Filter,
        events: Vec<AuditEvent>,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let events = events.into_iter();
        self.0
            .store(events.filter(|event| filter.takes(event, NOW)).collect())
    }

    async fn event(&self, sequence: i64) -> Result<Option<Chained>, StoreError> {
        let event = self.0.audit.iter().find(|event| event.sequence == sequence);
        self.0.store(event.map(|event| Chained {
            event: event.clone(),
            previous: Hash([0xaa; 32]),
            hash: Hash([0xbb; 32]),
        }))
    }

    async fn of_operations(&self, ids: &[OperationId]) -> Result<Vec<AuditEvent>, StoreError> {
        let is_of = |event: &&AuditEvent| event.event.operation.is_some_and(|id| ids.contains(&id));
        let mut events: Vec<AuditEvent> = self.0.audit.iter().filter(is_of).cloned().collect();
        events.sort_by_key(|event| event.sequence);
        self.0.store(events)
    }

    async fn outages(
        &self,
        asked: &[(GatewayId, Timestamp)],
    ) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let since = asked.iter().map(|_| self.0.down_since).collect();
        self.0.store(since)
    }

    async fn new_addresses(&self, sequences: &[i64]) -> Result<Vec<i64>, StoreError> {
        let new = sequences
            .iter()
            .filter(|number| self.0.new_addresses.contains(number));
        self.0.store(new.copied().collect())
    }

    async fn vocabulary(&self) -> Result<Vocabulary, StoreError> {
        let mut known = Vocabulary::default();
        for event in &self.0.audit {
            let actor = &event.event.actor;
            let one = (actor.key(), actor.name().to_owned());
            if !known.people.contains(&one) {
                known.people.push(one);
            }
            if !known.actions.contains(&event.event.action) {
                known.actions.push(event.event.action.clone());
            }
        }
        self.0.store(known)
    }
}

#[async_trait]
impl Reviews for Fake {
    async fn review(&self, permit: Permit, draft: Draft) -> Result<Review, ReviewError> {
        let by = permit.actor().clone();
        let covered = self
            .0
            .audit
            .iter()
            .filter(|event| draft.covers.contains(event.sequence));
        let covered: Vec<&AuditEvent> = covered.collect();
        if covered.is_empty() {
            return Err(ReviewError::Unknown);
        }
        if covered
            .iter()
            .all(|event| may_review(&by, event, &self.0.agreed).is_err())
        {
            return Err(ReviewError::Own);
        }
        self.0.note(format!(
            "{} reviews {}: {} {:?} to {:?}",
            by.name(),
            draft.covers.text(),
            draft.verdict.as_str(),
            draft.comment,
            draft.asked.as_ref().map(|asked| asked.name.as_str()),
        ));
        Ok(Review {
            id: Uuid::nil(),
            covers: draft.covers,
            verdict: draft.verdict,
            comment: draft.comment,
            asked: draft.asked,
            by,
            at: NOW,
            answers: Vec::new(),
        })
    }

    async fn answer(&self, by: &Actor, review: Uuid, text: String) -> Result<Review, ReviewError> {
        let found = self.0.reviews.iter().find(|one| one.id == review);
        let mut review = found.cloned().ok_or(ReviewError::Unknown)?;
        review.may_answer(by).map_err(ReviewError::NotYours)?;
        self.0.note(format!("{} answers {text}", by.name()));
        review.answers.push(Answer {
            by: by.clone(),
            at: NOW,
            text,
        });
        Ok(review)
    }

    async fn of_events(&self, sequences: &[i64]) -> Result<Vec<Review>, StoreError> {
        let covers = |review: &&Review| {
            sequences
                .iter()
                .any(|number| review.covers.contains(*number))
        };
        self.0
            .store(self.0.reviews.iter().filter(covers).cloned().collect())
    }

    async fn agreed(&self, _: &[OperationId]) -> Result<Agreed, StoreError> {
        self.0.store(self.0.agreed.clone())
    }

    async fn questions(&self) -> Result<Vec<Review>, StoreError> {
        let open = self.0.reviews.iter();
        let open = open.filter(|review| review.asked.is_some() && review.answers.is_empty());
        self.0.store(open.cloned().collect())
    }

    async fn waiting(&self, limit: u32) -> Result<Waiting, StoreError> {
        let mut events: Vec<AuditEvent> = self
            .0
            .audit
            .iter()
            .filter(|event| waits(event, &self.0.reviews, &self.0.agreed))
            .cloned()
            .collect();
        events.sort_by_key(|event| -event.sequence);
        let oldest = events.last().map(|event| event.at);
        let more = events.len() > limit as usize;
        events.truncate(limit as usize);
        let settled = self
            .0
            .reviews
            .iter()
            .filter(|review| review.verdict.settles());
        if self.0.unsaid == Some("what waits for a review") {
            return Err(away());
        }
        self.0.store(Waiting {
            events,
            more,
            oldest,
            agreed: self.0.agreed.clone(),
            last_at: settled.map(|review| review.at).max(),
        })
    }
}

#[async_trait]
impl SavedViews for Fake {
    async fn of(&self, _: Uuid) -> Result<Vec<SavedView>, StoreError> {
        self.0.store(self.0.saved_views.clone())
    }
    async fn save(&self, _: Uuid, name: &str, query: &str) -> Result<bool, StoreError> {
        self.0.note(format!("view {name}: {query}"));
        Ok(name != "one too many")
    }
    async fn remove(&self, _: Uuid, id: Uuid) -> Result<bool, StoreError> {
        self.0.note(format!("view {id} removed"));
        Ok(self.0.saved_views.iter().any(|view| view.id == id))
    }
}
