//! From facts to one sentence: working, degraded, down or unknown, why, and the gentlest thing that helps.
//!
//! Pure and total. A green `/healthz` or `/readyz` is never enough: only a connected account is.

mod account;
#[cfg(test)]
mod table;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::exit_code;
use crate::fact::{API_PORT, Container, ContainerState, Control, FactKind, State};
use crate::gateway::AccountId;
use crate::observation::Observation;
use crate::operation::Operation;
use crate::time::Timestamp;
use crate::words;

/// A gateway needs this long from start to ready (measured 28 to 31 s on two cores), three times over.
pub const STARTING: Duration = Duration::from_secs(90);
/// A dropped account gets this long to come back by itself.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// One word for the whole gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Messages get through.
    Working,
    /// Messages get through in part, or may stop soon, or are about to come back.
    Degraded,
    /// No messages get through.
    Down,
    /// Nobody can tell.
    Unknown,
}

impl Standing {
    /// The word used in JSON and classes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// The gentlest thing that can help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Next {
    /// Nothing needs to be done.
    Nothing,
    /// It comes back by itself.
    Wait {
        /// When to look again; the page counts down to it.
        until: Option<Timestamp>,
    },
    /// An operation runs: watch it.
    Watch,
    /// Stop and start one account; keeps the link.
    Reconnect {
        /// Which.
        account: AccountId,
    },
    /// Restart the container.
    Restart,
    /// Recreate the container.
    Recreate,
    /// Scan a new QR with the phone; the last resort.
    Relink {
        /// Which account.
        account: AccountId,
    },
    /// Start the stopped container.
    Start,
    /// First start.
    Install,
    /// The WhatsApp plugin is not installed in the gateway.
    InstallPlugin,
    /// Set up an account in the gateway's configuration.
    Configure,
    /// Look at the phone that holds the number.
    LookAtPhone,
    /// Find the other client that uses the session.
    FindOtherClient,
    /// Read the log; no button can help.
    ReadLogs,
    /// Look at the proxy or the name's address.
    CheckProxy,
    /// The Docker Engine does not answer.
    CheckDocker,
    /// The gateway refuses the panel's key.
    CheckKey,
}

/// The verdict on one gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// One word.
    pub standing: Standing,
    /// One sentence: what is the matter.
    pub sentence: String,
    /// Why, and what will or will not help; may be several sentences.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// What helps.
    pub next: Next,
}

fn say(
    standing: Standing,
    sentence: &str,
    reason: String,
    since: Timestamp,
    next: Next,
) -> Verdict {
    Verdict {
        standing,
        sentence: sentence.to_owned(),
        reason: reason.trim().to_owned(),
        since,
        next,
    }
}

/// Judges an observation. `running` is the operation that holds the gateway's lock, if any.
pub fn verdict(seen: &Observation, running: Option<&Operation>, now: Timestamp) -> Verdict {
    let judged = container(seen, now)
        .or_else(|| process(seen, now))
        .or_else(|| session(seen, now))
        .unwrap_or_else(|| surroundings(seen, now));
    match running {
        Some(operation) => during(operation, judged),
        None => judged,
    }
}

/// While an operation runs, what it causes is no alarm.
fn during(operation: &Operation, judged: Verdict) -> Verdict {
    let title = operation.command.title();
    let by = operation.asked_by.name();
    if operation.outcome.is_some() {
        return Verdict {
            reason: format!(
                "{title} by {by} is stuck and keeps the gateway locked. {}",
                judged.reason
            ),
            next: Next::Watch,
            ..judged
        };
    }
    let (standing, sentence) = if judged.standing == Standing::Working {
        (
            Standing::Working,
            format!("{title} is running; messages get through"),
        )
    } else {
        (Standing::Degraded, format!("{title} is running"))
    };
    let reason = format!("Started by {by}. {}", judged.reason);
    Verdict {
        standing,
        sentence,
        reason,
        since: operation.created_at,
        next: Next::Watch,
    }
}

fn container(seen: &Observation, now: Timestamp) -> Option<Verdict> {
    let fact = &seen.container;
    if fact.is_stale(FactKind::Container, now) || fact.state == State::Unknown {
        return None;
    }
    let detail = fact.detail.as_ref()?;
    let down = |sentence, reason: String, next| {
        Some(say(Standing::Down, sentence, reason, fact.since, next))
    };
    if let Some(lease) = seen.lease
        && lease.ends_at > now
        && detail.state != ContainerState::Missing
        && !live(seen)
    {
        let left = words::duration(lease.ends_at.since(now));
        return down(
            "No messages get through: the gateway waits for its own lock",
            format!(
                "It was killed before, and its owner lease on the state folder is still held. It starts by itself \
                 when the lease ends, in at most {left}. Restarting or recreating does not make it faster."
            ),
            Next::Wait {
                until: Some(lease.ends_at),
            },
        );
    }
    match detail.state {
        // A gateway that dies every half minute runs at nearly every look, freshly started.
        ContainerState::Running if crash_loop(detail) && silent(seen) => down(
            CRASHING,
            format!(
                "{} in the last hour. It runs just now, but does not answer. The log says more; another \
                 restart will not help.",
                often(detail)
            ),
            Next::ReadLogs,
        ),
        ContainerState::Running => None,
        ContainerState::Missing => down(
            "No messages get through: there is no gateway container",
            "Nothing with that name exists in Docker. Install makes it from the compose folder."
                .to_owned(),
            Next::Install,
        ),
        ContainerState::Paused => down(
            "No messages get through: the container is frozen",
            "Somebody paused it (docker pause). Restart wakes it up.".to_owned(),
            Next::Restart,
        ),
        ContainerState::Removing => down(
            "No messages get through: the container is being removed",
            "Docker is removing it. When it is gone, Install makes a new one.".to_owned(),
            Next::Wait { until: None },
        ),
        ContainerState::Restarting => {
            let ended = ended(detail);
            if crash_loop(detail) {
                down(
                    CRASHING,
                    format!(
                        "{} in the last hour. {ended} The log says more; another restart will not help.",
                        often(detail)
                    ),
                    Next::ReadLogs,
                )
            } else {
                down(
                    "No messages get through: the gateway is being started again",
                    format!("{ended} Docker starts it again by itself."),
                    Next::Wait { until: None },
                )
            }
        }
        ContainerState::Created => down(
            "No messages get through: the container was never started",
            "It exists but was not started.".to_owned(),
            Next::Start,
        ),
        ContainerState::Exited => down(
            "No messages get through: the gateway is stopped",
            ended(detail),
            Next::Start,
        ),
        ContainerState::Dead => down(
            "No messages get through: Docker reports the container as dead",
            "It cannot be started again. Recreate replaces it and keeps its volume.".to_owned(),
            Next::Recreate,
        ),
    }
}

const CRASHING: &str = "No messages get through: the gateway keeps crashing";

fn crash_loop(container: &Container) -> bool {
    container.restarts_last_hour >= 3
}

fn often(container: &Container) -> String {
    words::count(container.restarts_last_hour.into(), "restart", "restarts")
}

fn live(seen: &Observation) -> bool {
    let process = seen.process.detail.as_ref();
    process.is_some_and(|process| process.live)
}

/// Asked, and without an answer: not the same as never asked.
fn silent(seen: &Observation) -> bool {
    let process = seen.process.detail.as_ref();
    process.is_some_and(|process| !process.live)
}

fn ended(container: &Container) -> String {
    match container.exit_code {
        Some(code) => {
            let meaning = exit_code::meaning(code, container.oom_killed);
            format!("The last run was {}.", meaning.trim_start_matches("was "))
                .replace("The last run was ended", "The last run ended")
                .replace("The last run was crashed", "The last run crashed")
                .replace("The last run was aborted", "The last run aborted")
        }
        None => "How the last run ended is not known.".to_owned(),
    }
}

fn process(seen: &Observation, now: Timestamp) -> Option<Verdict> {
    let fact = &seen.process;
    let unseen = fact.is_stale(FactKind::Process, now) || fact.state == State::Unknown;
    let detail = fact.detail.as_ref().filter(|_| !unseen);
    let Some(detail) = detail else {
        let reason = if fact.reason.is_empty() {
            "No probe has answered yet.".to_owned()
        } else {
            fact.reason.clone()
        };
        return Some(say(
            Standing::Unknown,
            "Nobody can tell whether messages get through",
            reason,
            fact.since,
            Next::Wait { until: None },
        ));
    };
    let started_at = seen
        .container
        .detail
        .as_ref()
        .and_then(|container| container.started_at);
    let starting_until = started_at
        .map(|at| at.plus(STARTING))
        .filter(|until| *until > now);
    let docker_blind =
        seen.container.state == State::Unknown || seen.container.is_stale(FactKind::Container, now);
    if !detail.live && docker_blind {
        return Some(say(
            Standing::Down,
            "No messages get through: the gateway does not answer",
            format!(
                "Docker does not answer either, so nobody can tell whether the container runs. {}",
                seen.container.reason
            ),
            fact.since,
            Next::CheckDocker,
        ));
    }
    if !detail.live {
        return Some(match starting_until {
            Some(until) => say(
                Standing::Degraded,
                "The gateway is starting",
                format!("It needs about half a minute. {}", fact.reason),
                started_at.unwrap_or(fact.since),
                Next::Wait { until: Some(until) },
            ),
            None if port_is_closed(seen) => say(
                Standing::Down,
                "No messages get through: the gateway's port is not published",
                format!(
                    "The container runs, but its port {API_PORT} is not bound on the host, so nobody reaches \
                     it. A restart keeps that; recreate publishes what the compose file says. {}",
                    fact.reason
                ),
                fact.since,
                Next::Recreate,
            ),
            None => say(
                Standing::Down,
                "No messages get through: the gateway does not answer",
                format!(
                    "The container runs, but the process is silent. {}",
                    fact.reason
                ),
                fact.since,
                Next::Restart,
            ),
        });
    }
    let becomes_ready = starting_until.is_some() && !waits_for_a_scan(seen, started_at, now);
    if detail.started == Some(false) || (detail.ready == Some(false) && becomes_ready) {
        let until = starting_until;
        return Some(say(
            Standing::Degraded,
            "The gateway is starting",
            format!("It answers, but is not ready yet. {}", fact.reason),
            started_at.unwrap_or(fact.since),
            Next::Wait { until },
        ));
    }
    control(seen, &detail.control)
}

/// Not ready, and no wait helps: since the start every account was seen without a link.
fn waits_for_a_scan(seen: &Observation, started_at: Option<Timestamp>, now: Timestamp) -> bool {
    let fact = &seen.session;
    let of_this_start = fact.checked_at >= started_at;
    let known =
        of_this_start && fact.state != State::Unknown && !fact.is_stale(FactKind::Session, now);
    known && fact.detail.as_ref().is_some_and(account::none_is_linked)
}

fn port_is_closed(seen: &Observation) -> bool {
    let container = seen.container.detail.as_ref();
    container.is_some_and(|container| {
        let mut ports = container.ports.iter();
        ports.any(|port| port.container_port == API_PORT && port.bound.is_none())
    })
}

/// Without the socket nobody sees the accounts.
fn control(seen: &Observation, control: &Control) -> Option<Verdict> {
    let unknown = |reason: String, next| {
        Some(say(
            Standing::Unknown,
            "The server answers, but nobody can tell whether WhatsApp works",
            reason,
            seen.process.since,
            next,
        ))
    };
    match control {
        Control::Pairing => unknown(
            "The gateway does not know this panel yet; the panel is approving itself.".to_owned(),
            Next::Wait { until: None },
        ),
        Control::KeyRefused => {
            let differs = seen
                .config
                .detail
                .as_ref()
                .is_some_and(|config| !config.differences.is_empty());
            let reason = "The gateway refuses the key that stands in .env. ";
            if differs {
                unknown(
                    format!(
                        "{reason}The container was made before .env changed: recreate applies it."
                    ),
                    Next::Recreate,
                )
            } else {
                unknown(
                    format!(
                        "{reason}Compare OPENCLAW_API_KEY in .env with the gateway's own configuration."
                    ),
                    Next::CheckKey,
                )
            }
        }
        Control::ScopeMissing { scope } => unknown(
            format!(
                "The panel is connected but lacks the scope {scope}. Approve its device again in the gateway."
            ),
            Next::CheckKey,
        ),
        Control::Failing { why } if seen.session.detail.is_none() => unknown(
            format!("The control socket fails: {why}"),
            Next::Wait { until: None },
        ),
        Control::Connected | Control::Connecting | Control::Failing { .. } => None,
    }
}

fn session(seen: &Observation, now: Timestamp) -> Option<Verdict> {
    let fact = &seen.session;
    let stale = fact.is_stale(FactKind::Session, now);
    let Some(detail) = fact
        .detail
        .as_ref()
        .filter(|_| !stale && fact.state != State::Unknown)
    else {
        return Some(say(
            Standing::Unknown,
            "The server answers, but nobody can tell whether WhatsApp works",
            if fact.reason.is_empty() {
                "The accounts could not be read yet.".to_owned()
            } else {
                fact.reason.clone()
            },
            fact.since,
            Next::Wait { until: None },
        ));
    };
    account::judge(detail, fact.since, now)
}

/// The accounts are connected: what is left is around them.
fn surroundings(seen: &Observation, now: Timestamp) -> Verdict {
    let connected = seen.session.detail.as_ref().map_or(0, |session| {
        session
            .accounts
            .iter()
            .filter(|account| account.connected)
            .count()
    });
    let accounts = match connected {
        1 => "The WhatsApp account is connected.".to_owned(),
        several => format!("{several} WhatsApp accounts are connected."),
    };
    let degraded = |sentence, reason: String, since, next| {
        say(Standing::Degraded, sentence, reason, since, next)
    };
    if seen.container.state == State::Unknown || seen.container.is_stale(FactKind::Container, now) {
        return degraded(
            "Messages get through, but Docker does not answer",
            format!(
                "{accounts} Nothing can be restarted until the Docker Engine answers. {}",
                seen.container.reason
            ),
            seen.container.since,
            Next::CheckDocker,
        );
    }
    let process = seen.process.detail.as_ref();
    if process.is_some_and(|process| process.ready == Some(false)) {
        return degraded(
            "Messages get through, but the gateway says it is not ready",
            format!("{accounts} {}", seen.process.reason),
            seen.process.since,
            Next::Restart,
        );
    }
    if seen.edge.state == State::Down {
        return degraded(
            "WhatsApp works, but the public address does not",
            format!(
                "{accounts} {} Whoever calls the API from outside fails.",
                seen.edge.reason
            ),
            seen.edge.since,
            Next::CheckProxy,
        );
    }
    let soon = seen
        .edge
        .detail
        .as_ref()
        .and_then(|edge| edge.certificate_ends_soon(now));
    if let Some(ends) = soon {
        return degraded(
            "Messages get through, but the certificate ends soon",
            format!(
                "{accounts} The certificate of the public address ends at {}.",
                ends.utc_text()
            ),
            seen.edge.since,
            Next::CheckProxy,
        );
    }
    let tight = seen.container.detail.as_ref().is_some_and(|container| {
        matches!((container.memory_bytes, container.memory_limit_bytes),
            (Some(used), Some(limit)) if limit > 0 && used > limit / 100 * 92)
    });
    if tight {
        return degraded(
            "Messages get through, but memory is nearly used up",
            format!(
                "{accounts} When the limit is reached the kernel kills the gateway. Raise it in the compose file."
            ),
            seen.container.since,
            Next::Recreate,
        );
    }
    let mut reason = accounts;
    let differences = seen
        .config
        .detail
        .as_ref()
        .map_or(0, |config| config.differences.len());
    if differences > 0 {
        let said = words::count(differences as u64, "difference", "differences");
        reason = format!(
            "{reason} The container has {said} to the compose folder; recreate applies it."
        );
    }
    if seen.config.state == State::Down {
        reason = format!(
            "{reason} The compose folder cannot be used, so the gateway cannot be recreated: {}",
            seen.config.reason
        );
    }
    say(
        Standing::Working,
        "Messages get through",
        reason,
        seen.session.since,
        Next::Nothing,
    )
}
