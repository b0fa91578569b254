//! When loops look: by their pace, and at once when something happened.

use std::sync::Mutex;

use async_trait::async_trait;
use domain::compare::Comparison;
use domain::fact::{Account, Container, Edge, Process};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{Gateway, GatewayId};
use domain::logs::LogLine;
use domain::operation::{Operation, OperationId};
use domain::ports::Clock;
use domain::time::Timestamp;
use futures::stream::{self, BoxStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use super::*;
use crate::board::Remembered;
use crate::planned::Planned;
use crate::senses::{Resources, Seen};

/// A world in which the public URL is looked at and nothing else answers.
struct World {
    looks: mpsc::UnboundedSender<Instant>,
    /// A look takes one, and waits for it.
    answers: Semaphore,
    ended: watch::Sender<Option<OperationId>>,
    socket: Mutex<Option<mpsc::Receiver<()>>>,
}

fn silent() -> Fault {
    Fault::new(
        FaultKind::Unreachable,
        Boundary::Gateway,
        "nothing is there",
    )
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }
}

#[async_trait]
impl Planned for World {
    fn latest(&self, _: &GatewayId) -> Option<Operation> {
        None
    }

    async fn next_end(&self, _: &GatewayId, before: Option<OperationId>) -> OperationId {
        let mut ended = self.ended.subscribe();
        let news = ended.wait_for(|id| id.is_some() && *id != before).await;
        news.unwrap().unwrap()
    }
}

#[async_trait]
impl Senses for World {
    async fn edge(&self) -> Seen<Edge> {
        self.looks.send(Instant::now()).unwrap();
        self.answers.acquire().await.unwrap().forget();
        Seen {
            state: State::Ok,
            headline: "Answers".to_owned(),
            reason: String::new(),
            latency_ms: None,
            detail: None,
        }
    }

    async fn process(&self) -> Seen<Process> {
        std::future::pending().await
    }

    async fn accounts(&self) -> Result<Option<Vec<Account>>, Fault> {
        Err(silent())
    }

    async fn container(&self) -> Result<Option<Container>, Fault> {
        Err(silent())
    }

    async fn compare(&self) -> Result<Comparison, Fault> {
        Err(silent())
    }

    async fn last_lines(&self) -> Result<Vec<LogLine>, Fault> {
        Err(silent())
    }

    async fn deaths(&self) -> Result<Vec<Timestamp>, Fault> {
        Err(silent())
    }

    fn news(&self) -> BoxStream<'static, ContainerNews> {
        stream::pending().boxed()
    }

    fn resources(&self) -> BoxStream<'static, Result<Resources, Fault>> {
        stream::pending().boxed()
    }

    async fn socket_changed(&self) {
        let told = self.socket.lock().unwrap().take();
        match told {
            Some(mut told) => {
                told.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}

const HOUR: Duration = Duration::from_secs(3_600);
/// What a look at once may be late by: it waits a little for more news.
const AT_ONCE: Duration = Duration::from_millis(200);

struct Observed {
    world: Arc<World>,
    looks: mpsc::UnboundedReceiver<Instant>,
    socket: mpsc::Sender<()>,
    stop: CancellationToken,
}

fn observed() -> Observed {
    let (looks, looked) = mpsc::unbounded_channel();
    let (socket, told) = mpsc::channel(1);
    let world = Arc::new(World {
        looks,
        answers: Semaphore::new(0),
        ended: watch::Sender::new(None),
        socket: Mutex::new(Some(told)),
    });
    let gateway = Gateway {
        id: "openclaw".parse().unwrap(),
        name: "OpenClaw".to_owned(),
        public_url: "https://claw.test".to_owned(),
        stand_in: false,
    };
    let (keeper, _) = mpsc::channel(1);
    let board = Board::new(
        gateway,
        world.clone(),
        world.clone(),
        keeper,
        Remembered::default(),
    );
    let stop = CancellationToken::new();
    let pace = Pace {
        probe: HOUR,
        edge: HOUR,
        container: HOUR,
        config: HOUR,
    };
    Observers::new(TaskTracker::new(), stop.clone()).observe(Arc::new(board), world.clone(), pace);
    Observed {
        world,
        looks: looked,
        socket,
        stop,
    }
}

impl Observed {
    async fn next_look(&mut self) -> Instant {
        self.looks.recv().await.unwrap()
    }

    fn answer(&self) {
        self.world.answers.add_permits(1);
    }

    fn operation_ends(&self, id: u128) {
        let id = OperationId(uuid::Uuid::from_u128(id));
        self.world.ended.send_replace(Some(id));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_happens_so_looks_come_by_their_pace() {
    let mut observed = observed();
    let first = observed.next_look().await;
    observed.answer();
    let second = observed.next_look().await;
    assert!(second - first >= HOUR.mul_f64(0.9));
    observed.stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn what_an_operation_changed_is_looked_at_when_it_has_ended() {
    let mut observed = observed();
    observed.next_look().await;
    observed.answer();
    for id in [1, 2] {
        let ended = Instant::now();
        observed.operation_ends(id);
        assert!(observed.next_look().await - ended <= AT_ONCE);
        observed.answer();
    }
    observed.stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_look_that_began_before_the_news_is_followed_by_another() {
    let mut observed = observed();
    let began = observed.next_look().await;
    observed.operation_ends(1);
    observed.socket.send(()).await.unwrap();
    // Both calls have been made while the look is on its way.
    tokio::time::sleep(Duration::from_secs(1)).await;
    observed.answer();
    let again = observed.next_look().await;
    assert!(again - began <= Duration::from_secs(1) + AT_ONCE);
    // One look answers all of them.
    observed.answer();
    let later = observed.next_look().await;
    assert!(later - again >= HOUR.mul_f64(0.9));
    observed.stop.cancel();
}
