//! Whether the WhatsApp accounts came back.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::disconnect;
use domain::fact::Account;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::AccountId;
use domain::words;
use tokio::time::Instant;

use super::look::{Before, ask_accounts, names};
use super::refused;
use super::waiting::since;
use crate::step::Cx;

/// Between two looks.
const POLL: Duration = Duration::from_millis(250);
/// What a reconnect takes at most, seen: a few seconds after ready.
pub(crate) const WITHIN: Duration = Duration::from_secs(90);
/// Limit for the table.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// What is found out about one account.
enum Standing {
    Connected,
    /// It may still come.
    Coming(String),
    /// Waiting does not help.
    Lost(String),
}

/// Waits until every account that has a link (or was connected before) is connected; what is missing
/// then comes back as one sentence.
///
/// # Errors
/// When the gateway lost what it had: the WhatsApp channel, or the link of an account without a
/// log-out. Then it does not run on the state folder it had, and going back helps.
pub(crate) async fn check(cx: &Cx, before: &Before) -> Result<Option<String>, Fault> {
    let began = Instant::now();
    let mut started: BTreeSet<AccountId> = BTreeSet::new();
    let mut told: BTreeSet<AccountId> = BTreeSet::new();
    loop {
        let late = began.elapsed() >= WITHIN;
        let accounts = match ask_accounts(cx).await {
            Ok(Some(accounts)) => accounts,
            Ok(None) => return no_channel(before),
            Err(fault) if late => {
                return Ok(Some(format!(
                    "It came back, but its accounts could not be looked at: {}",
                    cx.say.scrub(&fault.message)
                )));
            }
            Err(fault) => {
                cx.say.progress(format!("Accounts: {}", fault.message));
                tokio::time::sleep(POLL).await;
                continue;
            }
        };
        lost_links(before, &accounts)?;
        let mut coming = Vec::new();
        let mut missing = Vec::new();
        for account in accounts.iter().filter(|account| matters(before, account)) {
            match standing(account) {
                Standing::Connected => {
                    if told.insert(account.id.clone()) {
                        let after = words::duration(began.elapsed());
                        cx.say.line(format!(
                            "Account {} is connected after {after}.",
                            account.id
                        ));
                    }
                }
                Standing::Coming(cause) => {
                    cure_breaker(cx, account, &mut started).await;
                    missing.push(sentence(before, account, &cause));
                    coming.push(account.id.clone());
                }
                Standing::Lost(cause) => missing.push(sentence(before, account, &cause)),
            }
        }
        if coming.is_empty() || late {
            return Ok((!missing.is_empty()).then(|| cx.say.scrub(&missing.join(" "))));
        }
        cx.say
            .progress(format!("Waiting for {}{}.", names(&coming), since(began)));
        tokio::time::sleep(POLL).await;
    }
}

fn no_channel(before: &Before) -> Result<Option<String>, Fault> {
    if before.channel == Some(true) {
        return Err(refused(
            FaultKind::NotFound,
            Boundary::Gateway,
            "The gateway came back without its WhatsApp channel: it does not run on the state folder it \
             had, or its plugin is gone.",
        ));
    }
    Ok(Some(
        "It runs, but it has no WhatsApp channel: its plugin is not installed.".to_owned(),
    ))
}

/// A link does not vanish by a restart unless the phone logged it out.
fn lost_links(before: &Before, accounts: &[Account]) -> Result<(), Fault> {
    let lost: Vec<AccountId> = before
        .linked
        .iter()
        .filter(|id| {
            let now = accounts.iter().find(|account| account.id == **id);
            !now.is_some_and(|account| account.linked || logged_out(account))
        })
        .cloned()
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(refused(
        FaultKind::NotFound,
        Boundary::Gateway,
        format!(
            "The gateway came back without the link of {}: it does not run on the state folder it had.",
            names(&lost)
        ),
    ))
}

fn logged_out(account: &Account) -> bool {
    account
        .last_disconnect
        .as_ref()
        .is_some_and(|last| last.logged_out)
}

fn was_connected(before: &Before, account: &Account) -> bool {
    before
        .connected
        .as_ref()
        .is_some_and(|list| list.contains(&account.id))
}

fn matters(before: &Before, account: &Account) -> bool {
    was_connected(before, account) || (account.enabled && account.linked)
}

fn standing(account: &Account) -> Standing {
    if account.connected {
        return Standing::Connected;
    }
    let cause = cause(account);
    let last_word = account.last_disconnect.as_ref().and_then(|last| last.code);
    let final_code = last_word.is_some_and(|code| {
        use disconnect::Remedy::{FindOtherClient, LookAtPhone, Relink};
        let remedy = disconnect::meaning(code).remedy;
        // A drop before this start says nothing about this start, unless the channel has stopped.
        !account.running && matches!(remedy, Relink | LookAtPhone | FindOtherClient)
    });
    if !account.linked || logged_out(account) || final_code {
        Standing::Lost(cause)
    } else {
        Standing::Coming(cause)
    }
}

/// Why an account is not connected, as a clause.
pub(crate) fn cause(account: &Account) -> String {
    let last = account.last_disconnect.as_ref();
    if account.breaker_tripped {
        return "the gateway's restart-loop breaker keeps it from starting".to_owned();
    }
    if logged_out(account) {
        return "it was logged out from the phone, and needs a new link".to_owned();
    }
    if !account.linked {
        return "it has no link".to_owned();
    }
    match (last.and_then(|last| last.code), &account.last_error) {
        (Some(code), _) => format!("{} ({code})", disconnect::meaning(code).cause),
        (None, Some(error)) => error.clone(),
        (None, None) if !account.running => "the gateway does not run its channel".to_owned(),
        (None, None) => "WhatsApp has not answered yet".to_owned(),
    }
}

fn sentence(before: &Before, account: &Account, cause: &str) -> String {
    let still = if before.connected.is_none() || was_connected(before, account) {
        "not"
    } else {
        "still not"
    };
    let id = &account.id;
    format!("It came back, but account {id} is {still} connected: {cause}.")
}

/// After unclean starts the gateway comes up but starts no account; starting it is the gentlest cure.
async fn cure_breaker(cx: &Cx, account: &Account, started: &mut BTreeSet<AccountId>) {
    if !account.breaker_tripped || !started.insert(account.id.clone()) {
        return;
    }
    let offered = cx.control.abilities(&cx.gateway).await;
    if !offered.is_ok_and(|abilities| abilities.reconnect) {
        return;
    }
    let answer = cx.control.start_account(&cx.gateway, &account.id).await;
    let said = match answer {
        Ok(outcome) => outcome.explanation,
        Err(fault) => fault.message,
    };
    cx.say.line(format!(
        "The gateway's restart-loop breaker kept account {} from starting; started it: {said}",
        account.id
    ));
}
