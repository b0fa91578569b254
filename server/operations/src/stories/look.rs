//! What a story sees before it changes anything.

use std::time::Duration;

use domain::compare::Comparison;
use domain::exit_code;
use domain::fact::{Account, Container, ContainerState};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::AccountId;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::refused;
use crate::step::Cx;

/// How long a gateway may take to answer; one that hangs must not keep anybody from restarting it.
const ANSWER: Duration = Duration::from_secs(10);
/// Grace when the compose folder does not say.
const GRACE: Duration = Duration::from_secs(30);

/// The gateway before the operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Before {
    /// The container with the compose name.
    pub(crate) container: Option<Old>,
    /// Whether the gateway said it was ready.
    pub(crate) ready: bool,
    /// Accounts that were connected; `None` when the gateway could not be asked.
    pub(crate) connected: Option<Vec<AccountId>>,
    /// Accounts that had a link.
    pub(crate) linked: Vec<AccountId>,
    /// Whether there was a WhatsApp channel; `None` when the gateway could not be asked.
    pub(crate) channel: Option<bool>,
    /// Time for a stop before the kill.
    pub(crate) grace: Duration,
    /// The compose folder could not be read: the grace is the panel's own.
    pub(crate) compose_fault: Option<String>,
}

/// The container before the operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Old {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) state: ContainerState,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) exit_code: Option<i64>,
    pub(crate) oom_killed: bool,
    pub(crate) hostname_is_default: bool,
}

impl Old {
    fn of(container: Container) -> Self {
        Self {
            id: container.id,
            name: container.name,
            state: container.state,
            started_at: container.started_at,
            finished_at: container.finished_at,
            exit_code: container.exit_code,
            oom_killed: container.oom_killed,
            hostname_is_default: container.hostname_is_default,
        }
    }

    /// Whether its process is there, frozen or not.
    pub(crate) fn runs(&self) -> bool {
        runs(self.state)
    }

    /// How it stands, as a clause.
    pub(crate) fn words(&self) -> String {
        words(self.state, self.exit_code, self.oom_killed)
    }
}

/// Whether a container in this state has a process, or will have one again in a moment.
pub(crate) fn runs(state: ContainerState) -> bool {
    matches!(
        state,
        ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
    )
}

/// A container's state, as a clause.
pub(crate) fn words(state: ContainerState, exit_code: Option<i64>, oom_killed: bool) -> String {
    match state {
        ContainerState::Running => "it is running".to_owned(),
        ContainerState::Paused => "it is frozen (docker pause)".to_owned(),
        ContainerState::Created => "it was never started".to_owned(),
        ContainerState::Restarting | ContainerState::Exited | ContainerState::Dead => {
            let meaning = match exit_code {
                Some(code) => exit_code::meaning(code, oom_killed),
                None => "Docker does not say why".to_owned(),
            };
            let state = match state {
                ContainerState::Restarting => "Docker keeps starting it again",
                ContainerState::Dead => "Docker calls it dead",
                _ => "it has ended",
            };
            format!("{state}: {meaning}")
        }
        ContainerState::Removing => "it is being removed".to_owned(),
        ContainerState::Missing => "there is none".to_owned(),
    }
}

/// Says what the compose folder asks for and the panel does not do.
pub(crate) fn say_notes(cx: &Cx, comparison: &Comparison) {
    for note in &comparison.notes {
        cx.say.line(note);
    }
}

/// Looks at container, gateway and compose folder. Only Docker must answer.
pub(crate) async fn look(cx: &Cx) -> Result<Before, Fault> {
    let container = cx.containers.current(&cx.gateway).await?.map(Old::of);
    let running = container
        .as_ref()
        .is_some_and(|old| old.state == ContainerState::Running);
    let (ready, accounts) = if running {
        let ready = cx.control.readiness(&cx.gateway);
        let ready = tokio::time::timeout(ANSWER, ready).await;
        let ready = ready.is_ok_and(|said| said.is_ok_and(|said| said.ready));
        (ready, ask_accounts(cx).await.ok())
    } else {
        (false, None)
    };
    let compared = cx.containers.compare(&cx.gateway).await;
    let channel = accounts.as_ref().map(Option::is_some);
    let accounts = accounts.map(Option::unwrap_or_default);
    let those = |list: &[Account], wanted: fn(&Account) -> bool| -> Vec<AccountId> {
        list.iter()
            .filter(|account| wanted(account))
            .map(|account| account.id.clone())
            .collect()
    };
    Ok(Before {
        container,
        ready,
        connected: accounts
            .as_ref()
            .map(|list| those(list, |account| account.connected)),
        linked: those(accounts.as_deref().unwrap_or_default(), |account| {
            account.linked
        }),
        channel,
        grace: compared.as_ref().map_or(GRACE, |comparison| {
            Duration::from_secs(u64::from(comparison.stop_grace_seconds).max(1))
        }),
        compose_fault: compared.err().map(|fault| cx.say.scrub(&fault.message)),
    })
}

/// The accounts, within a limit.
pub(crate) async fn ask_accounts(cx: &Cx) -> Result<Option<Vec<Account>>, Fault> {
    let asked = tokio::time::timeout(ANSWER, cx.control.accounts(&cx.gateway)).await;
    asked.unwrap_or_else(|_| {
        Err(Fault::new(
            FaultKind::TimedOut,
            Boundary::Gateway,
            "the gateway did not answer",
        ))
    })
}

/// One account, asked now.
pub(crate) async fn account(cx: &Cx, id: &AccountId) -> Result<Account, Fault> {
    let accounts = ask_accounts(cx).await?.ok_or_else(|| {
        refused(
            FaultKind::NotFound,
            Boundary::Gateway,
            "This gateway has no WhatsApp channel: its plugin is not installed.",
        )
    })?;
    let found = accounts.into_iter().find(|known| known.id == *id);
    found.ok_or_else(|| {
        refused(
            FaultKind::NotFound,
            Boundary::Gateway,
            format!("The gateway has no account {id}."),
        )
    })
}

/// The container that must be there.
pub(crate) fn existing(before: &Before) -> Result<&Old, Fault> {
    before.container.as_ref().ok_or_else(|| {
        refused(
            FaultKind::NotFound,
            Boundary::Docker,
            "This gateway has no container yet. Use Install to create it from the compose folder.",
        )
    })
}

/// Says which accounts were connected.
pub(crate) fn say_accounts(cx: &Cx, before: &Before) {
    match (&before.connected, before.channel) {
        (None, _) => cx.say.line(
            "The gateway cannot be asked about its accounts now; they are all looked at afterwards.",
        ),
        (Some(_), Some(false)) => {
            cx.say
                .line("This gateway has no WhatsApp channel: its plugin is not installed.");
        }
        (Some(connected), _) if connected.is_empty() => {
            cx.say.line("No WhatsApp account is connected now.");
        }
        (Some(connected), _) => cx.say.line(format!("Connected now: {}.", names(connected))),
    }
}

/// `account a`, `accounts a, b`.
pub(crate) fn names(accounts: &[AccountId]) -> String {
    let list: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
    let noun = if list.len() == 1 {
        "account"
    } else {
        "accounts"
    };
    format!("{noun} {}", list.join(", "))
}
