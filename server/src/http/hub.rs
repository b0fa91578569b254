//! One renderer for all who look at the same thing with the same role: a change is rendered once, and
//! every open page gets the same bytes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::live::Fragment;
use async_trait::async_trait;
use axum::body::Bytes;
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::person::Role;
use domain::ports::Clock;
use domain::time::Timestamp;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a page shows live.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// A gateway's page.
    Gateway(GatewayId),
    /// The list of a gateway's operations.
    Operations(GatewayId),
    /// An operation's page.
    Operation(OperationId),
    /// The screen that an operation's code was handed off to.
    HandedOff(OperationId),
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Something about one topic.
    Of(Topic),
    /// Notices were missed: everything may have changed.
    All,
}

/// What a topic looks like now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    /// Counts changes.
    pub(crate) revision: u64,
    /// Every live fragment of the page.
    pub(crate) fragments: Vec<Fragment>,
}

/// Makes the fragments of a topic for a role.
#[async_trait]
pub(crate) trait Render: Send + Sync {
    /// `None` when the topic does not exist (any more) or cannot be read.
    async fn render(&self, topic: &Topic, role: Role) -> Option<Look>;
}

/// Changes within this time are shown together.
const TOGETHER: Duration = Duration::from_millis(30);
/// While somebody reads, a feed looks again this often: facts go stale and waits end by time alone.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A feed without readers ends after this time.
const LINGER: Duration = Duration::from_secs(10);
/// The whole page is said with the time: readers within this one get the same message.
const SAID_AGAIN: Duration = Duration::from_secs(1);
/// Messages a slow reader may lag behind before it gets the whole page again.
const LAG: usize = 64;

type Key = (Topic, Role);

/// All feeds.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Inner>);

struct Inner {
    render: Arc<dyn Render>,
    clock: Arc<dyn Clock>,
    changes: broadcast::Sender<Change>,
    feeds: Mutex<HashMap<Key, Arc<Feed>>>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

struct Feed {
    patches: broadcast::Sender<Bytes>,
    whole: Mutex<Option<Whole>>,
    first: tokio::sync::Notify,
}

/// The page as it is, and the message that says so: a thousand readers who come at once get one.
struct Whole {
    look: Arc<Look>,
    said: Option<(Timestamp, Bytes)>,
}

/// A reader's place in a feed.
pub(crate) struct Seat {
    clock: Arc<dyn Clock>,
    feed: Arc<Feed>,
    patches: broadcast::Receiver<Bytes>,
}

/// What a reader gets next.
pub(crate) enum Next {
    /// Bytes to send.
    Patch(Bytes),
    /// The feed ended: the topic is gone or the panel stops.
    Ended,
}

impl Hub {
    pub(crate) fn new(
        render: Arc<dyn Render>,
        clock: Arc<dyn Clock>,
        tracker: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let changes = broadcast::Sender::new(1_024);
        Self(Arc::new(Inner {
            render,
            clock,
            changes,
            feeds: Mutex::default(),
            tracker,
            stop,
        }))
    }

    /// Tells all feeds that something changed.
    pub(crate) fn changed(&self, change: Change) {
        // Nobody looks: nothing to tell.
        let _readers = self.0.changes.send(change);
    }

    /// Takes a place in the feed of a topic; the first reader starts it.
    pub(crate) fn join(&self, topic: Topic, role: Role) -> Seat {
        let key = (topic, role);
        let mut feeds = self.0.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(&key) {
            return Seat {
                clock: self.0.clock.clone(),
                patches: feed.patches.subscribe(),
                feed: feed.clone(),
            };
        }
        let feed = Arc::new(Feed {
            patches: broadcast::Sender::new(LAG),
            whole: Mutex::default(),
            first: tokio::sync::Notify::new(),
        });
        let seat = Seat {
            clock: self.0.clock.clone(),
            patches: feed.patches.subscribe(),
            feed: feed.clone(),
        };
        feeds.insert(key.clone(), feed.clone());
        let changes = self.0.changes.subscribe();
        self.0.tracker.spawn(run(self.clone(), key, feed, changes));
        seat
    }

    /// How many feeds run; for tests and metrics.
    #[cfg(test)]
    pub(crate) fn feeds(&self) -> usize {
        self.0
            .feeds
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Ends a feed nobody reads; `false` when somebody joined meanwhile.
    fn leave(&self, key: &Key, feed: &Feed) -> bool {
        let mut feeds = self.0.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if feed.patches.receiver_count() > 0 {
            return false;
        }
        feeds.remove(key);
        true
    }

    fn close(&self, key: &Key) {
        self.0
            .feeds
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}

impl Seat {
    /// The whole page's fragments, as the feed has them.
    pub(crate) async fn whole(&self) -> Bytes {
        loop {
            let made = self.feed.first.notified();
            if let Some(whole) = self.whole_now() {
                return whole;
            }
            made.await;
        }
    }

    fn whole_now(&self) -> Option<Bytes> {
        let mut whole = self
            .feed
            .whole
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let whole = whole.as_mut()?;
        let now = self.clock.now();
        if let Some((at, said)) = &whole.said
            && now.since(*at) < SAID_AGAIN
        {
            return Some(said.clone());
        }
        let fragments: Vec<&Fragment> = whole.look.fragments.iter().collect();
        let said = message(&whole.look, &fragments, &*self.clock);
        whole.said = Some((now, said.clone()));
        Some(said)
    }

    /// The next change; after a lag the whole page.
    pub(crate) async fn next(&mut self) -> Next {
        match self.patches.recv().await {
            Ok(bytes) if bytes.is_empty() => Next::Ended,
            Ok(bytes) => Next::Patch(bytes),
            Err(broadcast::error::RecvError::Lagged(_)) => Next::Patch(self.whole().await),
            Err(broadcast::error::RecvError::Closed) => Next::Ended,
        }
    }
}

async fn run(hub: Hub, key: Key, feed: Arc<Feed>, mut changes: broadcast::Receiver<Change>) {
    let mut shown: Option<Arc<Look>> = None;
    loop {
        let Some(look) = hub.0.render.render(&key.0, key.1).await.map(Arc::new) else {
            // An empty message ends the readers' streams.
            set_whole(&feed, Arc::default());
            let _readers = feed.patches.send(Bytes::new());
            return hub.close(&key);
        };
        let old = shown.as_ref().map_or(&[][..], |shown| &shown.fragments);
        let changed = app::live::changed(old, &look.fragments);
        let patch = (!changed.is_empty()).then(|| message(&look, &changed, &*hub.0.clock));
        set_whole(&feed, look.clone());
        // The first look reaches its readers as a whole.
        if let (Some(patch), Some(_)) = (patch, shown.replace(look)) {
            let _readers = feed.patches.send(patch);
        }
        loop {
            tokio::select! {
                () = hub.0.stop.cancelled() => return hub.close(&key),
                change = changes.recv() => {
                    let concerns = match change {
                        Ok(Change::Of(topic)) => topic == key.0,
                        Ok(Change::All) | Err(broadcast::error::RecvError::Lagged(_)) => true,
                        Err(broadcast::error::RecvError::Closed) => return hub.close(&key),
                    };
                    if concerns {
                        tokio::time::sleep(TOGETHER).await;
                        drain(&mut changes);
                        break;
                    }
                }
                () = tokio::time::sleep(LOOK_AGAIN), if feed.patches.receiver_count() > 0 => break,
                () = tokio::time::sleep(LINGER), if feed.patches.receiver_count() == 0 => {
                    if hub.leave(&key, &feed) {
                        return;
                    }
                }
            }
        }
    }
}

/// Changes that came while waiting are shown by the same rendering.
fn drain(changes: &mut broadcast::Receiver<Change>) {
    while !matches!(
        changes.try_recv(),
        Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed)
    ) {}
}

fn set_whole(feed: &Feed, look: Arc<Look>) {
    let whole = Whole { look, said: None };
    *feed.whole.lock().unwrap_or_else(PoisonError::into_inner) = Some(whole);
    feed.first.notify_waiters();
}

/// A server-sent event `patch`; JSON has no raw line breaks, so one data line holds it all.
fn message(look: &Look, fragments: &[&Fragment], clock: &dyn Clock) -> Bytes {
    Bytes::from(format!(
        "event: patch\ndata: {}\n\n",
        app::live::patch(look.revision, fragments, clock.now())
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    /// Counts its renderings until its topic is gone.
    #[derive(Default)]
    struct Counter {
        renderings: AtomicUsize,
        gone: AtomicBool,
    }

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(7)
        }
    }

    #[async_trait]
    impl Render for Counter {
        async fn render(&self, _: &Topic, _: Role) -> Option<Look> {
            let n = self.renderings.fetch_add(1, Ordering::SeqCst);
            if self.gone.load(Ordering::SeqCst) {
                return None;
            }
            let fragments = vec![
                Fragment::new("same", "<p>same</p>".to_owned()),
                Fragment::new("n", format!("<p>{n}\n</p>")),
            ];
            Some(Look {
                revision: 1,
                fragments,
            })
        }
    }

    fn hub(counter: &Arc<Counter>) -> Hub {
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        Hub::new(counter.clone(), Arc::new(Still), tracker, stop)
    }

    fn topic() -> Topic {
        Topic::Gateway("g".parse().unwrap())
    }

    async fn patch(seat: &mut Seat) -> String {
        match seat.next().await {
            Next::Patch(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Next::Ended => "ended".to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_moved_is_sent_and_everybody_gets_the_same_bytes() {
        let counter = Arc::new(Counter::default());
        let hub = hub(&counter);
        let mut one = hub.join(topic(), Role::Admin);
        let mut two = hub.join(topic(), Role::Admin);
        let whole = String::from_utf8(one.whole().await.to_vec()).unwrap();
        assert!(whole.contains("<p>0") && whole.contains("same"), "{whole}");
        hub.changed(Change::Of(topic()));
        let (a, b) = (patch(&mut one).await, patch(&mut two).await);
        assert_eq!(a, b);
        assert!(a.contains("<p>1\\n</p>") && !a.contains("same"), "{a}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_feed_without_readers_ends_and_a_gone_topic_ends_its_readers() {
        let counter = Arc::new(Counter::default());
        let hub = hub(&counter);
        let seat = hub.join(topic(), Role::Viewer);
        seat.whole().await;
        drop(seat);
        tokio::time::sleep(LINGER * 2).await;
        assert_eq!(hub.feeds(), 0);
        let mut seat = hub.join(topic(), Role::Viewer);
        seat.whole().await;
        hub.changed(Change::All);
        assert!(patch(&mut seat).await.contains("<p>"));
        counter.gone.store(true, Ordering::SeqCst);
        hub.changed(Change::All);
        // What was on its way before still arrives.
        while patch(&mut seat).await != "ended" {}
    }

    #[tokio::test(start_paused = true)]
    async fn time_alone_is_shown_too() {
        let counter = Arc::new(Counter::default());
        let hub = hub(&counter);
        let mut seat = hub.join(topic(), Role::Viewer);
        seat.whole().await;
        // Nothing is said to have changed; the feed looks again by itself.
        assert!(patch(&mut seat).await.contains("<p>1"));
    }
}
