//! The WhatsApp accounts of a gateway, each with what became of it.

use std::time::Duration;

use domain::account_history::{AccountChange, Drops, Standing};
use domain::action::Action;
use domain::fact::Account;
use domain::path;
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;

use super::Page;
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::rungs::{self, Known, Rung, Sight};
use crate::ui::{moment, phone};

/// How many changes are listed.
const LISTED: u32 = 50;

pub(crate) async fn page(call: &Call, id: &str) -> Result<Page, PanelError> {
    let gateway = call.gateway(id).await?;
    let now = call.now();
    let panel = call.panel();
    let known = Known::of(call, &gateway.id).await;
    let seen = &known.seen;
    let sight = known.sight();
    let mut sections = Vec::new();
    for account in known.accounts() {
        let history = &panel.account_history;
        let changes = history.changes(&gateway.id, &account.id, LISTED).await;
        let changes = changes.or_say(|| call.error_id())?;
        let drops = history.drops(&gateway.id, &account.id).await;
        let drops = drops.or_say(|| call.error_id())?;
        sections.push(section(account, &changes, drops, sight));
    }
    // The page is not live: it says how old it is.
    let checked = seen.as_ref().and_then(|seen| seen.session.checked_at);
    let checked = checked.map(|at| view! { <p class="live">"checked "{moment::age(at)}</p> });
    let content = if sections.is_empty() {
        view! {
            <div class="card empty">
                <h2>"No account is known"</h2>
                <p>"The gateway has not told its accounts, or has none. Its page says which."</p>
            </div>
        }
        .into_any()
    } else {
        sections.into_any()
    };
    let content = view! {
        <div class="crumb"><h1><a href=path::gateway(&gateway.id)>{gateway.name.clone()}</a>" / Accounts"</h1>{checked}</div>
        {content}
        {wipe(sight)}
    }
    .to_html();
    let content = moment::fill(&content, now);
    Ok(Page::new("Accounts", content).at("accounts").of(gateway.id))
}

fn section(
    account: &Account,
    changes: &[AccountChange],
    drops: Drops,
    sight: Sight<'_>,
) -> AnyView {
    let now = sight.now;
    let acts: Vec<_> = [Action::Reconnect, rungs::link(account), Action::Unlink]
        .into_iter()
        .map(|action| {
            let title = rungs::button(action).to_owned();
            act(&rungs::rung(sight, action, title, Some(account.id.clone())))
        })
        .collect();
    let number = account.phone.as_ref().map_or_else(
        || "not known".to_owned(),
        |number| phone(number, sight.role),
    );
    let (class, state) = match Standing::of(account) {
        Standing::Connected => ("chip is-ok", "connected"),
        Standing::Away => ("chip is-down", "linked, not connected"),
        Standing::Unlinked | Standing::Unknown => ("chip is-down", "not linked"),
    };
    let at = |at: Option<Timestamp>| match at {
        Some(at) => moment::clock(at, now).into_any(),
        None => "none yet".into_any(),
    };
    let age = account.credential_age_ms.map_or_else(
        || "not known".to_owned(),
        |millis| words::duration(Duration::from_millis(millis)),
    );
    let trend = match drops.lately.cmp(&drops.before) {
        core::cmp::Ordering::Less => "fewer than in the 30 days before",
        core::cmp::Ordering::Equal => "as many as in the 30 days before",
        core::cmp::Ordering::Greater => "more than in the 30 days before",
    };
    let rows: Vec<_> = changes
        .iter()
        .enumerate()
        .map(|(index, change)| {
            // The list is newest first: what came next stands before it.
            let next = index.checked_sub(1).and_then(|next| changes.get(next));
            row(change, next.map(|next| next.at), now)
        })
        .collect();
    let list = if rows.is_empty() {
        view! { <p class="card note">"Nothing was noted yet. The panel notes every change from now on."</p> }.into_any()
    } else {
        view! { <ul class="card rows" role="list">{rows}</ul> }.into_any()
    };
    view! {
        <h2>{account.id.to_string()}" "<span class=class>{state}</span></h2>
        <div class="stack">
        <dl class="card pairs">
            <dt>"Number"</dt><dd>{number}</dd>
            <dt>"Last message in"</dt><dd>{at(account.last_inbound_at)}</dd>
            <dt>"Last message out"</dt><dd>{at(account.last_outbound_at)}</dd>
            <dt>"Age of the credentials"</dt><dd>{age}</dd>
            <dt>"Unplanned drops in 30 days"</dt>
            <dd>{format!("{}, {trend} ({})", drops.lately, drops.before)}</dd>
        </dl>
        <ul class="card rows" role="list">{acts}</ul>
        <h3>"What became of it"</h3>
        {list}
        </div>
    }
    .into_any()
}

/// A span in whole seconds: the gateway is asked every few seconds.
fn seconds(span: Duration) -> String {
    words::duration(Duration::from_secs(span.as_secs().max(1)))
}

/// The last resort, for all accounts at once.
fn wipe(sight: Sight<'_>) -> impl IntoView + use<> {
    let title = "Wipe all that it knows".to_owned();
    let wipe = act(&rungs::rung(sight, Action::Wipe, title, None));
    view! {
        <h2>"The whole gateway"</h2>
        <ul class="card rows" role="list">{wipe}</ul>
    }
}

/// What can be done with an account, what it costs, and why it cannot.
fn act(rung: &Rung) -> impl IntoView + use<> {
    let id = format!(
        "why-{}-{}",
        rung.action.as_str(),
        rung.account.as_ref().map_or("", |account| account.as_str())
    );
    let button = if rung.against.is_some() {
        view! {
            <button class="btn quiet" type="button" disabled=true aria-describedby=id.clone()>{rung.button}</button>
        }
        .into_any()
    } else {
        view! { <a class="btn quiet" href=rung.href.clone()>{rung.button}</a> }.into_any()
    };
    let said = rung.against.clone().unwrap_or_else(|| rung.costs.clone());
    view! {
        <li>
            <b>{rung.title.clone()}</b>
            <small id=id>{said}</small>
            <div class="end">{button}</div>
        </li>
    }
}

fn row(change: &AccountChange, until: Option<Timestamp>, now: Timestamp) -> impl IntoView + use<> {
    let (class, state) = match change.to {
        Standing::Connected => ("dot is-done", "Connected"),
        Standing::Away => ("dot is-warn", "Not connected"),
        Standing::Unlinked => ("dot is-failed", "Not linked"),
        Standing::Unknown => ("dot is-skipped", "Not known"),
    };
    let cause = match (change.cause.as_str(), change.code) {
        ("", _) => String::new(),
        (cause, Some(code)) => format!(": {cause} ({code})"),
        (cause, None) => format!(": {cause}"),
    };
    let lasted = match until {
        Some(until) => format!("for {}", seconds(until.since(change.at))),
        None => format!("since {}", seconds(now.since(change.at))),
    };
    let by = change.planned_by.clone().map(|by| {
        let href = change.operation.map(|id| path::operation(&id));
        view! { " · by "<a href=href>{by}</a> }
    });
    view! {
        <li>
            <b><span class=class aria-hidden="true"></span>" "{format!("{state}{cause}")}</b>
            <small>{moment::clock(change.at, now)}{by}</small>
            <div class="end">{lasted}</div>
        </li>
    }
}
