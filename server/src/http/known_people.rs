//! People as last read, so that a page costs no query, and the news about them for open event streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::person::Person;
use domain::ports::{Clock, People, Sessions, StoreError};
use domain::session::PersonSession;
use domain::time::Timestamp;
use tokio::sync::broadcast;
use tower_sessions::session::Id;
use uuid::Uuid;

/// A person as read stays good for this long when no notice says otherwise.
const PERSON_FRESH: Duration = Duration::from_secs(30);
/// News a slow stream may miss before it looks for itself.
const LAG: usize = 64;

/// Why an open event stream may have to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Somebody was changed.
    Person(Uuid),
    /// Notices were missed: anybody may have been changed.
    Everybody,
    /// A session was ended by its owner.
    SignedOut(Id),
}

/// A person with their sessions.
#[derive(Clone, Debug)]
pub(crate) struct Acquaintance {
    pub(crate) person: Person,
    /// Those that may be open, and those that were ended lately.
    pub(crate) sessions: Arc<[PersonSession]>,
}

/// What was read, and how often something of it was forgotten.
#[derive(Default)]
struct Known {
    people: HashMap<Uuid, (Timestamp, Option<Acquaintance>)>,
    generation: u64,
}

/// People as last read.
pub(crate) struct KnownPeople {
    people: Arc<dyn People>,
    sessions: Arc<dyn Sessions>,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    news: broadcast::Sender<News>,
}

impl KnownPeople {
    pub(crate) fn new(
        people: Arc<dyn People>,
        sessions: Arc<dyn Sessions>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            people,
            sessions,
            clock,
            known: Mutex::default(),
            news: broadcast::Sender::new(LAG),
        }
    }

    /// Forgets what was known (of all, without an id): somebody changed it.
    pub(crate) fn forget(&self, id: Option<Uuid>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match id {
            Some(id) => drop(known.people.remove(&id)),
            None => known.people.clear(),
        }
        known.generation += 1;
        drop(known);
        self.tell(id.map_or(News::Everybody, News::Person));
    }

    /// Somebody ended this session.
    pub(super) fn signed_out(&self, session: Id) {
        self.tell(News::SignedOut(session));
    }

    /// What happens from now on, for open event streams.
    pub(super) fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Notes that somebody is here. Only a convenience: nothing waits on its success.
    pub(super) async fn note_seen(&self, id: Uuid, session: Option<Uuid>, address: String) {
        let mut noted = self.people.note_seen(id).await;
        if let Some(session) = session {
            noted = noted.and(self.sessions.note_seen(session, Some(address)).await);
        }
        if let Err(error) = noted {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "A visit could not be noted"
            );
        }
    }

    /// The sessions, where they are kept.
    pub(super) fn sessions(&self) -> &dyn Sessions {
        &*self.sessions
    }

    async fn read(&self, id: Uuid) -> Result<Option<Acquaintance>, StoreError> {
        let Some(person) = self.people.find(id).await? else {
            return Ok(None);
        };
        let sessions = self.sessions.of(id).await?.into();
        Ok(Some(Acquaintance { person, sessions }))
    }

    fn tell(&self, news: News) {
        // Nobody listening is fine: no stream is open.
        let _listeners = self.news.send(news);
    }

    pub(super) async fn find(&self, id: Uuid) -> Result<Option<Acquaintance>, StoreError> {
        let now = self.clock.now();
        let generation = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, person)) = known.people.get(&id)
                && now.since(*at) < PERSON_FRESH
            {
                return Ok(person.clone());
            }
            known.generation
        };
        match self.read(id).await {
            Ok(person) => {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                // A row read before a change may come after the news of it: it must not be kept.
                if known.generation == generation {
                    known.people.insert(id, (now, person.clone()));
                }
                Ok(person)
            }
            Err(error) => {
                // The database is away: whoever was let in a moment ago may go on looking; every change
                // needs the database anyway.
                let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                match known.people.get(&id) {
                    Some((_, person)) => Ok(person.clone()),
                    None => Err(error),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::{Folks, Hands, anna};

    #[tokio::test]
    async fn a_row_that_was_read_before_a_change_is_not_kept_after_it() {
        let folks = Arc::new(Folks::default());
        folks.all.lock().unwrap().push(anna());
        let known = KnownPeople::new(folks.clone(), folks.clone(), Arc::new(Hands::default()));
        let epoch = async || {
            let found = known.find(anna().id).await.unwrap();
            found.unwrap().person.session_epoch
        };
        let gate = folks.hold();
        let mut early = std::pin::pin!(epoch());
        assert!(futures::poll!(&mut early).is_pending());
        // The row is read; then it changes, and the news come first.
        folks.next_epoch(anna().id);
        known.forget(Some(anna().id));
        drop(gate);
        assert_eq!(early.await, 1);
        assert_eq!(epoch().await, 2);
    }
}
