//! Probes over HTTP: what the public URL and the gateway's process answer when asked now.
//!
//! Paths and bodies: vendor's `docs/gateway/health.md`. `/healthz` → `{"ok":true,"status":"live"}`,
//! `/startupz` → 503 `starting` or `draining`, else 200, `/readyz` → `{"ready":…}` with details for
//! authorised callers. Seen on 2026.5: a path that a version does not know answers 200 with the
//! Control UI's HTML. So only JSON bodies are believed.

mod answer;
mod edge;
mod process;

use std::sync::Arc;

use domain::fact::{Edge, Process, State};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::ports::{Clock, Readiness};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use url::Url;

pub use answer::{Answer, Body};

use crate::http::{self, Trust};
use crate::link::LinkState;

/// What a probe found, ready to become a [`domain::fact::Fact`].
#[derive(Clone, Debug, PartialEq)]
pub struct Look<D> {
    /// Good, bad or unknown.
    pub state: State,
    /// Two to five words.
    pub headline: String,
    /// One line of evidence; may be empty.
    pub reason: String,
    /// What is known.
    pub detail: Option<D>,
}

impl<D> Look<D> {
    fn new(
        state: State,
        headline: impl Into<String>,
        reason: impl Into<String>,
        detail: Option<D>,
    ) -> Self {
        Self {
            state,
            headline: headline.into(),
            reason: reason.into(),
            detail,
        }
    }
}

/// Asks one gateway over HTTP.
#[derive(Clone)]
pub struct Prober {
    client: reqwest::Client,
    internal: Url,
    public: Url,
    clock: Arc<dyn Clock>,
}

impl Prober {
    /// `internal` is where the panel reaches the process (`http://127.0.0.1:18789`), `public` where
    /// users do.
    pub fn new(
        internal: Url,
        public: Url,
        trust: &Trust,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            client: http::client(trust)?,
            internal,
            public,
            clock,
        })
    }

    /// The public URL, through the same door as a user's.
    pub async fn edge(&self) -> Look<Edge> {
        let url = below(&self.public, "healthz");
        let asked = self.ask(&url, None).await;
        edge::judge(&url, asked, self.clock.now())
    }

    /// The process behind the internal URL; `token` opens the details of `/readyz`, `link` adds what
    /// only the socket knows.
    pub async fn process(&self, token: Option<&SecretString>, link: &LinkState) -> Look<Process> {
        let url = below(&self.internal, "healthz");
        let live = match self.ask(&url, None).await {
            Ok(answer) => answer,
            Err(why) => return process::silent(&why, link),
        };
        let startupz = below(&self.internal, "startupz");
        let readyz = below(&self.internal, "readyz");
        let (started, ready) = tokio::join!(self.ask(&startupz, None), self.ask(&readyz, token));
        process::judge(&live, started.ok().as_ref(), ready.ok().as_ref(), link)
    }

    /// `/healthz` and `/readyz` for operations; a gateway that does not answer is not live.
    pub async fn readiness(&self, token: Option<&SecretString>) -> Readiness {
        let healthz = below(&self.internal, "healthz");
        let readyz = below(&self.internal, "readyz");
        let (live, ready) = tokio::join!(self.ask(&healthz, None), self.ask(&readyz, token));
        let (ready, failing) = process::readiness(ready.ok().as_ref());
        Readiness {
            live: live.is_ok_and(|answer| process::is_live(&answer)),
            ready: ready == Some(true),
            failing,
        }
    }

    /// Whether the gateway takes this key. The cheapest proof over plain HTTP, seen on 2026.3 to
    /// 2026.9: `POST /tools/invoke` with `{}` is 401 with a wrong key, 400 with the right one.
    pub async fn takes_key(&self, token: &SecretString) -> Result<bool, Fault> {
        self.takes_key_at(&self.internal, token).await
    }

    /// The same through the public URL.
    pub async fn takes_key_publicly(&self, token: &SecretString) -> Result<bool, Fault> {
        self.takes_key_at(&self.public, token).await
    }

    async fn takes_key_at(&self, base: &Url, token: &SecretString) -> Result<bool, Fault> {
        let url = below(base, "tools/invoke");
        let request = self
            .client
            .post(url.clone())
            .header("content-type", "application/json")
            .body("{}")
            .bearer_auth(token.expose_secret());
        let answer = self
            .send(request, &url)
            .await
            .map_err(|why| Fault::new(FaultKind::Unreachable, Boundary::Gateway, why.sentence()))?;
        match answer.status {
            400 => Ok(true),
            401 => Ok(false),
            // `proxy_attribution_required`, seen on 2026.9.6: whatever key was sent.
            403 => Err(Fault::new(
                FaultKind::Refused,
                Boundary::Gateway,
                format!(
                    "Whether the gateway takes the key could not be told: {} answered 403, as it does to whatever looks \
                     proxied. The proxy must not send X-Forwarded-For on.",
                    target(base)
                ),
            )),
            status => Err(Fault::new(
                FaultKind::Unexpected,
                Boundary::Gateway,
                format!(
                    "Whether the gateway takes the key could not be told: {} answered {status} to /tools/invoke.",
                    target(base)
                ),
            )),
        }
    }

    async fn ask(&self, url: &Url, token: Option<&SecretString>) -> Result<Answer, Unanswered> {
        let mut request = self
            .client
            .get(url.clone())
            .header("accept", "application/json");
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_secret());
        }
        self.send(request, url).await
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        url: &Url,
    ) -> Result<Answer, Unanswered> {
        let begun = Instant::now();
        let unanswered = |error: reqwest::Error| {
            let (kind, why) = http::why(&error.without_url(), &target(url));
            Unanswered {
                kind,
                why,
                latency_ms: millis(begun),
            }
        };
        let response = request.send().await.map_err(unanswered)?;
        let latency_ms = millis(begun);
        Answer::read(response, latency_ms).await.map_err(unanswered)
    }
}

/// No answer, and why.
#[derive(Clone, Debug)]
pub(crate) struct Unanswered {
    pub(crate) kind: http::Unreached,
    /// A clause without capital and full stop.
    pub(crate) why: String,
    pub(crate) latency_ms: u32,
}

impl Unanswered {
    pub(crate) fn sentence(&self) -> String {
        sentence(&self.why)
    }
}

/// A clause as a sentence: capital first, full stop last.
pub(crate) fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let mut text: String = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

fn millis(begun: Instant) -> u32 {
    u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX)
}

fn target(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// `path` under the base, whether or not that ends in a slash; query and fragment go.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let folder = base.path().trim_end_matches('/');
    url.set_path(&format!("{folder}/{path}"));
    url.set_query(None);
    url.set_fragment(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_below_the_base() {
        for (base, want) in [
            ("http://h:1", "http://h:1/healthz"),
            ("https://h/", "https://h/healthz"),
            ("https://h/claw?x=1", "https://h/claw/healthz"),
        ] {
            assert_eq!(below(&base.parse().unwrap(), "healthz").as_str(), want);
        }
    }

    #[test]
    fn clauses_become_sentences() {
        assert_eq!(sentence("it failed"), "It failed.");
        assert_eq!(sentence("Really?"), "Really?");
        assert_eq!(sentence(""), ".");
    }
}
