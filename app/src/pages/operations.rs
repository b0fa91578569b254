//! The operations of a gateway, newest first.

use domain::gateway::GatewayId;
use domain::operation::{Operation, OperationId, Outcome};
use domain::path;
use domain::ports::StoreError;
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;

use super::{Asked, Page};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::live::Fragment;
use crate::panel::Panel;
use crate::ui::moment;

/// How many fit on a page.
const SHOWN: u32 = 25;

pub(crate) async fn page(call: &Call, id: &str, asked: &Asked) -> Result<Page, PanelError> {
    let gateway = call.gateway(id).await?;
    let before = asked.get("before").parse().ok().map(OperationId);
    let list = list(call.panel(), &gateway.id, before).await;
    let list = list.or_say(|| call.error_id())?;
    let crumb = view! {
        <div class="crumb">
            <h1>"Operations"</h1>
            <p class="live"><span id="link"></span>" "{gateway.name.clone()}", newest first"</p>
        </div>
    };
    let content = format!("{}{}", crumb.to_html(), list.html(call.now()));
    let page = Page::new("Operations", content).at("operations");
    // Older ones do not change any more, but for what is stuck.
    let page = match before {
        Some(_) => page,
        None => page.live(path::operations_events(&gateway.id)),
    };
    Ok(page.of(gateway.id))
}

/// The list as it stands, for the page and its event stream.
pub(crate) async fn list(
    panel: &Panel,
    gateway: &GatewayId,
    before: Option<OperationId>,
) -> Result<Fragment, StoreError> {
    // One more than shown tells whether there are older ones.
    let listed = panel.operations.list(gateway, before, SHOWN + 1).await;
    let mut listed = listed?;
    let more = listed.len() > SHOWN as usize;
    listed.truncate(SHOWN as usize);
    let now = panel.clock.now();
    let list = path::operations(gateway);
    let older = more.then(|| {
        listed
            .last()
            .map(|last| format!("{list}?before={}", last.id))
    });
    let newest = before.is_some().then_some(list);
    let body = if listed.is_empty() {
        empty(path::gateway(gateway))
    } else {
        let rows: Vec<_> = listed.iter().map(|operation| row(operation, now)).collect();
        view! { <ol class="card rows" role="list">{rows}</ol> }.into_any()
    };
    let list = view! { <div id="list">{body}{pager(newest, older.flatten())}</div> };
    Ok(Fragment::new("list", list.to_html()))
}

fn row(operation: &Operation, now: Timestamp) -> impl IntoView + use<> {
    let (class, word) = match &operation.outcome {
        None => ("chip is-now", "running"),
        Some(Outcome::Succeeded { .. }) => ("chip is-done", "done"),
        Some(Outcome::Undone { .. }) => ("chip is-undone", "put back"),
        Some(Outcome::Cancelled { .. }) => ("chip is-skipped", "cancelled"),
        Some(Outcome::Failed { .. }) => ("chip is-failed", "failed"),
        Some(Outcome::Stuck { .. }) => ("chip is-failed", "stuck"),
        Some(Outcome::Abandoned { .. }) => ("chip is-skipped", "given up"),
    };
    let why = match &operation.outcome {
        Some(
            Outcome::Undone { why } | Outcome::Failed { why, .. } | Outcome::Stuck { why, .. },
        ) => Some(format!(" · {}", why.message)),
        Some(Outcome::Succeeded { note: Some(note) }) => Some(format!(" · {note}")),
        _ => None,
    };
    let reason = operation
        .reason
        .as_ref()
        .map(|reason| format!(" · “{reason}”"));
    let took = match operation.ended_at {
        Some(at) => words::duration(operation.took(at)).into_any(),
        None => moment::age(operation.created_at).into_any(),
    };
    view! {
        <li>
            <a class="go" href=path::operation(&operation.id)>{operation.command.title()}</a>
            <small>
                {operation.asked_by.name().to_owned()}", "{moment::clock(operation.created_at, now)}
                {reason}{why}
            </small>
            <div class="end"><span class=class>{word}</span>{took}</div>
        </li>
    }
}

fn empty(gateway: String) -> AnyView {
    view! {
        <div class="card empty">
            <h2>"Nothing was done yet"</h2>
            <p>"What you start on the gateway page is listed here, with its steps and who did it."</p>
            <div class="actions"><a class="btn quiet" href=gateway>"To the gateway"</a></div>
        </div>
    }
    .into_any()
}

/// Links to the newest and to older entries of a list.
pub(crate) fn pager(newest: Option<String>, older: Option<String>) -> Option<AnyView> {
    if newest.is_none() && older.is_none() {
        return None;
    }
    let newest = newest.map(|to| view! { <a class="btn quiet" href=to>"Newest"</a> });
    let older = older.map(|to| view! { <a class="btn quiet" href=to rel="next">"Older"</a> });
    let pager = view! {
        <nav class="pager" aria-label="Pages"><span></span><span class="actions">{newest}{older}</span></nav>
    };
    Some(pager.into_any())
}
