//! What GitHub's refusals mean, and what to do: never its own words, which may repeat what it was told.

use std::error::Error;

use domain::fault::{Fault, FaultKind};
use domain::time::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::{Secret, fault};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    FindRepository,
    ReadSecrets,
    WriteSecret,
}

/// What a sentence is about.
pub(crate) struct About<'a> {
    pub(crate) secret: &'a Secret,
    pub(crate) host: &'a str,
    pub(crate) token_place: &'a str,
}

impl About<'_> {
    pub(crate) fn refusal(&self, doing: Doing, status: StatusCode, headers: &HeaderMap) -> Fault {
        let Secret { repository, name } = self.secret;
        let host = self.host;
        let code = status.as_u16();
        match code {
            300..=399 => fault(
                FaultKind::Invalid,
                format!(
                    "GitHub says that {repository} has moved. Put its present name into github_repository."
                ),
            ),
            401 => fault(
                FaultKind::Refused,
                format!(
                    "GitHub does not accept the token: it is wrong, has expired, or was revoked. Make a new one and \
                     put it into {}.",
                    self.token_place
                ),
            ),
            403 | 429 if is_used_up(code, headers) => used_up(headers),
            403 if headers.contains_key("x-github-sso") => fault(
                FaultKind::Refused,
                format!(
                    "The owner of {repository} demands single sign-on: authorize the token for that organization in \
                     GitHub's settings of tokens (Configure SSO)."
                ),
            ),
            403 => self.forbidden(),
            404 if doing == Doing::FindRepository => fault(
                FaultKind::NotFound,
                format!(
                    "GitHub ({host}) knows no repository {repository}, or does not show it to this token. Look at \
                     github_repository, and for which repositories the token was made."
                ),
            ),
            404 => fault(
                FaultKind::NotFound,
                format!(
                    "GitHub ({host}) does not show the secrets of {repository} to this token. Look at \
                     github_repository, and {}.",
                    self.remedy()
                ),
            ),
            // The public key may have been replaced between two requests.
            422 => fault(
                FaultKind::Invalid,
                format!(
                    "GitHub does not take this secret {name} (422). Try again; if it stays so, set it by hand."
                ),
            )
            .retryable(),
            500..=599 => fault(
                FaultKind::Unreachable,
                format!(
                    "GitHub ({host}) has trouble of its own ({code}). Try again in some minutes."
                ),
            ),
            _ => fault(
                FaultKind::Unexpected,
                format!("GitHub ({host}) answered {code}, which the panel does not know. Set the secret by hand."),
            ),
        }
    }

    /// The token may not.
    pub(crate) fn forbidden(&self) -> Fault {
        let repository = &self.secret.repository;
        let why = format!(
            "The token may not write the secrets of {repository}: {}.",
            self.remedy()
        );
        fault(FaultKind::Refused, why)
    }

    /// Whoever made the token may not.
    pub(crate) fn reader(&self) -> Fault {
        let repository = &self.secret.repository;
        let why = format!(
            "Whoever made the token may only read {repository}. Give them write access, or use another's token."
        );
        fault(FaultKind::Refused, why)
    }

    /// Nobody may.
    pub(crate) fn archived(&self) -> Fault {
        let repository = &self.secret.repository;
        let why = format!(
            "{repository} is archived, so that nobody can change its secrets. Unarchive it, or leave out \
             github_repository."
        );
        fault(FaultKind::Refused, why)
    }

    /// What answered is no API.
    pub(crate) fn strange(&self) -> Fault {
        let why = format!(
            "What answers at {} does not answer as GitHub's API does. Look at github_api_url.",
            self.host
        );
        fault(FaultKind::Unexpected, why)
    }

    fn remedy(&self) -> String {
        format!(
            "give it the permission “Secrets: read and write” for the repository (a classic token: the scope repo), \
             or put another one into {}",
            self.token_place
        )
    }
}

fn is_used_up(code: u16, headers: &HeaderMap) -> bool {
    code == 429
        || headers.contains_key("retry-after")
        || number(headers, "x-ratelimit-remaining") == Some(0)
}

fn used_up(headers: &HeaderMap) -> Fault {
    let when = match number(headers, "retry-after") {
        Some(seconds) => format!("in {seconds} seconds"),
        None => match number(headers, "x-ratelimit-reset") {
            Some(at) => {
                let at = Timestamp::from_millis(at.saturating_mul(1000));
                format!("after {}", at.utc_text())
            }
            None => "in an hour".to_owned(),
        },
    };
    let why = format!("The token has used up what GitHub lets it ask for. Try again {when}.");
    fault(FaultKind::Refused, why)
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The cause at the bottom: `Connection refused`. It names neither token nor body.
pub(crate) fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
