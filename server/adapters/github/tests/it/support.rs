//! The adapter before the stand-in, and what must never be said.

use std::path::PathBuf;
use std::time::Duration;

use adapter_github::{Api, GitHub, Secret, Token};
use domain::fault::Fault;
use domain::gateway::GatewayId;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::stand_in::{REPOSITORY, StandIn, TOKEN};

pub(crate) const NAME: &str = "OPENCLAW_API_KEY";
pub(crate) const VALUE: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

pub(crate) fn gateway() -> GatewayId {
    "openclaw".parse().unwrap()
}

pub(crate) fn value() -> SecretString {
    SecretString::from(VALUE)
}

/// The adapter, its stand-in, and the folder with the token.
pub(crate) struct Bench {
    pub(crate) github: GitHub,
    pub(crate) stand_in: StandIn,
    folder: TempDir,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::for_repository(REPOSITORY).await
    }

    pub(crate) async fn for_repository(repository: &str) -> Self {
        let stand_in = StandIn::start().await;
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
        let github = adapter(&stand_in.url, Some(Token::File(token)), repository);
        Self {
            github,
            stand_in,
            folder,
        }
    }

    pub(crate) fn token_file(&self) -> PathBuf {
        self.folder.path().join("token")
    }
}

pub(crate) fn adapter(url: &str, token: Option<Token>, repository: &str) -> GitHub {
    let secret = Secret {
        repository: repository.parse().unwrap(),
        name: NAME.parse().unwrap(),
    };
    GitHub::new(Api::parse(url).unwrap(), token, [(gateway(), secret)])
        .unwrap()
        .with_limit(Duration::from_secs(2))
}

/// Neither value nor token, nor a piece of one.
pub(crate) fn says_no_secret(fault: &Fault) {
    let all = format!(
        "{fault} {fault:?} {}",
        serde_json::to_string(fault).unwrap()
    );
    for secret in [VALUE, &VALUE[..16], TOKEN, "hunter22"] {
        assert!(!all.contains(secret), "{all}");
    }
}
