//! The answers of the process as a fact.

use domain::fact::{Process, State};
use serde_json::Value;

use super::answer::{Answer, Body};
use super::{Look, Unanswered};
use crate::link::LinkState;

/// An event loop slower than this (99th percentile) is named.
const SLOW_LOOP_MS: f64 = 500.0;
/// More failing parts than this are not listed.
const MOST_FAILING: usize = 20;

/// Said of a gateway that counts as ready because it is live.
const NO_READYZ: &str = "This version does not say whether it is ready (/readyz is a web page there), so live \
                         counts as ready.";

/// Nobody answered.
pub(super) fn silent(why: &Unanswered, link: &LinkState) -> Look<Process> {
    let mut process = blank(why.latency_ms, link);
    process.live = false;
    Look::new(State::Down, "No answer", why.sentence(), Some(process))
}

pub(super) fn judge(
    live: &Answer,
    started: Option<&Answer>,
    ready: Option<&Answer>,
    link: &LinkState,
) -> Look<Process> {
    let mut process = blank(live.latency_ms, link);
    process.live = is_live(live);
    if !process.live {
        let reason = format!(
            "Port and path answer {}, but not as a gateway does: {}.",
            live.status,
            match live.body {
                Body::Html => "it is a web page",
                Body::Empty => "it is empty",
                Body::Json(_) => "it does not say that it is live",
                Body::Other => "it is no JSON",
            }
        );
        return Look::new(State::Down, "Wrong answer", reason, Some(process));
    }
    process.started = started.and_then(has_started);
    (process.ready, process.failing) = readiness(ready);
    let has_readyz = !ready.is_some_and(is_web_page);
    if let Some(body) = ready.and_then(Answer::json) {
        process.uptime_ms = body.get("uptimeMs").and_then(whole);
        process.event_loop_ms = body
            .get("eventLoop")
            .and_then(|it| it.get("delayP99Ms"))
            .and_then(Value::as_f64);
    }
    let (state, headline, mut reason) = words(&process, started);
    if process.ready == Some(true) && !has_readyz {
        NO_READYZ.clone_into(&mut reason);
    }
    Look::new(state, headline, reason, Some(process))
}

fn words(process: &Process, started: Option<&Answer>) -> (State, String, String) {
    let phase = started
        .and_then(Answer::json)
        .and_then(|body| body.get("status"))
        .and_then(Value::as_str);
    if process.started == Some(false) {
        return if phase == Some("draining") {
            (
                State::Warn,
                "Draining".to_owned(),
                "It finishes what it has and takes no new work.".to_owned(),
            )
        } else {
            (
                State::Warn,
                "Starting".to_owned(),
                "Its start is not finished.".to_owned(),
            )
        };
    }
    match process.ready {
        Some(true) => {
            let reason = process
                .event_loop_ms
                .filter(|delay| *delay > SLOW_LOOP_MS)
                .map(|delay| format!("Its event loop lags by up to {delay:.0} ms."))
                .unwrap_or_default();
            (
                State::Ok,
                format!("Ready in {} ms", process.latency_ms),
                reason,
            )
        }
        Some(false) if process.failing.is_empty() => (
            State::Warn,
            "Not ready".to_owned(),
            "It does not say which part fails.".to_owned(),
        ),
        Some(false) => (
            State::Warn,
            "Not ready".to_owned(),
            format!("Failing: {}.", process.failing.join(", ")),
        ),
        None => (
            State::Warn,
            "Live".to_owned(),
            "Whether it is ready could not be told: /readyz gave no usable answer.".to_owned(),
        ),
    }
}

fn blank(latency_ms: u32, link: &LinkState) -> Process {
    Process {
        live: true,
        started: None,
        ready: None,
        failing: Vec::new(),
        latency_ms,
        version: link.version.clone(),
        protocol: link.protocol,
        event_loop_ms: None,
        uptime_ms: None,
        control: link.control.clone(),
    }
}

/// `{"ok":true,"status":"live"}`, whatever the status code.
pub(super) fn is_live(answer: &Answer) -> bool {
    answer.status == 200
        && answer
            .json()
            .and_then(|body| body.get("ok"))
            .and_then(Value::as_bool)
            == Some(true)
}

/// `None`: this version has no such path.
fn has_started(answer: &Answer) -> Option<bool> {
    let status = answer.json()?.get("status")?.as_str()?;
    match status {
        "started" => Some(true),
        "starting" | "draining" => Some(false),
        _ => None,
    }
}

/// Whether it is ready, and what fails. Three kinds of answer: `ready` today; only `ok` and `status` on
/// 2026.3; the web page of the Control UI where a version has no such path, and there a gateway that is
/// live counts as ready: nothing better can be known, and an operation must not wait for it in vain.
pub(super) fn readiness(answer: Option<&Answer>) -> (Option<bool>, Vec<String>) {
    if answer.is_some_and(is_web_page) {
        return (Some(true), Vec::new());
    }
    let Some(body) = answer.and_then(Answer::json) else {
        return (None, Vec::new());
    };
    let failing = body
        .get("failing")
        .and_then(Value::as_array)
        .map(|parts| {
            parts
                .iter()
                .filter_map(Value::as_str)
                .take(MOST_FAILING)
                .map(|part| part.chars().take(100).collect())
                .collect()
        })
        .unwrap_or_default();
    let flag = |name: &str| body.get(name).and_then(Value::as_bool);
    let ready = flag("ready").or_else(|| {
        let status = body.get("status").and_then(Value::as_str);
        flag("ok").map(|ok| ok && status == Some("ready"))
    });
    (ready, failing)
}

/// A good answer that is a web page: what a version without this path says.
fn is_web_page(answer: &Answer) -> bool {
    answer.status == 200 && answer.body == Body::Html
}

fn whole(value: &Value) -> Option<u64> {
    crate::status::whole(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, body: Body) -> Answer {
        Answer {
            status,
            location: None,
            body,
            latency_ms: 3,
            certificate: None,
        }
    }

    fn live() -> Answer {
        answer(200, Body::Json(json!({"ok":true,"status":"live"})))
    }

    #[test]
    fn details_are_read_when_told() {
        let ready = answer(
            200,
            Body::Json(json!({"ready":true,"failing":[],"uptimeMs":19237.5,
                "eventLoop":{"degraded":true,"delayP99Ms":1330.6}})),
        );
        let started = answer(200, Body::Json(json!({"ok":true,"status":"started"})));
        let look = judge(&live(), Some(&started), Some(&ready), &LinkState::default());
        let process = look.detail.unwrap();
        assert_eq!(look.state, State::Ok);
        assert!(look.reason.contains("1331 ms"), "{}", look.reason);
        assert_eq!(process.uptime_ms, Some(19237));
        assert_eq!(process.started, Some(true));
    }

    #[test]
    fn html_means_that_this_version_has_no_such_path() {
        let html = answer(200, Body::Html);
        let look = judge(&live(), Some(&html), Some(&html), &LinkState::default());
        let process = look.detail.unwrap();
        assert_eq!((process.started, process.ready), (None, Some(true)));
        assert_eq!(look.state, State::Ok);
        assert!(
            look.reason.contains("live counts as ready"),
            "{}",
            look.reason
        );
        let look = judge(&html, None, None, &LinkState::default());
        assert_eq!(look.state, State::Down);
        assert!(!look.detail.unwrap().live);
    }

    #[test]
    fn an_early_version_says_ready_in_its_status() {
        for (body, want) in [
            (json!({"ok":true,"status":"ready"}), Some(true)),
            (json!({"ok":true,"status":"starting"}), Some(false)),
            (json!({"ok":false,"status":"ready"}), Some(false)),
            (
                json!({"ok":true,"status":"ready","ready":false}),
                Some(false),
            ),
            (json!({"status":"ready"}), None),
        ] {
            let ready = answer(200, Body::Json(body.clone()));
            assert_eq!(readiness(Some(&ready)).0, want, "{body}");
        }
    }

    #[test]
    fn only_a_good_web_page_counts_as_ready() {
        for (ready, want) in [
            (answer(200, Body::Html), Some(true)),
            (answer(502, Body::Html), None),
            (answer(200, Body::Other), None),
            (answer(200, Body::Empty), None),
        ] {
            assert_eq!(readiness(Some(&ready)).0, want, "{ready:?}");
        }
        assert_eq!(readiness(None).0, None);
    }

    #[test]
    fn what_fails_is_named() {
        let ready = answer(
            503,
            Body::Json(json!({"ready":false,"failing":["whatsapp", 3]})),
        );
        let look = judge(&live(), None, Some(&ready), &LinkState::default());
        assert_eq!(look.reason, "Failing: whatsapp.");
        let draining = answer(503, Body::Json(json!({"ok":false,"status":"draining"})));
        let look = judge(
            &live(),
            Some(&draining),
            Some(&ready),
            &LinkState::default(),
        );
        assert_eq!(look.headline, "Draining");
    }
}
