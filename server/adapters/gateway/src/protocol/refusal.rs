//! Errors of the gateway, in plain words. Decisions rest on `code` and `details.code`; the message is
//! for people and may change (`docs/gateway/protocol/transport.md`), but for old versions, which say
//! less, it is read as the compatibility note there allows.

use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind};
use domain::scrub::Scrubber;
use serde::Deserialize;
use serde_json::Value;

/// `error` of a response.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorShape {
    /// `INVALID_REQUEST`, `UNAVAILABLE`, `FORBIDDEN`, …
    #[serde(default)]
    pub code: String,
    /// For people.
    #[serde(default)]
    pub message: String,
    /// More, by kind.
    #[serde(default)]
    pub details: Value,
    /// When to try again.
    #[serde(default)]
    pub retry_after_ms: Option<u64>,
}

/// Why the gateway did not let the panel in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its start is not finished: no failure.
    Starting {
        /// When to try again.
        after: Duration,
    },
    /// It does not know the device, or not with these scopes.
    Pairing {
        /// What to approve; `None` when it did not name a request of this device.
        request_id: Option<String>,
    },
    /// It does not take the key.
    Key,
    /// It has counted too many wrong keys and listens to none for a while.
    RateLimited,
    /// It speaks no protocol that this panel speaks.
    Protocol {
        /// What it wants.
        wants: Option<u64>,
    },
    /// Anything else, as a clause.
    Other(String),
}

impl ErrorShape {
    fn detail(&self, key: &str) -> Option<&str> {
        self.details.get(key).and_then(Value::as_str)
    }

    /// Reads the error of a `connect` (codes: `connect-error-details` of `@openclaw/gateway-protocol`).
    pub fn refusal(&self, device_id: &str, scrubber: &Scrubber) -> Refusal {
        let code = self.detail("code").unwrap_or(&self.code);
        match code {
            "PAIRING_REQUIRED" | "NOT_PAIRED" => Refusal::Pairing {
                request_id: self.request_id(device_id),
            },
            "AUTH_TOKEN_MISMATCH"
            | "AUTH_TOKEN_MISSING"
            | "AUTH_REQUIRED"
            | "AUTH_UNAUTHORIZED"
            | "AUTH_PASSWORD_MISSING"
            | "AUTH_PASSWORD_MISMATCH" => Refusal::Key,
            "AUTH_RATE_LIMITED" => Refusal::RateLimited,
            "UNAVAILABLE" | "STARTUP" => Refusal::Starting {
                after: Duration::from_millis(self.retry_after()),
            },
            _ if code == "PROTOCOL_MISMATCH" || self.message.contains("protocol mismatch") => {
                Refusal::Protocol {
                    wants: self.details.get("expectedProtocol").and_then(Value::as_u64),
                }
            }
            _ => Refusal::Other(format!("it refused: {}", said(&self.message, scrubber))),
        }
    }

    fn retry_after(&self) -> u64 {
        let told = self
            .retry_after_ms
            .or_else(|| self.details.get("retryAfterMs").and_then(Value::as_u64));
        told.unwrap_or(1_000).clamp(100, 30_000)
    }

    /// Only a request of this very device, in the vendor's own alphabet (which cannot begin with a
    /// dash): it becomes an argument of a command in the container.
    fn request_id(&self, device_id: &str) -> Option<String> {
        if self.detail("deviceId").is_some_and(|id| id != device_id) {
            return None;
        }
        let id = self.detail("requestId")?;
        is_request_id(id).then(|| id.to_owned())
    }

    /// The scope that a call lacks: `FORBIDDEN` with details since protocol 4, on protocol 3
    /// `INVALID_REQUEST` with the text `missing scope: …` (seen on 2026.3.31).
    pub fn missing_scope(&self) -> Option<&str> {
        if self.detail("code") == Some("MISSING_SCOPE")
            && let Some(scope) = self.detail("missingScope")
        {
            return Some(scope);
        }
        let (_, scope) = self.message.split_once("missing scope: ")?;
        scope.split_whitespace().next()
    }

    /// The error of a call as a fault.
    pub fn fault(&self, method: &str, scrubber: &Scrubber) -> Fault {
        let fault = |kind, text: String| Fault::new(kind, Boundary::Gateway, text);
        if let Some(scope) = self.missing_scope() {
            let scope: String = scope.chars().take(60).collect();
            return fault(
                FaultKind::Refused,
                format!(
                    "The gateway refuses {method}: the panel's device lacks the scope {scope}. Approve the device again in the gateway."
                ),
            );
        }
        let said = said(&self.message, scrubber);
        if self.message.contains("unknown method") {
            return fault(
                FaultKind::NotOffered,
                format!("This version of the gateway does not offer {method}."),
            );
        }
        match self.code.as_str() {
            "UNAVAILABLE" => fault(
                FaultKind::Unreachable,
                format!("The gateway cannot do {method} now: {said}."),
            ),
            "NOT_FOUND" => fault(
                FaultKind::NotFound,
                format!("The gateway does not find what {method} is about: {said}."),
            ),
            "FORBIDDEN" => fault(
                FaultKind::Refused,
                format!("The gateway refuses {method}: {said}."),
            ),
            "INVALID_REQUEST" => fault(
                FaultKind::Invalid,
                format!("The gateway does not accept {method} as asked: {said}."),
            ),
            _ => fault(
                FaultKind::Unexpected,
                format!("The gateway failed at {method}: {said}."),
            ),
        }
    }
}

/// The vendor's own pattern, `^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`.
pub fn is_request_id(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-'))
}

/// A message of the gateway, short, scrubbed, on one line, without a full stop.
pub(crate) fn said(message: &str, scrubber: &Scrubber) -> String {
    let line: String = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(300)
        .collect();
    let text = scrubber.scrub(line.trim());
    let text = text.trim_end_matches('.');
    if text.is_empty() {
        "it gave no reason".to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shape(value: Value) -> ErrorShape {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn refusals_are_told_apart() {
        let scrubber = Scrubber::default();
        for (error, want) in [
            (
                json!({"code":"NOT_PAIRED","message":"x","details":{"code":"PAIRING_REQUIRED","requestId":"ab-1","deviceId":"me"}}),
                Refusal::Pairing {
                    request_id: Some("ab-1".to_owned()),
                },
            ),
            (
                json!({"code":"NOT_PAIRED","message":"x","details":{"code":"PAIRING_REQUIRED","requestId":"ab-1","deviceId":"other"}}),
                Refusal::Pairing { request_id: None },
            ),
            (
                json!({"code":"NOT_PAIRED","message":"x","details":{"code":"PAIRING_REQUIRED","requestId":"--all"}}),
                Refusal::Pairing { request_id: None },
            ),
            (
                json!({"code":"INVALID_REQUEST","message":"unauthorized","details":{"code":"AUTH_TOKEN_MISMATCH"}}),
                Refusal::Key,
            ),
            (
                json!({"code":"UNAVAILABLE","message":"starting","details":{"reason":"startup-sidecars"},"retryAfterMs":500}),
                Refusal::Starting {
                    after: Duration::from_millis(500),
                },
            ),
            (
                json!({"code":"INVALID_REQUEST","message":"protocol mismatch","details":{"expectedProtocol":5}}),
                Refusal::Protocol { wants: Some(5) },
            ),
        ] {
            assert_eq!(shape(error).refusal("me", &scrubber), want);
        }
    }

    #[test]
    fn a_missing_scope_is_read_in_both_forms() {
        let new = shape(
            json!({"code":"FORBIDDEN","message":"missing scope: operator.admin",
            "details":{"code":"MISSING_SCOPE","missingScope":"operator.admin"}}),
        );
        let old =
            shape(json!({"code":"INVALID_REQUEST","message":"missing scope: operator.admin"}));
        for error in [new, old] {
            assert_eq!(error.missing_scope(), Some("operator.admin"));
            let fault = error.fault("channels.start", &Scrubber::default());
            assert_eq!(fault.kind, FaultKind::Refused);
        }
    }

    #[test]
    fn no_secret_and_no_line_break_gets_into_a_sentence() {
        let scrubber = Scrubber::new(["s3cret-key".to_owned()]);
        let error = shape(json!({"code":"X","message":"bad\nkey s3cret-key."}));
        let fault = error.fault("health", &scrubber);
        assert_eq!(
            fault.message,
            "The gateway failed at health: bad key [hidden]."
        );
    }
}
