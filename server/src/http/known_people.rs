//! People as last read, so that a page costs no query, and the news about them for open event streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::person::Person;
use domain::ports::{Clock, People, StoreError};
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

/// People as last read.
pub(crate) struct KnownPeople {
    people: Arc<dyn People>,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<Uuid, (Timestamp, Option<Person>)>>,
    news: broadcast::Sender<News>,
}

impl KnownPeople {
    pub(crate) fn new(people: Arc<dyn People>, clock: Arc<dyn Clock>) -> Self {
        Self {
            people,
            clock,
            known: Mutex::default(),
            news: broadcast::Sender::new(LAG),
        }
    }

    /// Forgets what was known (of all, without an id): somebody changed it.
    pub(crate) fn forget(&self, id: Option<Uuid>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match id {
            Some(id) => drop(known.remove(&id)),
            None => known.clear(),
        }
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

    /// Notes that somebody is here. Only a convenience for admins: nothing waits on its success.
    pub(super) async fn note_seen(&self, id: Uuid) {
        if let Err(error) = self.people.note_seen(id).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "A visit could not be noted"
            );
        }
    }

    fn tell(&self, news: News) {
        // Nobody listening is fine: no stream is open.
        let _listeners = self.news.send(news);
    }

    pub(super) async fn find(&self, id: Uuid) -> Result<Option<Person>, StoreError> {
        let now = self.clock.now();
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, person)) = known.get(&id)
                && now.since(*at) < PERSON_FRESH
            {
                return Ok(person.clone());
            }
        }
        match self.people.find(id).await {
            Ok(person) => {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(id, (now, person.clone()));
                Ok(person)
            }
            Err(error) => {
                // The database is away: whoever was let in a moment ago may go on looking; every change
                // needs the database anyway.
                let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                match known.get(&id) {
                    Some((_, person)) => Ok(person.clone()),
                    None => Err(error),
                }
            }
        }
    }
}
