//! The public URL's answer as a fact.

use domain::fact::{Edge, State};
use domain::time::Timestamp;
use domain::words;
use url::Url;

use super::answer::{Answer, Body};
use super::{Look, Unanswered, sentence, target};
use crate::http::Unreached;

/// Slower than this wants attention.
const SLOW_MS: u32 = 2_000;

pub(super) fn judge(url: &Url, asked: Result<Answer, Unanswered>, now: Timestamp) -> Look<Edge> {
    match asked {
        Ok(answer) => answered(url, &answer, now),
        Err(unanswered) => Look::new(
            State::Down,
            match unanswered.kind {
                Unreached::Name => "Name not found",
                Unreached::Refused => "Connection refused",
                Unreached::Tls => "TLS failed",
                Unreached::Timeout => "Timed out",
                Unreached::Other => "Not reachable",
            },
            unanswered.sentence(),
            Some(Edge {
                status: None,
                latency_ms: unanswered.latency_ms,
                tls_begins_at: None,
                tls_expires_at: None,
            }),
        ),
    }
}

fn answered(url: &Url, answer: &Answer, now: Timestamp) -> Look<Edge> {
    let edge = Edge {
        status: Some(answer.status),
        latency_ms: answer.latency_ms,
        tls_begins_at: answer.certificate.map(|certificate| certificate.begins),
        tls_expires_at: answer.certificate.map(|certificate| certificate.ends),
    };
    let status = answer.status;
    let headline = format!("{status} in {} ms", answer.latency_ms);
    let is_gateway = answer
        .json()
        .is_some_and(|body| body.get("ok").and_then(serde_json::Value::as_bool) == Some(true));
    let host = target(url);
    if status == 200 && is_gateway {
        if let Some(ends) = edge.certificate_ends_soon(now) {
            let reason = ends_soon(ends, now);
            return Look::new(State::Warn, headline, reason, Some(edge));
        }
        if answer.latency_ms > SLOW_MS {
            let reason = format!("The answer took longer than {} seconds.", SLOW_MS / 1000);
            return Look::new(State::Warn, headline, reason, Some(edge));
        }
        let valid = edge.tls_expires_at.map(|ends| valid_for(ends, now));
        return Look::new(State::Ok, headline, valid.unwrap_or_default(), Some(edge));
    }
    let reason = match status {
        200 => format!("{host} answers, but {}", not_the_gateway(&answer.body)),
        300..=399 => format!(
            "{host} sends visitors elsewhere{}, so the health answer is not reached",
            answer
                .location
                .as_deref()
                .map(|to| format!(" ({to})"))
                .unwrap_or_default()
        ),
        401 | 403 => format!("{host} asks for a sign-in before it lets anybody through"),
        404 => format!("{host} does not know this path: the proxy has no route to the gateway"),
        502..=504 => format!("the proxy at {host} is up but does not reach the gateway behind it"),
        _ => format!("{host} answered {status}"),
    };
    Look::new(State::Down, headline, sentence(&reason), Some(edge))
}

fn not_the_gateway(body: &Body) -> &'static str {
    match body {
        Body::Html => {
            "with a web page instead of the gateway's health: is another service behind it?"
        }
        Body::Json(_) => "not with the gateway's health (`\"ok\":true`)",
        Body::Empty => "with nothing",
        Body::Other => "with something that is not the gateway's health",
    }
}

fn ends_soon(ends: Timestamp, now: Timestamp) -> String {
    let left = left(ends, now);
    format!("The certificate ends in {left} and has not been renewed.")
}

fn valid_for(ends: Timestamp, now: Timestamp) -> String {
    format!("The certificate is valid for {}.", left(ends, now))
}

/// In steps that do not change with every look.
fn left(ends: Timestamp, now: Timestamp) -> String {
    let hours = ends.since(now).as_secs() / 3600;
    if hours >= 48 {
        format!("{} days", hours / 24)
    } else {
        words::count(hours, "hour", "hours")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::answer::Validity;
    use super::*;
    use serde_json::json;

    fn answer(status: u16, body: Body) -> Answer {
        Answer {
            status,
            location: None,
            body,
            latency_ms: 38,
            certificate: None,
        }
    }

    fn look(answer: Answer) -> Look<Edge> {
        let url = "https://claw.test/healthz".parse().unwrap();
        judge(&url, Ok(answer), Timestamp::from_millis(0))
    }

    #[test]
    fn only_the_gateways_own_words_are_good() {
        let good = look(answer(200, Body::Json(json!({"ok":true,"status":"live"}))));
        assert_eq!(
            (good.state, good.headline.as_str()),
            (State::Ok, "200 in 38 ms")
        );
        for (given, part) in [
            (answer(200, Body::Html), "web page"),
            (answer(200, Body::Json(json!({"ok":false}))), "not with"),
            (answer(200, Body::Json(json!([true]))), "not with"),
            (answer(200, Body::Empty), "with nothing"),
            (answer(200, Body::Other), "something"),
            (answer(502, Body::Html), "does not reach the gateway"),
            (answer(404, Body::Html), "no route"),
            (answer(302, Body::Empty), "elsewhere"),
            (answer(418, Body::Empty), "answered 418"),
        ] {
            let look = look(given);
            assert_eq!(look.state, State::Down, "{look:?}");
            assert!(look.reason.contains(part), "{look:?}");
        }
    }

    #[test]
    fn a_good_certificate_says_how_long_it_is_valid() {
        let good = || answer(200, Body::Json(json!({"ok":true,"status":"live"})));
        for (days, said) in [
            (61, "The certificate is valid for 61 days."),
            (
                1,
                "The certificate ends in 24 hours and has not been renewed.",
            ),
        ] {
            let mut answer = good();
            answer.certificate = Some(Validity {
                begins: Timestamp::from_millis(0).minus(Duration::from_secs(29 * 86_400)),
                ends: Timestamp::from_millis(days * 86_400_000),
            });
            assert_eq!(look(answer).reason, said);
        }
        assert_eq!(look(good()).reason, "", "plain HTTP has none");
    }
}
