//! The WhatsApp accounts, each with its link and its connection.

use std::time::Duration;

use domain::disconnect;
use domain::fact::{Account, Plugin};
use domain::words;
use leptos::prelude::*;

use crate::rungs::Sight;
use crate::ui::{moment, phone};

pub(super) fn list(sight: Sight<'_>) -> String {
    let session = sight.seen.and_then(|seen| seen.session.detail.as_ref());
    let empty = |title: &'static str, said: &'static str| {
        view! { <div class="card empty" id="accounts"><h3>{title}</h3><p>{said}</p></div> }
            .to_html()
    };
    let Some(session) = session else {
        return empty(
            "Not known",
            "The gateway has not told its accounts yet. The fact “session” says why.",
        );
    };
    if session.plugin == Plugin::Missing {
        return empty(
            "No WhatsApp here",
            "The WhatsApp plugin is not installed in this gateway, so it has no accounts.",
        );
    }
    if session.accounts.is_empty() {
        return empty(
            "No account is set up",
            "Accounts are added in the gateway's own configuration.",
        );
    }
    let items: Vec<_> = session
        .accounts
        .iter()
        .map(|account| item(account, sight))
        .collect();
    view! { <ul class="card rows" role="list" id="accounts">{items}</ul> }.to_html()
}

fn item(account: &Account, sight: Sight<'_>) -> impl IntoView + use<> {
    let now = sight.now;
    let number = account
        .phone
        .as_ref()
        .map(|number| phone(number, sight.role));
    let (link, link_class) = if account.has_working_link() {
        ("linked", "chip is-ok")
    } else {
        ("not linked", "chip is-down")
    };
    let (connection, connection_class) = if account.connected {
        ("connected", "chip is-ok")
    } else if !account.enabled {
        ("switched off", "chip is-unknown")
    } else if account.running {
        ("not connected", "chip is-down")
    } else {
        ("not running", "chip is-down")
    };
    let since = account.connected_at.filter(|_| account.connected);
    let since = since.map(|at| view! { "connected since "{moment::clock(at, now)}" · " });
    let messages = view! {
        {since}"last message in "
        {match account.last_inbound_at {
            Some(at) => moment::clock(at, now).into_any(),
            None => "none yet".into_any(),
        }}
        ", out "
        {match account.last_outbound_at {
            Some(at) => moment::clock(at, now).into_any(),
            None => "none yet".into_any(),
        }}
    };
    let credentials = account.credential_age_ms.map(|millis| {
        let age = words::duration(Duration::from_millis(millis));
        format!(" · credentials {age} old")
    });
    let tries = (account.reconnect_attempts > 0).then(|| {
        let tries = words::count(account.reconnect_attempts.into(), "try", "tries");
        format!(" · {tries} to reconnect")
    });
    let drop = account.last_disconnect.as_ref().map(|drop| {
        let cause = match drop.code {
            Some(code) => format!("{} ({code})", disconnect::meaning(code).cause),
            None if drop.logged_out => "logged out".to_owned(),
            None => "no code was given".to_owned(),
        };
        view! {
            <small>
                "last drop "{drop.at.map(|at| moment::clock(at, now))}": "{cause}
            </small>
        }
    });
    let error = account
        .last_error
        .as_ref()
        .map(|error| view! { <small>"the gateway says: "{error.clone()}</small> });
    let breaker = account.breaker_tripped.then(|| {
        view! { <small>"The gateway holds it back after repeated crashes."</small> }
    });
    view! {
        <li>
            <b>{account.id.to_string()}{number.map(|number| format!(" · {number}"))}</b>
            <small>{messages}{credentials}{tries}</small>
            {drop}{error}{breaker}
            <div class="end">
                <span class=link_class>{link}</span>
                <span class=connection_class>{connection}</span>
            </div>
        </li>
    }
}
