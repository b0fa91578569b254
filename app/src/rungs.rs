//! The actions on a gateway, gentlest first, each with what it costs and, when it cannot help or may not
//! be pressed, why. Pure: the same rules serve the page, its button and its test.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::action::Action;
use domain::fact::{Account, ContainerState, Control, FactKind, Plugin, State};
use domain::gateway::{AccountId, GatewayId};
use domain::observation::Observation;
use domain::operation::Operation;
use domain::person::Role;
use domain::time::Timestamp;
use domain::{can, path, words};

use crate::call::Call;
use crate::error::holder_sentence;
use crate::live;

/// How long operations usually take, by name.
pub(crate) type Usual = BTreeMap<String, Duration>;

/// What is known when a page is made.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) gateway: &'a GatewayId,
    pub(crate) seen: Option<&'a Observation>,
    pub(crate) holder: Option<&'a Operation>,
    pub(crate) role: Role,
    pub(crate) usual: &'a Usual,
    pub(crate) now: Timestamp,
}

/// What a page that offers actions has looked up.
pub(crate) struct Known {
    gateway: GatewayId,
    pub(crate) seen: Option<Arc<Observation>>,
    holder: Option<Operation>,
    pub(crate) usual: Arc<Usual>,
    role: Role,
    now: Timestamp,
}

impl Known {
    /// Of a gateway, for whoever looks.
    pub(crate) async fn of(call: &Call, gateway: &GatewayId) -> Self {
        let (panel, now) = (call.panel(), call.now());
        Self {
            gateway: gateway.clone(),
            seen: panel.observations.observation(gateway),
            holder: panel.operations.holder(gateway),
            usual: live::usual(panel, gateway, now).await,
            role: call.role_on(gateway),
            now,
        }
    }

    /// The gateway's accounts, switched off ones too; none while they are not known.
    pub(crate) fn accounts(&self) -> &[Account] {
        let session = self
            .seen
            .as_ref()
            .and_then(|seen| seen.session.detail.as_ref());
        session.map_or(&[], |session| &session.accounts)
    }

    pub(crate) fn sight(&self) -> Sight<'_> {
        Sight {
            gateway: &self.gateway,
            seen: self.seen.as_deref(),
            holder: self.holder.as_ref(),
            role: self.role,
            usual: &self.usual,
            now: self.now,
        }
    }
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    pub(crate) action: Action,
    pub(crate) account: Option<AccountId>,
    pub(crate) title: String,
    pub(crate) button: &'static str,
    pub(crate) costs: String,
    pub(crate) href: String,
    /// Why it cannot be pressed.
    pub(crate) against: Option<String>,
}

/// Every action that makes sense for what is there, gentlest first.
pub(crate) fn rungs(sight: Sight<'_>) -> Vec<Rung> {
    let accounts = accounts(sight.seen);
    let several = accounts.len() > 1;
    let mut rungs: Vec<Rung> = accounts
        .iter()
        .map(|account| {
            let title = if several {
                format!("Reconnect account {}", account.id)
            } else {
                "Reconnect account".to_owned()
            };
            rung(sight, Action::Reconnect, title, Some(account.id.clone()))
        })
        .collect();
    let state = container(sight.seen);
    let lacks = |session: &domain::fact::Session| session.plugin == Plugin::Missing;
    let session = sight.seen.and_then(|seen| seen.session.detail.as_ref());
    if state == Some(ContainerState::Running) && session.is_some_and(lacks) {
        let title = "Install the WhatsApp plugin".to_owned();
        rungs.push(rung(sight, Action::InstallPlugin, title, None));
    }
    let others: &[Action] = match state {
        Some(ContainerState::Missing) => &[Action::Install],
        Some(ContainerState::Exited | ContainerState::Created) => {
            &[Action::Start, Action::Restart, Action::Recreate]
        }
        _ => &[Action::Restart, Action::Recreate, Action::Stop],
    };
    rungs.extend(others.iter().map(|action| {
        let title = button(*action).to_owned();
        rung(sight, *action, title, None)
    }));
    // The last one: it wants a person with the phone.
    rungs.extend(accounts.iter().map(|account| {
        let title = if several {
            format!("Link account {} anew", account.id)
        } else {
            "Link anew".to_owned()
        };
        rung(sight, link(account), title, Some(account.id.clone()))
    }));
    rungs
}

/// How an account gets a new link: one that may still work is replaced with more care.
pub(crate) fn link(account: &Account) -> Action {
    if account.has_working_link() && !account.connected {
        Action::ReplaceLink
    } else {
        Action::Relink
    }
}

/// The one that does `action` (on `account`).
pub(crate) fn rung(
    sight: Sight<'_>,
    action: Action,
    title: String,
    account: Option<AccountId>,
) -> Rung {
    let mut href = match action {
        Action::Wipe => path::wipe(sight.gateway),
        _ => path::confirm(sight.gateway, action.as_str()),
    };
    if let Some(account) = &account {
        href = format!("{href}?account={account}");
    }
    Rung {
        costs: costs(action, sight.usual),
        against: against(sight, action, account.as_ref()),
        button: button(action),
        action,
        account,
        title,
        href,
    }
}

/// Why it cannot be pressed: the role first, then who is at work, then the state of things.
pub(crate) fn against(
    sight: Sight<'_>,
    action: Action,
    account: Option<&AccountId>,
) -> Option<String> {
    if let Err(denied) = can::role_may(Some(sight.role), action) {
        return Some(denied.why.to_owned());
    }
    if let Some(holder) = sight.holder {
        return Some(format!("Waits: {}", holder_sentence(holder)));
    }
    state_against(sight, action, account).map(str::to_owned)
}

fn state_against(
    sight: Sight<'_>,
    action: Action,
    account: Option<&AccountId>,
) -> Option<&'static str> {
    let Some(seen) = sight
        .seen
        .filter(|seen| seen.container.checked_at.is_some())
    else {
        return Some("The panel is still looking at the gateway.");
    };
    let blind = seen.container.state == State::Unknown
        || seen.is_stale(FactKind::Container, sight.now)
        || seen.container.detail.is_none();
    if blind {
        return Some("Docker does not answer, so nothing can be changed now.");
    }
    let state = container(Some(seen))?;
    match action {
        Action::Reconnect => reconnect_against(seen, state, account?),
        Action::Relink => relink_against(seen, state, account?),
        Action::ReplaceLink => replace_against(seen, state, account?),
        Action::Recover => recover_against(seen, state, account?),
        Action::Restart if seen.lease.is_some_and(|lease| lease.ends_at > sight.now) => Some(
            "Cannot help: the gateway waits for its own lock, which a restart does not shorten.",
        ),
        Action::Restart | Action::Stop => match state {
            ContainerState::Missing => Some("There is no container. Install makes it."),
            ContainerState::Exited | ContainerState::Created => Some("It is stopped. Start it."),
            ContainerState::Dead => Some("Docker reports it as dead. Recreate replaces it."),
            ContainerState::Removing => Some("Docker is removing it."),
            _ => None,
        },
        Action::RotateKey => match state {
            ContainerState::Running => None,
            _ => Some(
                "The gateway does not run, and a change of its key could not be proved. Start it first.",
            ),
        },
        Action::RotateDevice => connected_against(seen, state),
        Action::Recreate | Action::Wipe => match state {
            ContainerState::Missing => Some("There is no container. Install makes it."),
            ContainerState::Removing => Some("Docker is removing it."),
            _ => None,
        },
        Action::Backup => match state {
            ContainerState::Running => None,
            _ => Some("The gateway does not run, and only it can copy its databases safely."),
        },
        Action::Unlink => unlink_against(seen, state, account?),
        Action::Restore => restore_against(seen, state),
        Action::Start => match state {
            ContainerState::Exited | ContainerState::Created => None,
            ContainerState::Missing => Some("There is no container. Install makes it."),
            _ => Some("It is not stopped."),
        },
        Action::InstallPlugin => match (state, seen.session.detail.as_ref()) {
            (ContainerState::Running, Some(session)) if session.plugin == Plugin::Missing => None,
            (ContainerState::Running, Some(_)) => Some("Not needed: the plugin is installed."),
            (ContainerState::Running, None) => {
                Some("The panel does not know yet whether the plugin is there.")
            }
            _ => Some("The gateway does not run. Start it first."),
        },
        Action::Install => match state {
            ContainerState::Missing => None,
            _ => Some("There is a container already. Recreate replaces it."),
        },
        _ => None,
    }
}

/// Why the panel cannot be known anew.
fn connected_against(seen: &Observation, state: ContainerState) -> Option<&'static str> {
    if state != ContainerState::Running {
        return Some("The gateway does not run. Start it first.");
    }
    let process = seen.process.detail.as_ref();
    let connected = process.is_some_and(|process| process.control == Control::Connected);
    (!connected).then_some(
        "The panel has no connection to the gateway, and a new identity could not be proved.",
    )
}

fn reconnect_against(
    seen: &Observation,
    state: ContainerState,
    account: &AccountId,
) -> Option<&'static str> {
    match reachable(seen, state, account) {
        Err(why) => Some(why),
        Ok(Some(account)) if !account.connected && !account.has_working_link() => {
            Some("Cannot help: the account is not linked, so a new scan is needed.")
        }
        Ok(_) => None,
    }
}

fn unlink_against(
    seen: &Observation,
    state: ContainerState,
    account: &AccountId,
) -> Option<&'static str> {
    match reachable(seen, state, account) {
        Err(why) => Some(why),
        Ok(Some(account)) if !account.linked => Some("Not needed: the account has no link."),
        Ok(_) => None,
    }
}

fn restore_against(seen: &Observation, state: ContainerState) -> Option<&'static str> {
    if state != ContainerState::Running {
        return Some("The gateway does not run. Start it first.");
    }
    accounts(Some(seen))
        .is_empty()
        .then_some("The gateway's accounts are not known just now. It must run and answer.")
}

fn relink_against(
    seen: &Observation,
    state: ContainerState,
    account: &AccountId,
) -> Option<&'static str> {
    match reachable(seen, state, account) {
        Err(why) => Some(why),
        Ok(Some(account)) if account.connected => {
            Some("Not needed: the account is linked and connected.")
        }
        Ok(Some(account)) if account.has_working_link() => Some(
            "Not so: the account still has its link, which a new one would throw away. Try the gentler actions first, \
             then replace the link.",
        ),
        Ok(_) => None,
    }
}

fn replace_against(
    seen: &Observation,
    state: ContainerState,
    account: &AccountId,
) -> Option<&'static str> {
    match reachable(seen, state, account) {
        Err(why) => Some(why),
        Ok(Some(account)) if account.connected => {
            Some("Not needed: the account is linked and connected.")
        }
        Ok(Some(account)) if !account.has_working_link() => Some(
            "Not so: the account has no link that works, so there is nothing to replace. Link it.",
        ),
        Ok(_) => None,
    }
}

/// Whatever else ails is for the operation to find out.
fn recover_against(
    seen: &Observation,
    state: ContainerState,
    account: &AccountId,
) -> Option<&'static str> {
    match state {
        ContainerState::Missing => return Some("There is no container. Install makes it."),
        ContainerState::Removing => return Some("Docker is removing it."),
        _ => {}
    }
    let session = seen.session.detail.as_ref()?;
    if session.plugin == Plugin::Missing {
        return Some("The gateway has no WhatsApp plugin. Install it first.");
    }
    let Some(known) = session.accounts.iter().find(|known| known.id == *account) else {
        return Some("The gateway has no such account.");
    };
    let process = seen.process.detail.as_ref();
    let ready = process.is_some_and(|process| process.live && process.ready == Some(true));
    (state == ContainerState::Running && known.connected && ready)
        .then_some("Not needed: the account is connected, and the gateway is ready.")
}

/// The account, when the gateway could be told to do something with it; why not, else.
fn reachable<'a>(
    seen: &'a Observation,
    state: ContainerState,
    account: &AccountId,
) -> Result<Option<&'a Account>, &'static str> {
    if state != ContainerState::Running {
        return Err("The gateway does not run.");
    }
    let process = seen.process.detail.as_ref();
    if !process.is_some_and(|process| process.live) {
        return Err("The gateway does not answer.");
    }
    if !process.is_some_and(|process| process.control == Control::Connected) {
        return Err("The panel has no connection to the gateway, which it needs for this.");
    }
    let Some(session) = seen.session.detail.as_ref() else {
        return Ok(None);
    };
    if session.plugin == Plugin::Missing {
        return Err("The gateway has no WhatsApp plugin.");
    }
    let known = session.accounts.iter().find(|known| known.id == *account);
    known.map(Some).ok_or("The gateway has no such account.")
}

fn accounts(seen: Option<&Observation>) -> Vec<&Account> {
    let session = seen.and_then(|seen| seen.session.detail.as_ref());
    session.map_or_else(Vec::new, |session| {
        session
            .accounts
            .iter()
            .filter(|account| account.enabled)
            .collect()
    })
}

fn container(seen: Option<&Observation>) -> Option<ContainerState> {
    seen.and_then(|seen| seen.container.detail.as_ref())
        .map(|container| container.state)
}

/// The word on the button.
pub(crate) const fn button(action: Action) -> &'static str {
    match action {
        Action::Reconnect => "Reconnect",
        Action::Relink => "Link",
        Action::ReplaceLink => "Replace the link",
        Action::Unlink => "Unlink",
        // What it does is typed and confirmed on the way.
        Action::Wipe => "Wipe …",
        Action::Restart => "Restart",
        Action::Recreate => "Recreate",
        Action::Install => "Install",
        Action::InstallPlugin => "Install the plugin",
        Action::Stop => "Stop",
        Action::Start => "Start",
        Action::Recover => "Fix WhatsApp",
        Action::Backup => "Back up",
        Action::RotateDevice => "Renew the identity",
        _ => "Open",
    }
}

/// What it keeps, does and costs, in one line.
fn costs(action: Action, usual: &Usual) -> String {
    let long = about(action, usual);
    match action {
        Action::Reconnect => format!("keeps the link · no scan · {long}"),
        Action::Relink => "a scan with the phone · replaces no link that works".to_owned(),
        Action::Unlink => {
            "takes the link out of the gateway · backed up first · no messages until it is linked again"
                .to_owned()
        }
        Action::Wipe => {
            "empties the gateway's state folder · for a state that is beyond repair · backed up first · a scan"
                .to_owned()
        }
        Action::ReplaceLink => {
            "a scan with the phone · replaces the link · the present one is backed up and comes back if nothing comes of it"
                .to_owned()
        }
        Action::Restart => format!("keeps the link · {long}"),
        Action::Recreate => format!(
            "keeps the link · applies .env and compose · {long} · goes back by itself if it fails"
        ),
        Action::Start => format!("starts the container that is there · {long}"),
        Action::Install => format!("makes the container from the compose folder · {long}"),
        Action::InstallPlugin => {
            format!("fetched by the gateway from the npm registry · a restart · {long}")
        }
        Action::Backup => format!("changes nothing · encrypted on the panel's host · {long}"),
        Action::Stop => "keeps the link · no messages until it is started".to_owned(),
        _ => long,
    }
}

/// `about 31 s`, from how long it took before.
pub(crate) fn about(action: Action, usual: &Usual) -> String {
    usual.get(action.as_str()).map_or_else(
        || "not timed yet".to_owned(),
        |usual| format!("about {}", words::duration(*usual)),
    )
}
