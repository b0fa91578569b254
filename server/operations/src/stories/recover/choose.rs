//! Which rung is tried, and why: decided from the facts alone.

#[cfg(test)]
mod tests;

use domain::disconnect::{self, Remedy};
use domain::fact::{Account, ContainerState};

use super::super::accounts::cause;
use super::facts::{Asked, Facts};

/// The rungs, in the order of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Start,
    Reconnect,
    Restart,
    Recreate,
    Relink,
}

impl Kind {
    /// The rung in a sentence of the audit trail.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Reconnect => "reconnect",
            Self::Restart => "restart",
            Self::Recreate => "recreate",
            Self::Relink => "relink",
        }
    }

    /// What it could cost.
    pub(super) const fn costs(self) -> &'static str {
        match self {
            Self::Start => "It takes about half a minute, and changes nothing else.",
            Self::Reconnect => "The link is kept; messages of this account wait for a few seconds.",
            Self::Restart => "The link is kept; no account gets messages for about half a minute.",
            Self::Recreate => {
                "Links and volumes are kept; no account gets messages for about a minute. The old container comes \
                 back by itself if the new one fails."
            }
            Self::Relink => {
                "No link that works is lost. On numbers for which WhatsApp demands a passkey, linking through this \
                 gateway fails today, and the number stays unlinked."
            }
        }
    }
}

/// What was done on lower rungs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Climbed {
    /// The container was started.
    pub(super) started: bool,
}

/// Whether a rung is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// It may help; why, as a sentence.
    Try(String),
    /// There is nothing that it could mend.
    NotNeeded(String),
    /// It could not help.
    NotTried(String),
}

fn not_tried(why: impl Into<String>) -> Choice {
    Choice::NotTried(why.into())
}

/// Decides about one rung of the ladder. Somebody has seen that it does not work, and that nothing
/// forbids to act.
pub(super) fn choose(kind: Kind, facts: &Facts, climbed: Climbed) -> Choice {
    match kind {
        Kind::Start => start(facts),
        Kind::Reconnect => reconnect(facts),
        Kind::Restart => restart(facts, climbed),
        Kind::Recreate => recreate(facts),
        Kind::Relink => relink(facts),
    }
}

fn start(facts: &Facts) -> Choice {
    match facts.state {
        ContainerState::Exited | ContainerState::Created => {
            Choice::Try(format!("The container does not run: {}.", facts.stands))
        }
        _ => Choice::NotNeeded("The container is not stopped.".to_owned()),
    }
}

fn reconnect(facts: &Facts) -> Choice {
    let account = match &facts.account {
        Asked::Known(account) => account,
        Asked::Silent(why) | Asked::Refuses(why) => return not_tried(why),
        Asked::NoChannel | Asked::Unknown => {
            return not_tried("The gateway does not have this account.");
        }
    };
    if account.connected {
        return Choice::NotNeeded(
            "The account is connected; it is the gateway that is not ready.".to_owned(),
        );
    }
    if !account.has_working_link() {
        return not_tried("There is no link that works, so there is nothing to reconnect.");
    }
    if let Some(why) = only_a_new_link(account) {
        return not_tried(why);
    }
    if !facts.abilities.reconnect {
        return not_tried(
            "To stop and start a single account is not offered by this version of the gateway.",
        );
    }
    Choice::Try(if account.breaker_tripped {
        "The gateway's restart-loop breaker holds the account back; starting it is enough."
            .to_owned()
    } else if let Some(other) = other_client(account) {
        format!("{other}. If the other client was stopped since, this connects.")
    } else if !account.running {
        "The gateway does not run the account; starting it needs no stop and no scan.".to_owned()
    } else {
        format!("The account is not connected: {}.", cause(account))
    })
}

fn restart(facts: &Facts, climbed: Climbed) -> Choice {
    if let Some(why) = no_container_helps(facts) {
        return not_tried(why);
    }
    match facts.state {
        ContainerState::Running | ContainerState::Paused => {}
        ContainerState::Restarting => {
            return not_tried("Docker starts it again and again already.");
        }
        _ if climbed.started => return not_tried("It was started, and did not stay up."),
        _ => return not_tried(format!("There is no process to restart: {}.", facts.stands)),
    }
    if climbed.started {
        return not_tried(
            "The container was started a moment ago; a restart is the same once more.",
        );
    }
    if let Asked::Refuses(said) = &facts.account {
        return not_tried(format!("A restart does not change this: {said}"));
    }
    Choice::Try(matter(facts))
}

fn recreate(facts: &Facts) -> Choice {
    match no_container_helps(facts) {
        Some(why) => not_tried(why),
        None => Choice::Try(matter(facts)),
    }
}

fn relink(facts: &Facts) -> Choice {
    let Some(account) = facts.known() else {
        return not_tried("Nobody can tell whether the account still has its link.");
    };
    if account.connected {
        return Choice::NotNeeded("The account is linked and connected.".to_owned());
    }
    if account.has_working_link() {
        return not_tried("The account still has its link, which a new one would throw away.");
    }
    if !facts.abilities.scan {
        return not_tried(
            "To link by a scan is not offered: the gateway's version is too old, or its WhatsApp plugin is not \
             loaded.",
        );
    }
    Choice::Try(format!("Only a new link helps: {}.", cause(account)))
}

/// Why neither this container anew nor another one helps.
fn no_container_helps(facts: &Facts) -> Option<String> {
    if facts.lease {
        return Some("The gateway waits for its own lock, which this does not shorten.".to_owned());
    }
    let account = facts.known().filter(|account| !account.connected)?;
    if !account.has_working_link() {
        return Some("It does not bring a link back.".to_owned());
    }
    only_a_new_link(account).or_else(|| {
        other_client(account).map(|other| format!("{other}, and this does not stop it."))
    })
}

/// What is the matter, as a sentence.
pub(super) fn matter(facts: &Facts) -> String {
    if facts.state != ContainerState::Running {
        return format!("The gateway does not run: {}.", facts.stands);
    }
    match &facts.account {
        Asked::Silent(said) | Asked::Refuses(said) => said.clone(),
        Asked::NoChannel => "The gateway has no WhatsApp channel.".to_owned(),
        Asked::Unknown => "The gateway does not have this account.".to_owned(),
        Asked::Known(account) if account.connected => {
            let failing = &facts.readiness.failing;
            let rest = if failing.is_empty() {
                String::new()
            } else {
                format!(" ({} did not come up)", failing.join(", "))
            };
            format!("The account is connected, but the gateway is not ready{rest}.")
        }
        Asked::Known(account) => {
            format!(
                "Account {} is not connected: {}.",
                account.id,
                cause(account)
            )
        }
    }
}

/// What WhatsApp's last word asks for, while the account is away.
fn remedy(account: &Account) -> Option<(u16, disconnect::Meaning)> {
    let code = account.last_disconnect.as_ref()?.code?;
    (!account.connected).then(|| (code, disconnect::meaning(code)))
}

fn clause(account: &Account, wanted: Remedy) -> Option<String> {
    let (code, meaning) = remedy(account)?;
    (meaning.remedy == wanted).then(|| format!("{} ({code})", meaning.cause))
}

/// The link exists, and WhatsApp does not take it.
fn only_a_new_link(account: &Account) -> Option<String> {
    clause(account, Remedy::Relink)
        .filter(|_| !account.breaker_tripped)
        .map(|cause| format!("Only a new link helps: {cause}."))
}

/// Somebody else uses the session, as the beginning of a sentence.
pub(super) fn other_client(account: &Account) -> Option<String> {
    clause(account, Remedy::FindOtherClient).map(|cause| {
        let mut letters = cause.chars();
        let first = letters.next().map(char::to_uppercase);
        first.into_iter().flatten().chain(letters).collect()
    })
}

/// WhatsApp refuses the number: the phone says more.
pub(super) fn phone_says(account: &Account) -> Option<String> {
    clause(account, Remedy::LookAtPhone)
}
