//! The secret of a repository on GitHub, through its REST API.
//!
//! GitHub takes a secret only in a sealed box, made for the repository's public key, and never gives one back: that it
//! arrived is told by its date. The token is read anew for every call, so that it can be rotated under a running panel.

mod answer;
mod api;
mod door;
mod names;
mod sealed;
mod token;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::ports::{RepositorySecrets, SecretAccess};
use domain::time::Timestamp;
use secrecy::SecretString;

pub use api::{Api, BadApi};
pub use names::{BadRepository, BadSecretName, Repository, SecretName};
pub use token::Token;

use door::Door;

/// For one request and its answer: an operation waits for it.
const LIMIT: Duration = Duration::from_secs(20);
/// How far GitHub's clocks may lie apart.
const SKEW: Duration = Duration::from_secs(120);

/// A secret of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The repository.
    pub repository: Repository,
    /// The secret's name in it.
    pub name: SecretName,
}

/// GitHub, and the secret of each gateway that has one there.
#[derive(Clone, Debug)]
pub struct GitHub {
    client: reqwest::Client,
    api: Api,
    token: Option<Token>,
    secrets: BTreeMap<GatewayId, Secret>,
    limit: Duration,
}

impl GitHub {
    /// Connects nothing and reads no token yet. Without a token every gateway with a secret is told that it is missing.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(
        api: Api,
        token: Option<Token>,
        secrets: impl IntoIterator<Item = (GatewayId, Secret)>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            client: api::client()?,
            api,
            token,
            secrets: secrets.into_iter().collect(),
            limit: LIMIT,
        })
    }

    /// The same, with another limit for each request.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    async fn door<'a>(&'a self, secret: &'a Secret) -> Result<Door<'a>, Fault> {
        let token = self.token.as_ref().ok_or_else(|| {
            let why =
                "The panel has no token for GitHub. Name a file with one as github_token_file.";
            fault(FaultKind::Invalid, why)
        })?;
        Ok(Door {
            client: &self.client,
            api: &self.api,
            bearer: token.bearer().await?,
            token_place: token.place(),
            secret,
            limit: self.limit,
        })
    }
}

#[async_trait]
impl RepositorySecrets for GitHub {
    async fn check(&self, gateway: &GatewayId) -> Result<SecretAccess, Fault> {
        let Some(secret) = self.secrets.get(gateway) else {
            return Ok(SecretAccess::Off);
        };
        let door = self.door(secret).await?;
        // Whoever may read a repository gets its public key; whoever writes secrets is a collaborator.
        door.may_write().await?;
        door.public_key().await?;
        Ok(SecretAccess::Ready {
            repository: secret.repository.to_string(),
            name: secret.name.to_string(),
            updated_at: door.updated_at().await?,
        })
    }

    async fn put(&self, gateway: &GatewayId, value: &SecretString) -> Result<Timestamp, Fault> {
        let secret = self.secrets.get(gateway).ok_or_else(|| {
            let why =
                "No repository with a secret is configured for this gateway (github_repository).";
            fault(FaultKind::NotOffered, why)
        })?;
        let door = self.door(secret).await?;
        let key = door.public_key().await?;
        let sealed = sealed::seal(&key, value)?;
        let before = door.updated_at().await?;
        let put_at = door.put(&key.key_id, &sealed).await?;
        let after = door.updated_at().await?;
        confirm(secret, before, put_at, after)
    }

    fn by_hand(&self, gateway: &GatewayId) -> Option<String> {
        let Secret { repository, name } = self.secrets.get(gateway)?;
        Some(match self.api.host_for_gh() {
            Some(host) => format!("gh secret set {name} -R {host}/{repository}"),
            None => format!("gh secret set {name} -R {repository}"),
        })
    }
}

/// The date that GitHub shows after a write, when it can be of that write.
fn confirm(
    secret: &Secret,
    before: Option<Timestamp>,
    put_at: Option<Timestamp>,
    after: Option<Timestamp>,
) -> Result<Timestamp, Fault> {
    let Secret { repository, name } = secret;
    let said = match after {
        None => "does not list it".to_owned(),
        Some(after) if before.is_some_and(|before| after < before) => {
            format!("shows an earlier date than before ({})", after.utc_text())
        }
        Some(after) if put_at.is_some_and(|at| after.plus(SKEW) < at) => {
            format!("still shows the old date ({})", after.utc_text())
        }
        Some(after) => return Ok(after),
    };
    let why = format!(
        "GitHub took the secret {name} of {repository}, but {said}. Try again; if it stays so, set it by hand."
    );
    Err(fault(FaultKind::Unexpected, why).retryable())
}

fn fault(kind: FaultKind, message: impl Into<String>) -> Fault {
    Fault::new(kind, Boundary::GitHub, message)
}
