//! Which panel records a gateway, when several share a database: the one that holds an advisory lock.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::gateway::GatewayId;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::store::Store;

/// How soon another panel takes over from one that has ended.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// How soon it is noticed that the connection with the locks is gone.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(5);

impl Store {
    /// Takes the lead for each of `gateways` as soon as no other panel has it, until `stop`. The
    /// receiver tells for which ones this panel leads. While the database is away a panel that led
    /// goes on leading, so that nothing it sees is lost; another one that was quicker after that
    /// has the lead.
    pub fn lead(
        &self,
        gateways: Vec<GatewayId>,
        stop: CancellationToken,
    ) -> (
        watch::Receiver<BTreeSet<GatewayId>>,
        impl Future<Output = ()> + Send + use<>,
    ) {
        let (sender, leads) = watch::channel(BTreeSet::new());
        // A connection of its own: the locks last as long as it does.
        let race = Race {
            options: self.pool.connect_options().as_ref().clone(),
            gateways,
            leads: sender,
        };
        let racing = async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = race.run() => {}
            }
        };
        (leads, racing)
    }
}

struct Race {
    options: PgConnectOptions,
    gateways: Vec<GatewayId>,
    leads: watch::Sender<BTreeSet<GatewayId>>,
}

impl Race {
    async fn run(&self) {
        loop {
            if let Err(error) = self.with_connection().await {
                info!(%error, "The connection that holds the lead is lost");
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
    }

    /// As long as the connection lives.
    async fn with_connection(&self) -> sqlx::Result<()> {
        let mut connection = within(self.options.connect()).await?;
        let mut held = BTreeSet::new();
        loop {
            for gateway in &self.gateways {
                if !held.contains(gateway) && within(try_lock(&mut connection, gateway)).await? {
                    held.insert(gateway.clone());
                }
            }
            self.say(&held);
            if held.len() < self.gateways.len() {
                tokio::time::sleep(TRY_EVERY).await;
            } else {
                tokio::time::sleep(LOOK_EVERY).await;
                within(connection.ping()).await?;
            }
        }
    }

    fn say(&self, held: &BTreeSet<GatewayId>) {
        let before = self.leads.borrow().clone();
        if before == *held {
            return;
        }
        for gateway in held.difference(&before) {
            info!(gateway.id = %gateway, "This panel records what happens to the gateway");
        }
        for gateway in before.difference(held) {
            info!(gateway.id = %gateway, "Another panel records what happens to the gateway");
        }
        self.leads.send_replace(held.clone());
    }
}

async fn try_lock(connection: &mut PgConnection, gateway: &GatewayId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_lock(hashtextextended('panel observes ' || $1::text, 0)) AS "free!""#,
        gateway.as_str(),
    )
    .fetch_one(connection)
    .await
}

async fn within<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(ANSWER, work)
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut))
}
