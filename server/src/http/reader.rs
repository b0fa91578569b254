//! Whoever reads an event stream, and until when: a sign-out ends it at once, a change of the person
//! sends the browser back to the door, and a session that ran out is found within minutes.

use std::sync::Arc;
use std::time::Duration;

use app::Viewer;
use axum::body::Bytes;
use domain::person::Roles;
use domain::time::Timestamp;
use tokio::sync::broadcast::{self, error::RecvError};
use tower_sessions::Session;
use tower_sessions::session::Id;
use uuid::Uuid;

use super::known_people::{Acquaintance, News};
use super::sessions::{Door, is_ended};

/// How often a session is looked up though nothing was heard of it.
const RECHECK: Duration = Duration::from_secs(600);

/// The last word of a stream whose session is over.
pub(super) const SIGNED_OUT: Bytes = Bytes::from_static(b"event: signed-out\ndata: 1\n\n");

/// Who reads.
pub(super) struct Reader {
    door: Door,
    news: broadcast::Receiver<News>,
    session: Option<Id>,
    /// Its row in the table of sessions.
    row: Option<Uuid>,
    signed_in_at: Timestamp,
    person: Uuid,
    roles: Roles,
    epoch: i64,
}

/// How a reader stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Same,
    /// The person is another one, or kept out, or the session's record is gone. Their browser may hold a
    /// renewed session: it comes back by itself, and the door tells it.
    Changed,
    Over,
}

impl Reader {
    pub(super) fn new(door: &Door, session: &Session, viewer: &Arc<Viewer>) -> Self {
        Self {
            door: door.clone(),
            news: door.people.news(),
            session: session.id(),
            row: viewer.session,
            signed_in_at: viewer.signed_in_at,
            person: viewer.person.id,
            roles: viewer.person.roles.clone(),
            epoch: viewer.person.session_epoch,
        }
    }

    /// Resolves when the stream must end, with its last word if there is one.
    pub(super) async fn left(mut self) -> Option<Bytes> {
        let every = RECHECK.min(self.door.limits.touch());
        let first = tokio::time::Instant::now() + every;
        let mut again = tokio::time::interval_at(first, every);
        // What happened between the look at the door and the first news that is heard here.
        match self.persons_standing().await {
            Some(Standing::Over) => return Some(SIGNED_OUT),
            Some(Standing::Changed) => return None,
            Some(Standing::Same) | None => {}
        }
        loop {
            let concerns = tokio::select! {
                news = self.news.recv() => match news {
                    Ok(News::SignedOut(id)) if self.session == Some(id) => return Some(SIGNED_OUT),
                    Ok(News::SignedOut(_)) => false,
                    Ok(News::Person(id)) => id == self.person,
                    Ok(News::Everybody) | Err(RecvError::Lagged(_)) => true,
                    Err(RecvError::Closed) => return None,
                },
                _ = again.tick() => true,
            };
            if concerns {
                // Boxed: a thousand streams need not keep room for it.
                match Box::pin(self.standing()).await {
                    Standing::Same => {}
                    Standing::Changed => return None,
                    Standing::Over => return Some(SIGNED_OUT),
                }
            }
        }
    }

    /// What the person's row and the list of their sessions decide; `None` when both allow it.
    async fn persons_standing(&self) -> Option<Standing> {
        if self.door.clock.now().since(self.signed_in_at) > self.door.limits.absolute {
            return Some(Standing::Over);
        }
        match self.door.people.find(self.person).await {
            Ok(Some(known)) if is_ended(&known.sessions, self.row) => Some(Standing::Over),
            Ok(Some(Acquaintance { person, .. }))
                if person.disabled_at.is_none()
                    && person.roles == self.roles
                    && person.session_epoch == self.epoch =>
            {
                None
            }
            Ok(_) => Some(Standing::Changed),
            // The database is away: a stream that was allowed goes on.
            Err(_) => Some(Standing::Same),
        }
    }

    /// The person first: a new password ends the session's record too, and is not a sign-out.
    async fn standing(&self) -> Standing {
        if let Some(standing) = self.persons_standing().await {
            return standing;
        }
        let Some(id) = self.session else {
            return Standing::Over;
        };
        match self.door.records.load(&id).await {
            Ok(None) => Standing::Changed,
            Ok(Some(_)) | Err(_) => Standing::Same,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::post;
    use domain::session::PersonSession;
    use tower_sessions::SessionStore as _;

    use super::*;
    use crate::http::sign_in::sign_out;
    use crate::http::testing::{Browser, ROW, anna, house, reader};

    #[tokio::test]
    async fn a_sign_out_ends_the_streams_of_that_session_and_of_no_other() {
        let house = house();
        let routes = Router::new().route("/out", post(sign_out).with_state(house.desk()));
        let ((one, here), (_, there)) = (reader(&house).await, reader(&house).await);
        let mut browser = Browser::new(&house.around(routes));
        browser.cookie = Some(format!("id={one}"));
        browser.post("/out").await;
        assert_eq!(here.left().await, Some(SIGNED_OUT));
        let mut other = std::pin::pin!(there.left());
        assert!(futures::poll!(&mut other).is_pending());
    }

    #[tokio::test]
    async fn a_session_that_was_ended_elsewhere_ends_its_streams() {
        let house = house();
        let (_, reader) = reader(&house).await;
        let now = house.door.clock.now();
        house.folks.sessions.lock().unwrap().push(PersonSession {
            id: ROW,
            epoch: 1,
            turn: 0,
            begun_at: now,
            seen_at: now,
            ended_at: Some(now),
            address: None,
            browser: None,
            is_new: false,
        });
        house.door.people.forget(Some(anna().id));
        assert_eq!(reader.left().await, Some(SIGNED_OUT));
    }

    #[tokio::test]
    async fn a_changed_person_comes_back_to_the_door_without_being_called_signed_out() {
        let house = house();
        let (_, reader) = reader(&house).await;
        house.folks.next_epoch(anna().id);
        house.door.people.forget(Some(anna().id));
        assert_eq!(reader.left().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_ended_unheard_sends_its_stream_back_to_the_door() {
        let house = house();
        let (id, reader) = reader(&house).await;
        house.sessions.delete(&id).await.unwrap();
        assert_eq!(reader.left().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_happened_before_the_stream_began_to_listen_ends_it_at_once() {
        let house = house();
        let (_, reader) = reader(&house).await;
        house.folks.next_epoch(anna().id);
        house.door.people.forget(None);
        let reader = Reader {
            news: house.door.people.news(),
            ..reader
        };
        let at = tokio::time::Instant::now();
        assert_eq!(reader.left().await, None);
        assert_eq!(at.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_outlives_no_session_that_ran_to_its_limit() {
        let house = house();
        let (_, reader) = reader(&house).await;
        house.clock.forward(house.door.limits.absolute + RECHECK);
        assert_eq!(reader.left().await, Some(SIGNED_OUT));
    }
}
