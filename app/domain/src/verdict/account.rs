//! The part of the verdict that looks at WhatsApp accounts.

use super::{Next, PATIENCE, Standing, Verdict, say};
use crate::disconnect::{self, Remedy};
use crate::fact::{Account, Plugin, Session};
use crate::time::Timestamp;

/// What is wrong with one account.
struct Trouble<'a> {
    account: &'a Account,
    standing: Standing,
    sentence: &'static str,
    reason: String,
    since: Timestamp,
    next: Next,
}

/// Every account that should be connected waits for a scan.
pub(super) fn none_is_linked(session: &Session) -> bool {
    let mut wanted = session.accounts.iter().filter(|account| account.enabled);
    let first = wanted.next();
    first.is_some_and(|first| !first.has_working_link())
        && wanted.all(|one| !one.has_working_link())
}

/// `None` when every account that should be connected is.
pub(super) fn judge(session: &Session, since: Timestamp, now: Timestamp) -> Option<Verdict> {
    if session.plugin == Plugin::Missing {
        return Some(say(
            Standing::Down,
            "No messages get through: the WhatsApp plugin is not installed",
            "This gateway has no WhatsApp channel at all. Restarting and linking cannot help; the plugin must be \
             installed in the gateway first, which the panel can have it do."
                .to_owned(),
            since,
            Next::InstallPlugin,
        ));
    }
    let wanted: Vec<&Account> = session
        .accounts
        .iter()
        .filter(|account| account.enabled)
        .collect();
    if wanted.is_empty() {
        return Some(say(
            Standing::Down,
            "No messages get through: no WhatsApp account is set up",
            "The plugin is there, but no account is switched on in the gateway's configuration."
                .to_owned(),
            since,
            Next::Configure,
        ));
    }
    let troubles: Vec<Trouble<'_>> = wanted
        .iter()
        .filter_map(|account| trouble(account, since, now))
        .collect();
    let worst = troubles
        .iter()
        .max_by_key(|trouble| match trouble.standing {
            Standing::Down => 2,
            Standing::Degraded => 1,
            _ => 0,
        })?;
    let fine = wanted.len() - troubles.len();
    if fine > 0 {
        let account = &worst.account.id;
        return Some(say(
            Standing::Degraded,
            &format!(
                "Account {account} does not get messages; {fine} of {} accounts do",
                wanted.len()
            ),
            worst.reason.clone(),
            worst.since,
            worst.next.clone(),
        ));
    }
    Some(say(
        worst.standing,
        worst.sentence,
        worst.reason.clone(),
        worst.since,
        worst.next.clone(),
    ))
}

fn trouble(account: &Account, since: Timestamp, now: Timestamp) -> Option<Trouble<'_>> {
    if account.connected {
        return None;
    }
    let dropped_at = account.last_disconnect.as_ref().and_then(|drop| drop.at);
    let begun = dropped_at.unwrap_or(since);
    let with = |standing, sentence, reason: String, next| {
        Some(Trouble {
            account,
            standing,
            sentence,
            reason,
            since: begun,
            next,
        })
    };
    let id = || account.id.clone();
    if !account.has_working_link() {
        return with(
            Standing::Down,
            "No messages get through: WhatsApp is not linked",
            not_linked(account),
            Next::Relink { account: id() },
        );
    }
    if account.breaker_tripped {
        return with(
            Standing::Down,
            "No messages get through: the gateway holds the account back",
            "After three crashes within five minutes the gateway starts no account. Its health checks are green all \
             the same. Reconnect starts the account; the link is kept."
                .to_owned(),
            Next::Reconnect { account: id() },
        );
    }
    if !account.running {
        return with(
            Standing::Down,
            "No messages get through: the WhatsApp account is stopped",
            "It is linked, but the gateway does not run it. Reconnect starts it; no scan is needed.".to_owned(),
            Next::Reconnect { account: id() },
        );
    }
    let Some(code) = account.last_disconnect.as_ref().and_then(|drop| drop.code) else {
        let young = now.since(since) < PATIENCE;
        return if young {
            with(
                Standing::Degraded,
                "WhatsApp is connecting",
                "The account is linked and started; the connection takes a few seconds.".to_owned(),
                Next::Wait {
                    until: Some(since.plus(PATIENCE)),
                },
            )
        } else {
            with(
                Standing::Down,
                "No messages get through: WhatsApp does not connect",
                "The account is linked and started, but not connected.".to_owned(),
                Next::Reconnect { account: id() },
            )
        };
    };
    dropped(account, code, begun, now)
}

fn not_linked(account: &Account) -> String {
    match account.last_disconnect.as_ref() {
        Some(drop) => {
            let cause = drop.code.map_or("this device was logged out", |code| {
                disconnect::meaning(code).cause
            });
            let code = drop.code.map_or(String::new(), |code| format!(" ({code})"));
            format!(
                "Cause: {cause}{code}. The server itself answers, so the public health check is green. Restarting \
                 will not help: a new scan is needed."
            )
        }
        None => "It was never linked, or its session was removed. A scan with the phone links it."
            .to_owned(),
    }
}

fn dropped(account: &Account, code: u16, begun: Timestamp, now: Timestamp) -> Option<Trouble<'_>> {
    let meaning = disconnect::meaning(code);
    let attempts = account.reconnect_attempts;
    let cause = format!(
        "Cause: {} ({code}). Tries so far: {attempts}.",
        meaning.cause
    );
    let with = |standing, sentence, reason, next| {
        Some(Trouble {
            account,
            standing,
            sentence,
            reason,
            since: begun,
            next,
        })
    };
    let reconnect = Next::Reconnect {
        account: account.id.clone(),
    };
    match meaning.remedy {
        Remedy::Wait if now.since(begun) < PATIENCE => with(
            Standing::Degraded,
            "WhatsApp is reconnecting",
            format!("{cause} The gateway tries by itself."),
            Next::Wait {
                until: Some(begun.plus(PATIENCE)),
            },
        ),
        Remedy::Wait | Remedy::Reconnect => with(
            Standing::Down,
            "No messages get through: WhatsApp is not connected",
            format!("{cause} The link is intact: reconnect first, no scan is needed."),
            reconnect,
        ),
        Remedy::FindOtherClient => with(
            Standing::Down,
            "No messages get through: another client uses this session",
            format!(
                "{cause} Find and stop the other client, or they will throw each other out; then reconnect."
            ),
            Next::FindOtherClient,
        ),
        Remedy::Relink => with(
            Standing::Down,
            "No messages get through: the WhatsApp link is broken",
            format!("{cause} Restarting will not help: a new scan is needed."),
            Next::Relink {
                account: account.id.clone(),
            },
        ),
        Remedy::LookAtPhone => with(
            Standing::Down,
            "No messages get through: WhatsApp refuses this number",
            format!(
                "{cause} Open WhatsApp on the phone and read what it says; linking again may make it worse."
            ),
            Next::LookAtPhone,
        ),
    }
}
