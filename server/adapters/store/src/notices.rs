//! What other processes did, by LISTEN and NOTIFY.

use std::time::Duration;

use domain::gateway::GatewayId;
use domain::operation::OperationId;
use futures::stream::{self, Stream};
use sqlx::postgres::{PgConnection, PgListener, PgNotification, PgPool};
use tracing::{info, warn};
use uuid::Uuid;

use crate::store::Store;

const OPERATIONS: &str = "panel_operations";
const PEOPLE: &str = "panel_people";

/// A connection that is silent for so long is asked whether it still lives.
const SILENCE: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Something changed in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// An operation's journal grew to `sequence`; 0: it began.
    Operation {
        /// Which.
        id: OperationId,
        /// The newest entry.
        sequence: i64,
        /// On which gateway.
        gateway: GatewayId,
    },
    /// A person was changed: disabled, given another role or password. Sessions of an older epoch end.
    People(Uuid),
    /// Notices may have been missed (said at the begin, too): read again what you show.
    Lagged,
}

impl Store {
    /// Notices, for ever. Takes a connection of the pool: listen once per process and fan out.
    /// The first item is [`Notice::Lagged`]: from then on nothing is missed.
    pub fn listen(&self) -> impl Stream<Item = Notice> + Send + use<> {
        stream::unfold(Listening::to(self.pool.clone()), |mut listening| async {
            let notice = listening.next().await?;
            Some((notice, listening))
        })
    }
}

struct Listening {
    pool: PgPool,
    listener: Option<PgListener>,
    pause: Duration,
}

impl Listening {
    fn to(pool: PgPool) -> Self {
        Self {
            pool,
            listener: None,
            pause: Duration::ZERO,
        }
    }

    /// `None` only when the store was closed.
    async fn next(&mut self) -> Option<Notice> {
        loop {
            if self.pool.is_closed() {
                return None;
            }
            let Some(listener) = &mut self.listener else {
                tokio::time::sleep(self.pause).await;
                match connect(&self.pool).await {
                    Ok(listener) => {
                        self.listener = Some(listener);
                        self.pause = FIRST_PAUSE;
                        return Some(Notice::Lagged);
                    }
                    Err(error) => {
                        if self.pause < LONGEST_PAUSE {
                            warn!(%error, "Cannot listen to the database");
                        }
                        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                    }
                }
                continue;
            };
            match tokio::time::timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(notification))) => {
                    if let Some(notice) = read(&notification) {
                        return Some(notice);
                    }
                }
                Err(_) if answers(listener).await => {}
                // Listening again on the old listener would lose what is said in between: the
                // new one says `Lagged` after it listens.
                Ok(Ok(None) | Err(_)) | Err(_) => {
                    info!("Lost the connection that listens to the database");
                    self.listener = None;
                }
            }
        }
    }
}

async fn connect(pool: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen_all([OPERATIONS, PEOPLE]).await?;
    Ok(listener)
}

async fn answers(listener: &mut PgListener) -> bool {
    let asking = sqlx::query("SELECT 1").execute(&mut *listener);
    matches!(tokio::time::timeout(ANSWER, asking).await, Ok(Ok(_)))
}

fn read(notification: &PgNotification) -> Option<Notice> {
    let payload = notification.payload();
    let notice = match notification.channel() {
        PEOPLE => payload.parse().ok().map(Notice::People),
        _ => read_operation(payload),
    };
    if notice.is_none() {
        warn!(payload, "A notification that nobody understands");
    }
    notice
}

fn read_operation(payload: &str) -> Option<Notice> {
    let mut words = payload.split(' ');
    Some(Notice::Operation {
        id: OperationId(words.next()?.parse().ok()?),
        sequence: words.next()?.parse().ok()?,
        gateway: words.next()?.parse().ok()?,
    })
}

/// Said when the caller's transaction commits.
pub(crate) async fn tell_operation(
    connection: &mut PgConnection,
    id: OperationId,
    sequence: i64,
    gateway: &str,
) -> sqlx::Result<()> {
    let payload = format!("{id} {sequence} {gateway}");
    sqlx::query!("SELECT pg_notify('panel_operations', $1)", payload)
        .execute(connection)
        .await
        .map(drop)
}

/// Said when the caller's transaction commits.
pub(crate) async fn tell_person(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_notify('panel_people', $1)", id.to_string())
        .execute(connection)
        .await
        .map(drop)
}
