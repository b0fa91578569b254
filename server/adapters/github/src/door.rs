//! The requests, one function each.

use std::time::Duration;

use domain::fault::{Fault, FaultKind};
use domain::time::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, DATE, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::answer::{self, About, Doing};
use crate::api::Api;
use crate::sealed::PublicKey;
use crate::{Secret, fault};

/// How much of an answer is read; the real ones are under 20 kB.
const BODY_LIMIT: usize = 256 * 1024;

/// GitHub as one token sees it, before one secret.
pub(crate) struct Door<'a> {
    pub(crate) client: &'a Client,
    pub(crate) api: &'a Api,
    pub(crate) bearer: HeaderValue,
    pub(crate) token_place: String,
    pub(crate) secret: &'a Secret,
    pub(crate) limit: Duration,
}

#[derive(Deserialize)]
struct SeenRepository {
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    private: bool,
    permissions: Option<Permissions>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Permissions {
    pull: bool,
    push: bool,
}

#[derive(Deserialize)]
struct SeenSecret {
    updated_at: String,
}

impl Door<'_> {
    /// Whether the repository can be written to, by whom the token stands for and within the token's own scopes.
    pub(crate) async fn may_write(&self) -> Result<(), Fault> {
        let path = format!("repos/{}", self.secret.repository);
        let response = self
            .send(Doing::FindRepository, Method::GET, &path, None)
            .await?;
        let scopes = scopes(response.headers());
        let seen: SeenRepository = self.read(response).await?;
        let about = self.about();
        if seen.archived {
            return Err(about.archived());
        }
        // An app's token has no person behind it, and shows neither right.
        if seen.permissions.is_some_and(|may| may.pull && !may.push) {
            return Err(about.reader());
        }
        let enough = |scope: &String| scope == "repo" || (scope == "public_repo" && !seen.private);
        if scopes.is_some_and(|scopes| !scopes.iter().any(enough)) {
            return Err(about.forbidden());
        }
        Ok(())
    }

    pub(crate) async fn public_key(&self) -> Result<PublicKey, Fault> {
        let path = format!(
            "repos/{}/actions/secrets/public-key",
            self.secret.repository
        );
        let response = self
            .send(Doing::ReadSecrets, Method::GET, &path, None)
            .await?;
        let key: PublicKey = self.read(response).await?;
        key.read().ok_or_else(|| self.about().strange())?;
        Ok(key)
    }

    /// When the secret was written last; `None` when there is none of that name.
    pub(crate) async fn updated_at(&self) -> Result<Option<Timestamp>, Fault> {
        let request = self.request(Method::GET, &self.secret_path(), None);
        let response = request
            .send()
            .await
            .map_err(|error| self.unreached(&error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = self.accept(Doing::ReadSecrets, response)?;
        let seen: SeenSecret = self.read(response).await?;
        let at = Timestamp::parse_rfc3339(&seen.updated_at);
        at.map(Some).ok_or_else(|| self.about().strange())
    }

    /// Writes the secret; when GitHub did so, by its own clock.
    pub(crate) async fn put(&self, key_id: &str, sealed: &str) -> Result<Option<Timestamp>, Fault> {
        let body = json!({ "encrypted_value": sealed, "key_id": key_id });
        let path = self.secret_path();
        let response = self
            .send(Doing::WriteSecret, Method::PUT, &path, Some(&body))
            .await?;
        Ok(date(response.headers()))
    }

    fn secret_path(&self) -> String {
        let Secret { repository, name } = self.secret;
        format!("repos/{repository}/actions/secrets/{name}")
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> reqwest::RequestBuilder {
        let request = self
            .client
            .request(method, self.api.at(path))
            .timeout(self.limit)
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .header(AUTHORIZATION, self.bearer.clone());
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    async fn send(
        &self,
        doing: Doing,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Response, Fault> {
        let sent = self.request(method, path, body).send().await;
        self.accept(doing, sent.map_err(|error| self.unreached(&error))?)
    }

    fn accept(&self, doing: Doing, response: Response) -> Result<Response, Fault> {
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self
            .about()
            .refusal(doing, response.status(), response.headers()))
    }

    async fn read<T: DeserializeOwned>(&self, mut response: Response) -> Result<T, Fault> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= BODY_LIMIT => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => return Err(self.about().strange()),
                Ok(None) => break,
                Err(error) => return Err(self.unreached(&error)),
            }
        }
        serde_json::from_slice(&body).map_err(|_| self.about().strange())
    }

    fn unreached(&self, error: &reqwest::Error) -> Fault {
        let host = self.api.host();
        if error.is_timeout() {
            let why = format!("GitHub ({host}) did not answer in time. Try again in some minutes.");
            return fault(FaultKind::TimedOut, why);
        }
        let cause = answer::innermost(error);
        let why =
            format!("GitHub ({host}) cannot be reached: {cause}. Look at this host's way out.");
        fault(FaultKind::Unreachable, why)
    }

    fn about(&self) -> About<'_> {
        About {
            secret: self.secret,
            host: self.api.host(),
            token_place: &self.token_place,
        }
    }
}

/// What a token of the classic kind is good for; tokens of other kinds do not say.
fn scopes(headers: &HeaderMap) -> Option<Vec<String>> {
    let given = headers.get("x-oauth-scopes")?.to_str().ok()?;
    let words = given
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    Some(words.map(str::to_owned).collect())
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let at = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_millis(at.timestamp().as_millisecond()))
}
