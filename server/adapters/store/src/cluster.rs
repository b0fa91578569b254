//! A Postgres of the panel's own, for those who bring none: made on the first start from the machine's
//! Postgres programs, reachable through a socket that only its owner enters, started again when it
//! dies, and stopped by the last process that used it.
//!
//! # Who starts and who stops
//! Every process that uses the cluster holds a shared lock on `users.lock`; the kernel takes it back
//! however the process ends. Starting and stopping happen under an exclusive lock on `start.lock`. So
//! two processes never start it at once, the last one out stops it, and a Postgres left behind by a
//! panel that was killed is found running, used, and stopped in the end.

mod error;
mod keeper;
mod lock;
mod make;
mod place;
mod programs;
mod server;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio_util::sync::CancellationToken;
use tracing::info;

pub use self::error::ClusterError;
use self::keeper::Keeper;
use self::place::Place;
use self::programs::Programs;
use self::server::Server;
use crate::config::DatabaseConfig;

/// The database and its owner within the cluster.
const NAME: &str = "panel";
/// As whom the panel works: it owns nothing, so that it cannot change the audit trail.
const WORKER: &str = "panel_worker";

/// Where the private cluster lives.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// The panel's data folder; the cluster takes its sub-folder `postgres`.
    pub data_folder: PathBuf,
    /// The folder with `initdb` and `postgres`, when they are not to be looked for.
    pub programs: Option<PathBuf>,
}

/// The private cluster, running, and kept running until [`Cluster::stop`].
pub struct Cluster {
    place: Place,
    options: PgConnectOptions,
    worker: PgConnectOptions,
    users: File,
    keeper: Keeper,
}

impl Cluster {
    /// Makes the cluster when there is none, starts it when it does not run, and keeps it running.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub async fn open(config: ClusterConfig) -> Result<Self, ClusterError> {
        let place = Place::prepare(&config.data_folder)?;
        let given = config.programs.as_deref();
        let programs = Programs::find(given, place.version()?, &place.data()).await?;
        let starting = lock::exclusive(&place.start_lock()).await?;
        if place.version()?.is_none() {
            info!("Making a database in `{}`", place.data().display());
            make::cluster(&place, &programs).await?;
        }
        let server = Server::new(place.clone(), programs);
        let running = server.ensure().await?;
        let users = lock::shared(&place.users_lock())?;
        let options = options(&place)?;
        let worker_password = place.worker_password()?;
        make_database(&options, &worker_password).await?;
        drop(starting);
        Ok(Self {
            keeper: Keeper::start(server, running, CancellationToken::new()),
            place,
            worker: options.clone().username(WORKER).password(&worker_password),
            options,
            users,
        })
    }

    /// How to connect to it.
    pub fn database(&self) -> DatabaseConfig {
        DatabaseConfig {
            owner: Some(self.options.clone().database(NAME)),
            ..DatabaseConfig::from_options(self.worker.clone().database(NAME))
        }
    }

    /// Stops keeping it, and stops it when no other process uses it. Close the store before.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn stop(self) -> Result<(), ClusterError> {
        let server = self.keeper.stop().await;
        let _stopping = lock::exclusive(&self.place.start_lock()).await?;
        drop(self.users);
        if lock::is_free(&self.place.users_lock())? {
            server.shut_down().await?;
        }
        Ok(())
    }
}

fn options(place: &Place) -> Result<PgConnectOptions, ClusterError> {
    Ok(PgConnectOptions::new_without_pgpass()
        .socket(place.socket_folder())
        .port(place::PORT)
        .username(NAME)
        .password(&place.password()?)
        .ssl_mode(sqlx::postgres::PgSslMode::Disable)
        .database("postgres"))
}

/// Under the start lock, so that nobody else makes them in between.
async fn make_database(
    options: &PgConnectOptions,
    worker_password: &str,
) -> Result<(), ClusterError> {
    let making = async {
        let mut connection = options.clone().connect().await?;
        let there = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1) AS "there!""#,
            NAME,
        )
        .fetch_one(&mut connection)
        .await?;
        if !there {
            sqlx::query("CREATE DATABASE panel")
                .execute(&mut connection)
                .await?;
        }
        let has_worker = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1) AS "there!""#,
            WORKER,
        )
        .fetch_one(&mut connection)
        .await?;
        // The password is the file's, whatever was before.
        let verb = if has_worker { "ALTER" } else { "CREATE" };
        let statement = format!("{verb} ROLE {WORKER} LOGIN PASSWORD '{worker_password}'");
        sqlx::query(&statement).execute(&mut connection).await?;
        connection.close().await
    };
    tokio::time::timeout(Duration::from_secs(30), making)
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut))
        .map_err(ClusterError::Connect)
}
