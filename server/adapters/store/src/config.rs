//! Which database, and how patiently.

use std::str::FromStr as _;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;

/// The text is no Postgres URL. Does not repeat the text: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error(
    "the database URL cannot be read: write it as postgres://user:password@host:5432/database, \
     with special characters of the password percent-encoded"
)]
pub struct BadDatabaseUrl;

/// Which database the store uses, and its limits.
#[derive(Clone)]
pub struct DatabaseConfig {
    pub(crate) options: PgConnectOptions,
    /// As whom tables are brought up to date, when that is another role than the panel's own.
    pub(crate) owner: Option<PgConnectOptions>,
    /// Most connections at once.
    pub connections: u32,
    /// How long a call waits for a connection, a new one included.
    pub acquire_timeout: Duration,
    /// How long the server may work on one statement.
    pub statement_timeout: Duration,
    /// How long a call may take in all, answer included.
    pub call_timeout: Duration,
    /// Password checks at once; each takes 19 MB and a core for some milliseconds.
    pub password_checks: usize,
}

impl DatabaseConfig {
    /// Reads `postgres://…`.
    ///
    /// # Errors
    /// [`BadDatabaseUrl`], which does not repeat the text.
    pub fn from_url(url: &SecretString) -> Result<Self, BadDatabaseUrl> {
        PgConnectOptions::from_str(url.expose_secret())
            .map(Self::from_options)
            .map_err(|_| BadDatabaseUrl)
    }

    /// Has tables brought up to date by the role of another URL, so that the panel's own needs no right to change the
    /// audit trail.
    ///
    /// # Errors
    /// [`BadDatabaseUrl`], which does not repeat the text.
    pub fn owned_by(mut self, url: &SecretString) -> Result<Self, BadDatabaseUrl> {
        let owner = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| BadDatabaseUrl)?;
        self.owner = Some(owner.application_name("openclaw-panel"));
        Ok(self)
    }

    pub(crate) fn from_options(options: PgConnectOptions) -> Self {
        Self {
            options: options.application_name("openclaw-panel"),
            owner: None,
            connections: 12,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(8),
            call_timeout: Duration::from_secs(10),
            password_checks: 2,
        }
    }
}
