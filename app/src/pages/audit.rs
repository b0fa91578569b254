//! The audit trail as sentences, newest first.

use domain::action::Action;
use domain::audit::{AuditEvent, AuditOutcome, act};
use domain::path;
use domain::person::Actor;
use domain::time::Timestamp;
use leptos::prelude::*;

use super::operations::pager;
use super::{Asked, Page};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::ui::moment;
use crate::ui::said::capital;

/// How many fit on a page.
const SHOWN: u32 = 50;

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    call.permit(Action::ViewAudit, None).await?;
    let before = asked.get("before").parse().ok();
    let listed = call.panel().audit.list(before, SHOWN + 1).await;
    let mut listed = listed.or_say(|| call.error_id())?;
    let more = listed.len() > SHOWN as usize;
    listed.truncate(SHOWN as usize);
    let now = call.now();
    let older = listed.last().filter(|_| more);
    let older = older.map(|last| format!("{}?before={}", path::AUDIT, last.sequence));
    let newest = before.is_some().then(|| path::AUDIT.to_owned());
    let body = if listed.is_empty() {
        view! {
            <div class="card empty"><h2>"Nothing was recorded yet"</h2><p>"Sign-ins and every act are listed here."</p></div>
        }
        .into_any()
    } else {
        let rows: Vec<_> = listed.iter().map(|event| row(event, now)).collect();
        view! { <ol class="card rows" role="list">{rows}</ol> }.into_any()
    };
    let content = view! {
        <div class="crumb"><h1>"Audit"</h1><p class="live">"newest first"</p></div>
        {body}
        {pager(newest, older)}
    }
    .to_html();
    Ok(Page::new("Audit", moment::fill(&content, now)).at("audit"))
}

fn row(event: &AuditEvent, now: Timestamp) -> impl IntoView + use<> {
    let what = &event.event;
    let (class, word) = match what.outcome {
        AuditOutcome::Requested => ("chip is-now", "asked for"),
        AuditOutcome::Succeeded => ("chip is-done", "done"),
        AuditOutcome::Failed => ("chip is-failed", "failed"),
        AuditOutcome::Denied => ("chip is-warn", "denied"),
        AuditOutcome::Undone => ("chip is-undone", "put back"),
    };
    let from = match &what.actor {
        Actor::Person {
            address, browser, ..
        } => {
            let known = [address.as_deref(), browser.as_deref()]
                .into_iter()
                .flatten();
            known.fold(String::new(), |from, part| from + " · " + part)
        }
        Actor::Nobody { address } => address
            .as_ref()
            .map_or(String::new(), |address| format!(" · {address}")),
        Actor::CommandLine { .. } => " · on the host's command line".to_owned(),
        Actor::Panel => String::new(),
    };
    let reason = what.reason.as_ref().map(|reason| format!(" · “{reason}”"));
    let note = what.note.as_ref().map(|note| format!(" · {note}"));
    let said = sentence(event);
    let title = match what.operation {
        Some(id) => view! { <a class="go" href=path::operation(&id)>{said}</a> }.into_any(),
        None => view! { <b>{said}</b> }.into_any(),
    };
    view! {
        <li>
            {title}
            <small>{moment::clock(event.at, now)}{from}{reason}{note}</small>
            <div class="end"><span class=class>{word}</span></div>
        </li>
    }
}

/// `Anna: restart of openclaw`.
fn sentence(event: &AuditEvent) -> String {
    let what = &event.event;
    let who = capital(what.actor.name());
    let target = what
        .target
        .as_ref()
        .map_or(String::new(), |target| format!(" {target}"));
    let act = match what.action.as_str() {
        act::SIGN_IN => "sign-in as",
        act::SIGN_OUT => "sign-out",
        act::CHANGE_PASSWORD => "changed the own password",
        act::ADD_PERSON => "added",
        act::DISABLE_PERSON => "kept out",
        act::ENABLE_PERSON => "let in again",
        act::RESET_PASSWORD => "gave a new one-time password to",
        act::CHANGE_ROLE => "changed the role of",
        act::SKIP_STEP => "asked to skip",
        act::DOWNLOAD_LOGS => "downloaded the log",
        other => other,
    };
    let act = act.trim_end_matches(if target.is_empty() { " as" } else { "" });
    let gateway = what
        .gateway
        .as_ref()
        .map_or(String::new(), |gateway| format!(" on {gateway}"));
    format!("{who}: {act}{target}{gateway}")
}
