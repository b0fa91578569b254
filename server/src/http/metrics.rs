//! Metrics for Prometheus, at an address of their own: they name credentials and gateways, so they are not for everybody
//! who reaches the panel.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use domain::credential::{Credential, Due, Listed, listed};
use domain::ports::{
    AuditChain, ChainStanding, Clock, Observations, Register, Reviews, StoreError, Waiting,
};
use domain::review::Policy;
use domain::time::Timestamp;

/// The most events that are counted as waiting for a review.
const WAITING: u32 = 1_000;

/// What metrics are made of.
#[derive(Clone)]
pub(crate) struct Measured {
    pub(crate) register: Arc<dyn Register>,
    pub(crate) observations: Arc<dyn Observations>,
    pub(crate) chain: Arc<dyn AuditChain>,
    pub(crate) reviews: Arc<dyn Reviews>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// `/metrics` and nothing else.
pub(crate) fn metrics(measured: Measured) -> Router {
    Router::new()
        .route("/metrics", get(answer))
        .with_state(measured)
}

async fn answer(State(measured): State<Measured>) -> Response {
    let (credentials, standing, waiting) = match asked(&measured).await {
        Ok(known) => known,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Metrics could not be made"
            );
            // Prometheus notes that it was told nothing; old numbers would be worse.
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let now = measured.clock.now();
    let listed = listed(credentials, &*measured.observations, now);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    let text =
        exposition(&listed, now) + &chain(&standing) + &review(&measured.policy, &waiting, now);
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn asked(
    measured: &Measured,
) -> Result<(Vec<Credential>, ChainStanding, Waiting), StoreError> {
    let credentials = measured.register.list().await?;
    let standing = measured.chain.standing().await?;
    let waiting = measured.reviews.waiting(WAITING).await?;
    Ok((credentials, standing, waiting))
}

/// One number of a credential; `None` where there is none.
type Number = fn(&Listed, Timestamp) -> Option<i64>;

const CREDENTIALS: [(&str, &str, Number); 3] = [
    (
        "panel_credential_age_seconds",
        "How old a credential's present version is, where that is known.",
        |listed, now| {
            let begun = listed.credential.begun(listed.seen)?;
            Some(seconds(begun, now))
        },
    ),
    (
        "panel_credential_due_seconds",
        "How long it is until a credential has to be changed; negative when it is overdue.",
        |listed, now| Some(seconds(now, listed.due.at()?)),
    ),
    (
        "panel_credential_snoozed",
        "Whether somebody said why a credential may wait that is due.",
        |listed, _| Some(i64::from(matches!(listed.due, Due::Snoozed { .. }))),
    ),
];

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_millis().saturating_sub(from.as_millis()) / 1_000
}

/// The text that Prometheus reads.
fn exposition(register: &[Listed], now: Timestamp) -> String {
    let mut text = String::new();
    for (name, help, number) in CREDENTIALS {
        text.extend(["# HELP ", name, " ", help, "\n# TYPE ", name, " gauge\n"]);
        for listed in register {
            if let Some(number) = number(listed, now) {
                let labels = labels(listed);
                text.extend([name, "{", &labels, "} ", &number.to_string(), "\n"]);
            }
        }
    }
    text
}

/// What is known of the audit trail's chain; nothing of a check before there was one.
fn chain(standing: &ChainStanding) -> String {
    let last = standing.last.as_ref();
    let numbers = [
        (
            "panel_audit_events_total",
            "counter",
            "The number of the last event of the audit trail.",
            Some(standing.sequence),
        ),
        (
            "panel_audit_chain_whole",
            "gauge",
            "Whether the last check of the whole chain found nothing wrong.",
            last.map(|check| i64::from(check.is_whole())),
        ),
        (
            "panel_audit_verified_timestamp_seconds",
            "gauge",
            "When the chain was checked last.",
            last.map(|check| check.at.as_millis() / 1_000),
        ),
    ];
    gauges(&numbers)
}

/// What waits for a review; nothing of a date while nothing waits.
fn review(policy: &Policy, waiting: &Waiting, now: Timestamp) -> String {
    gauges(&[
        (
            "panel_audit_review_waiting",
            "gauge",
            "How many events wait for a review, 1,000 at most.",
            i64::try_from(waiting.events.len()).ok(),
        ),
        (
            "panel_audit_review_due_seconds",
            "gauge",
            "How long it is until a review is due; negative when it is overdue.",
            policy.due(waiting).map(|at| seconds(now, at)),
        ),
    ])
}

fn gauges(numbers: &[(&str, &str, &str, Option<i64>)]) -> String {
    let mut text = String::new();
    for (name, kind, help, number) in numbers {
        if let Some(number) = number {
            text.extend([
                "# HELP ",
                name,
                " ",
                help,
                "\n# TYPE ",
                name,
                " ",
                kind,
                "\n",
            ]);
            text.extend([name, " ", &number.to_string(), "\n"]);
        }
    }
    text
}

fn labels(listed: &Listed) -> String {
    let credential = &listed.credential;
    let gateway = credential.gateway.as_ref();
    let gateway = gateway.map_or("", |gateway| gateway.as_str());
    format!(
        r#"kind="{}",gateway="{gateway}",title="{}",id="{}""#,
        credential.kind.as_str(),
        escaped(&credential.title),
        credential.id,
    )
}

/// A text as the value of a label.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => safe.push_str("\\\\"),
            '"' => safe.push_str("\\\""),
            '\n' => safe.push_str("\\n"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use domain::audit::{AuditEvent, AuditOutcome, Check, NewAuditEvent};
    use domain::credential::{Kind, Snooze};
    use domain::person::Actor;
    use tower::ServiceExt as _;

    use super::*;
    use crate::register::testing::{DAY, Listing, NOW, credential};

    async fn asked(listing: Listing) -> (StatusCode, String) {
        let listing = Arc::new(listing);
        let measured = Measured {
            register: listing.clone(),
            observations: listing.clone(),
            chain: listing.clone(),
            reviews: listing.clone(),
            policy: Arc::default(),
            clock: listing,
        };
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let answer = metrics(measured).oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn each_credential_has_its_age_and_how_long_it_is_until_it_is_due() {
        let mut snoozed = credential(Kind::GithubToken, 93);
        snoozed.snoozed = Some(Snooze {
            until: NOW.plus(DAY),
            why: "otto is away".to_owned(),
            by: Actor::Panel,
        });
        "a \"b\" \\ c".clone_into(&mut snoozed.title);
        let mut unknown = credential(Kind::BackupKey, 1);
        unknown.last = None;
        let mut listing = Listing::of(vec![credential(Kind::GatewayKey, 183), snoozed, unknown]);
        listing.chain = ChainStanding {
            sequence: 12_345,
            last: Some(Check {
                at: NOW.minus(DAY),
                took_ms: 40,
                after: 0,
                events: 12_345,
                last: 12_345,
                checkpoints: 3,
                flaws: Vec::new(),
                more: 0,
            }),
            ..ChainStanding::default()
        };
        let event = NewAuditEvent::new(Actor::Panel, "restart", AuditOutcome::Succeeded);
        listing.waiting.oldest = Some(NOW.minus(DAY * 9));
        listing.waiting.events = vec![AuditEvent {
            sequence: 7,
            id: uuid::Uuid::nil(),
            at: NOW.minus(DAY * 9),
            event,
        }];
        let (status, text) = asked(listing).await;
        assert_eq!(status, StatusCode::OK);
        insta::assert_snapshot!(text);
    }

    #[tokio::test]
    async fn a_register_that_cannot_be_read_is_no_metric() {
        let mut listing = Listing::of(Vec::new());
        listing.away = true;
        let (status, text) = asked(listing).await;
        assert_eq!(
            (status, text.as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, "")
        );
    }
}
