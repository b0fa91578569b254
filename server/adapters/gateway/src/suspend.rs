//! Asking the gateway to finish what it has before it is stopped.
//!
//! `gateway.suspend.prepare|status|resume` since 2026.7 (`protocol.schema.json`; semantics:
//! `docs/gateway/external-apps.md`). Prepare with `drain` closes admission and answers `draining` with
//! its blockers, or `ready`. The same `requestId` with the same policy is the same lease: asking again
//! renews it and tells how far it is. A lease ends by itself after two minutes, so that a panel that
//! dies leaves no gateway closed. While it is `ready` the gateway refuses every other method.

use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::link::GatewayLink;
use crate::protocol::ErrorShape;
use crate::protocol::refusal::said;

pub(crate) const PREPARE: &str = "gateway.suspend.prepare";
const STATUS: &str = "gateway.suspend.status";
const RESUME: &str = "gateway.suspend.resume";

/// How often a draining gateway is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(500);
const CALL_LIMIT: Duration = Duration::from_secs(10);

/// Where a preparation stands.
enum Stage {
    Ready {
        lease: Option<String>,
    },
    Busy {
        lease: Option<String>,
        with: String,
    },
    /// Another controller holds a lease, or the gateway is recovering from one.
    Taken {
        why: String,
    },
}

/// Drains; `None` when nothing is left, else what was still busy at the end of `limit`.
pub(crate) async fn suspend(
    link: &GatewayLink,
    request_id: &str,
    limit: Duration,
) -> Result<Option<String>, Fault> {
    let end = Instant::now() + limit;
    loop {
        let still = match prepare(link, request_id).await? {
            Stage::Ready { .. } => return Ok(None),
            Stage::Busy { with, .. } => format!("Still busy: {with}."),
            Stage::Taken { why } => format!("The gateway could not be drained: {why}."),
        };
        if Instant::now() + ASK_EVERY >= end {
            return Ok(Some(still));
        }
        sleep(ASK_EVERY).await;
    }
}

/// Opens the gateway again when it was this panel that closed it; nothing to open is success.
pub(crate) async fn resume(link: &GatewayLink, request_id: &str) -> Result<(), Fault> {
    // The id of a lease is not kept, so that a panel that was restarted can still open the gateway: a
    // lease that is not ours answers with a conflict, none with `running`.
    let probe = json!({ "suspensionId": request_id });
    if let Ok(status) = link.try_call(STATUS, probe, CALL_LIMIT).await?
        && status.get("status").and_then(Value::as_str) == Some("running")
    {
        return Ok(());
    }
    let lease = match prepare(link, request_id).await? {
        Stage::Ready { lease } | Stage::Busy { lease, .. } => lease,
        // Somebody else's, and theirs to open.
        Stage::Taken { .. } => None,
    };
    if let Some(lease) = lease {
        link.call(RESUME, json!({ "suspensionId": lease }), CALL_LIMIT)
            .await?;
    }
    Ok(())
}

async fn prepare(link: &GatewayLink, request_id: &str) -> Result<Stage, Fault> {
    // A restart ends terminals anyway, so that an open one must not hold the drain.
    let full = json!({ "requestId": request_id, "terminalPolicy": "terminate", "drain": true });
    let mut answer = link.try_call(PREPARE, full, CALL_LIMIT).await?;
    if matches!(&answer, Err(error) if error.code == "INVALID_REQUEST") {
        // The first versions know the request id only: they refuse while busy, and do not drain.
        let plain = json!({ "requestId": request_id });
        answer = link.try_call(PREPARE, plain, CALL_LIMIT).await?;
    }
    match answer {
        Ok(payload) => stage(&payload).ok_or_else(|| {
            Fault::new(
                FaultKind::Unexpected,
                Boundary::Gateway,
                "The gateway answered the request to drain with something unknown.",
            )
        }),
        Err(error) => taken(&error, link),
    }
}

fn taken(error: &ErrorShape, link: &GatewayLink) -> Result<Stage, Fault> {
    let scrubber = link.scrubber();
    let reason = error.details.get("reason").and_then(Value::as_str);
    match reason {
        Some("gateway-suspension-conflict" | "scheduler-resume-failed") => Ok(Stage::Taken {
            why: said(&error.message, &scrubber),
        }),
        _ => Err(error.fault(PREPARE, &scrubber)),
    }
}

fn stage(payload: &Value) -> Option<Stage> {
    let lease = payload
        .get("suspensionId")
        .and_then(Value::as_str)
        .map(str::to_owned);
    match payload.get("status")?.as_str()? {
        "ready" => Some(Stage::Ready { lease }),
        "draining" | "busy" => Some(Stage::Busy {
            lease,
            with: blockers(payload),
        }),
        _ => None,
    }
}

fn blockers(payload: &Value) -> String {
    let named: Vec<String> = payload
        .get("blockers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|blocker| blocker.get("message")?.as_str())
        .take(5)
        .map(|message| crate::status::clipped(message, 80))
        .collect();
    if named.is_empty() {
        "with work that it does not name".to_owned()
    } else {
        named.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_busy_is_named() {
        let payload = json!({"status":"draining","suspensionId":"s","blockers":[
            {"kind":"root-request","count":1,"message":"1 active request"},{"kind":"x"},
            {"kind":"terminal-session","count":1,"message":"1 open terminal session"}]});
        let Some(Stage::Busy { lease, with }) = stage(&payload) else {
            panic!("not busy");
        };
        assert_eq!(lease.as_deref(), Some("s"));
        assert_eq!(with, "1 active request, 1 open terminal session");
        assert!(stage(&json!({"status":"new"})).is_none());
        assert!(stage(&Value::Null).is_none());
    }
}
