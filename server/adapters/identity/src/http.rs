//! The way to the provider: small answers, and what came of them.

use std::error::Error;
use std::pin::Pin;

use domain::identity::Refusal;
use domain::ports::ProviderError;
use openidconnect::http::Response;
use openidconnect::{
    DiscoveryError, ErrorResponse, HttpRequest, HttpResponse, RequestTokenError, UserInfoError,
};

/// How much of an answer is read; real ones are under 20 kB.
const BODY_LIMIT: usize = 512 * 1024;

/// A request that brought nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// There was no answer.
    #[error("it was not reached")]
    Unreached(#[from] reqwest::Error),
    /// It failed itself.
    #[error("it answered with {0}")]
    Status(u16),
    /// The answer never ends.
    #[error("its answer is longer than {BODY_LIMIT} bytes")]
    TooLong,
    /// The answer is none of HTTP.
    #[error("its answer cannot be read")]
    Strange(#[from] openidconnect::http::Error),
}

type Asking = Pin<Box<dyn Future<Output = Result<HttpResponse, Failed>> + Send>>;

#[derive(Clone)]
pub(crate) struct Http(reqwest::Client);

impl Http {
    pub(crate) const fn new(client: reqwest::Client) -> Self {
        Self(client)
    }

    /// As `openidconnect` wants it.
    pub(crate) fn asking(&self) -> impl Fn(HttpRequest) -> Asking + Send + Sync + use<> {
        let http = self.clone();
        move |request| {
            let http = http.clone();
            Box::pin(async move { http.ask(request).await })
        }
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, Failed> {
        let request = reqwest::Request::try_from(request)?;
        let mut answer = self.0.execute(request).await?;
        let status = answer.status();
        if status.is_server_error() {
            return Err(Failed::Status(status.as_u16()));
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await? {
            if body.len() + part.len() > BODY_LIMIT {
                return Err(Failed::TooLong);
            }
            body.extend_from_slice(&part);
        }
        let mut read = Response::builder().status(status);
        for (name, value) in answer.headers() {
            read = read.header(name, value);
        }
        Ok(read.body(body)?)
    }
}

/// Nothing of what it says of itself.
pub(crate) fn unreached(error: DiscoveryError<Failed>, what: &str) -> ProviderError {
    let refusal = match error {
        DiscoveryError::Request(_) => Refusal::Away,
        _ => Refusal::Untrusted,
    };
    failed(refusal, &error, what)
}

/// No token for the code.
pub(crate) fn no_token<T: ErrorResponse + 'static>(
    error: RequestTokenError<Failed, T>,
) -> ProviderError {
    let refusal = match error {
        RequestTokenError::Request(_) => Refusal::Away,
        _ => Refusal::Untrusted,
    };
    failed(refusal, &error, "the token for the code")
}

/// Nothing more of the person.
pub(crate) fn no_more(error: UserInfoError<Failed>) -> ProviderError {
    let refusal = match error {
        UserInfoError::Request(_) => Refusal::Away,
        _ => Refusal::Untrusted,
    };
    failed(refusal, &error, "what it says of the person")
}

fn failed(refusal: Refusal, error: &(dyn Error + 'static), what: &str) -> ProviderError {
    ProviderError {
        refusal,
        detail: format!("{what}: {}", chain(error)),
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut all = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        all.push_str(": ");
        all.push_str(&cause.to_string());
        next = cause.source();
    }
    all
}
