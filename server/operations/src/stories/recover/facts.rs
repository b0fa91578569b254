//! What is known of a gateway and one of its accounts when the next rung is decided.

use std::time::Duration;

use domain::fact::{Account, ContainerState};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::AccountId;
use domain::ports::{Abilities, Readiness};
use domain::time::Timestamp;

use super::super::look::{ask_accounts, runs, words};
use super::super::waiting;
use crate::step::Cx;

/// A gateway needs half a minute from its start to ready; a slow host three times that.
pub(super) const STARTING: Duration = Duration::from_secs(90);
/// How long a gateway may take to answer; one that hangs must not keep anybody from restarting it.
const ANSWER: Duration = Duration::from_secs(10);

/// The facts. Only Docker must answer.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) state: ContainerState,
    /// How the container stands, as a clause.
    pub(super) stands: String,
    /// The container was started a moment ago.
    pub(super) young: bool,
    /// The owner lease of a run that was killed keeps it from starting.
    pub(super) lease: bool,
    pub(super) readiness: Readiness,
    pub(super) abilities: Abilities,
    pub(super) account: Asked,
}

/// What the gateway says about the account.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// It cannot be asked, and why, as a sentence.
    Silent(String),
    /// It refuses the panel, and how it says so.
    Refuses(String),
    /// It has no WhatsApp channel.
    NoChannel,
    /// It has no such account.
    Unknown,
    /// It answers.
    Known(Box<Account>),
}

impl Facts {
    /// Looks now.
    pub(super) async fn of(cx: &Cx, account: &AccountId) -> Result<Self, Fault> {
        let found = cx.containers.current(&cx.gateway).await?;
        let Some(container) = found else {
            return Ok(Self::without_container());
        };
        let state = container.state;
        let ended = matches!(state, ContainerState::Restarting | ContainerState::Exited);
        let mut facts = Self {
            state,
            stands: words(state, container.exit_code, container.oom_killed),
            young: runs(state) && is_young(container.started_at, cx.clock.now()),
            lease: ended && waiting::held_by_lease(cx, &container.id).await,
            ..Self::without_container()
        };
        if state == ContainerState::Running {
            facts.ask(cx, account).await;
        }
        Ok(facts)
    }

    fn without_container() -> Self {
        Self {
            state: ContainerState::Missing,
            stands: words(ContainerState::Missing, None, false),
            young: false,
            lease: false,
            readiness: Readiness::default(),
            abilities: Abilities::default(),
            account: Asked::Silent("The gateway does not run.".to_owned()),
        }
    }

    async fn ask(&mut self, cx: &Cx, id: &AccountId) {
        let asked = tokio::time::timeout(ANSWER, cx.control.readiness(&cx.gateway)).await;
        self.readiness = asked.ok().and_then(Result::ok).unwrap_or_default();
        if !self.readiness.live {
            self.account = Asked::Silent("The gateway does not answer.".to_owned());
            return;
        }
        self.account = match ask_accounts(cx).await {
            Ok(None) => Asked::NoChannel,
            Ok(Some(accounts)) => accounts
                .into_iter()
                .find(|account| account.id == *id)
                .map_or(Asked::Unknown, |account| Asked::Known(Box::new(account))),
            Err(fault) if fault.kind == FaultKind::Refused => {
                Asked::Refuses(cx.say.scrub(&fault.message))
            }
            Err(fault) => Asked::Silent(cx.say.scrub(&fault.message)),
        };
        let asked = tokio::time::timeout(ANSWER, cx.control.abilities(&cx.gateway)).await;
        match asked {
            Ok(Ok(abilities)) => self.abilities = abilities,
            // Not to be taken for a version that offers nothing.
            Ok(Err(fault)) if !self.work() => {
                self.account = Asked::Silent(cx.say.scrub(&fault.message));
            }
            Err(_) if !self.work() => {
                self.account = Asked::Silent("The gateway did not answer.".to_owned());
            }
            Ok(Err(_)) | Err(_) => {}
        }
    }

    /// The account, when the gateway tells of it.
    pub(super) fn known(&self) -> Option<&Account> {
        match &self.account {
            Asked::Known(account) => Some(account),
            _ => None,
        }
    }

    /// It was started a moment ago, and may come by itself.
    pub(super) fn is_starting(&self) -> bool {
        let hopeless = |account: &Account| {
            !account.enabled || !account.has_working_link() || account.breaker_tripped
        };
        self.state == ContainerState::Running && self.young && !self.known().is_some_and(hopeless)
    }

    /// The proof: the account is connected, and the gateway is ready. Neither alone is enough.
    pub(super) fn work(&self) -> bool {
        self.readiness.ready && self.known().is_some_and(|account| account.connected)
    }
}

fn is_young(started_at: Option<Timestamp>, now: Timestamp) -> bool {
    started_at.is_some_and(|at| now.since(at) < STARTING)
}

/// A fault that ends the operation before anything is touched.
pub(super) fn refusal(facts: &Facts, id: &AccountId) -> Option<Fault> {
    let at_gateway = |kind, why: String| Some(Fault::new(kind, Boundary::Gateway, why));
    match facts.state {
        ContainerState::Missing => {
            return Some(Fault::new(
                FaultKind::NotFound,
                Boundary::Docker,
                "This gateway has no container yet. Use Install to create it from the compose folder.",
            ));
        }
        ContainerState::Removing => {
            return Some(Fault::new(
                FaultKind::Invalid,
                Boundary::Docker,
                "Docker is removing the container. When it is gone, Install makes a new one.",
            ));
        }
        _ => {}
    }
    match &facts.account {
        Asked::NoChannel => at_gateway(
            FaultKind::NotFound,
            "This gateway has no WhatsApp channel: its plugin is not installed. Neither a restart nor a scan can \
             help; install it first, from the gateway's page."
                .to_owned(),
        ),
        Asked::Unknown => at_gateway(
            FaultKind::NotFound,
            format!("The gateway has no account {id}."),
        ),
        Asked::Known(account) if !account.enabled => at_gateway(
            FaultKind::Invalid,
            format!(
                "Account {id} is switched off in the gateway's configuration. Switch it on there first."
            ),
        ),
        Asked::Known(account) => super::choose::phone_says(account).and_then(|cause| {
            at_gateway(
                FaultKind::Invalid,
                format!(
                    "WhatsApp refuses this number: {cause}. Open WhatsApp on the phone and read what it says; \
                     reconnecting or linking again may make it worse."
                ),
            )
        }),
        Asked::Silent(_) | Asked::Refuses(_) => None,
    }
}
