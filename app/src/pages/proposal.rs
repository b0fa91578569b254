//! What waits for a second person: who asked for what and why, and the answer.

use domain::operation::Command;
use domain::path;
use domain::proposal::{Decision, Proposal, Standing};
use domain::time::Timestamp;
use leptos::prelude::*;

use super::{Asked, Page};
use crate::call::Call;
use crate::error::PanelError;
use crate::forms::endpoint;
use crate::ui::{in_text_area, moment};

pub(crate) async fn page(call: &Call, id: &str, asked: &Asked) -> Result<Page, PanelError> {
    let proposal = call.proposal(id).await?;
    let action = proposal.command.action();
    let gateway = call.gateway(proposal.command.gateway().as_str()).await?;
    let now = call.now();
    let standing = proposal.standing(now);
    let may = call.may_on(action, &gateway.id);
    let own = proposal
        .may_decide(call.actor(), Decision::Withdrawn)
        .is_ok();
    let answer = match (standing, may) {
        (Standing::Open | Standing::Ready, Err(why)) => {
            view! { <p class="actions hint">{why}</p> }.into_any()
        }
        (Standing::Open, Ok(())) if own => withdraw(&proposal).into_any(),
        (Standing::Open, Ok(())) => decide(&proposal, asked).into_any(),
        (Standing::Ready, Ok(())) => begin(&proposal).into_any(),
        _ => ().into_any(),
    };
    let title = proposal.command.title();
    let content = view! {
        <div class="crumb">
            <h1><a href=path::gateway(&gateway.id)>{gateway.name.clone()}</a>" / "{title.clone()}</h1>
            <p class="live">"asked for "{moment::clock(proposal.asked_at, now)}</p>
        </div>
        {verdict(&proposal, standing, own, now)}
        <h2>"What was asked for"</h2>
        <ul class="card rows" role="list" id="asked">
            <li><b>"What"</b><small>{title}{because(&proposal.command)}</small></li>
            <li><b>"Asked for by"</b><small>{proposal.asked_by.name().to_owned()}</small></li>
            <li>
                <b>"Reason"</b>
                <small>{proposal.reason.clone().unwrap_or_else(|| "None was given.".to_owned())}</small>
            </li>
            <li><b>"Can be agreed to until"</b><small>{moment::clock(proposal.open_until(), now)}</small></li>
        </ul>
        <p class="hint">
            "What it interrupts, and what the panel finds now: "
            <a href=path::rotate_key(&gateway.id)>"the page of the rotation"</a>"."
        </p>
        {answer}
    }
    .to_html();
    Ok(
        Page::new("A second person is asked for", moment::fill(&content, now))
            .at("credentials")
            .of(gateway.id),
    )
}

/// Why this is asked for now.
fn because(command: &Command) -> Option<String> {
    match command {
        Command::RotateKey { cause, .. } => Some(format!(". {}", cause.sentence())),
        _ => None,
    }
}

fn verdict(
    proposal: &Proposal,
    standing: Standing,
    own: bool,
    now: Timestamp,
) -> impl IntoView + use<> {
    let decision = proposal.decided.as_ref().map(|decided| decided.decision);
    let (class, big) = match (standing, decision) {
        (Standing::Open, _) if own => ("is-now", "Waiting for a second person"),
        (Standing::Open, _) => ("is-now", "A second person is asked for"),
        (Standing::Ready, _) => ("is-warn", "Agreed to, and not begun yet"),
        (Standing::Begun, _) => ("is-done", "Agreed to, and begun"),
        (Standing::Expired, _) => ("is-skipped", "Over: nobody began it in time"),
        (Standing::Closed, Some(Decision::Withdrawn)) => ("is-skipped", "Taken back"),
        (Standing::Closed, _) => ("is-failed", "Declined"),
    };
    let who = proposal.decided.as_ref().map(|decided| {
        let note = decided.note.as_ref().map(|note| format!(" “{note}”"));
        view! { {decided.by.name().to_owned()}", "{moment::clock(decided.at, now)}"."{note}" " }
    });
    let why = match standing {
        Standing::Open if own => {
            Some("Any other admin can agree on this page. Nothing was touched.")
        }
        Standing::Open => Some("Nothing was touched. When you agree, it begins."),
        Standing::Ready => Some("The gateway was busy then, or the panel stopped. Begin it here."),
        _ => None,
    };
    let how = proposal.operation.as_ref().map(|operation| {
        let href = path::operation(operation);
        view! { <a href=href>"How it went"</a> }
    });
    view! {
        <section class=format!("card verdict {class}") id="verdict">
            <p class="big">{big}</p>
            <p class="why">{who}{why}{how}</p>
        </section>
    }
}

fn id_of(proposal: &Proposal) -> impl IntoView + use<> {
    view! { <input type="hidden" name="id" value=proposal.id.to_string()/> }
}

fn decide(proposal: &Proposal, asked: &Asked) -> impl IntoView + use<> {
    let agree = format!("Agree and begin: {}", proposal.command.title());
    view! {
        <form class="card confirm" method="post" action=endpoint::DECIDE_PROPOSAL autocomplete="off">
            {id_of(proposal)}
            <div class="body">
                <h2>"Do you agree?"</h2>
                <p>
                    "It begins at once in the name of whoever asked, and the audit trail names you both. The panel asks \
                     for your password if you did not type it lately."
                </p>
                <div class="field">
                    <label for="note">"What you have to say (others see it; may stay empty)"</label>
                    <textarea id="note" name="note" rows="2" maxlength="200">{in_text_area(asked.get("note"))}</textarea>
                </div>
            </div>
            <div class="actions">
                <button class="btn" name="decision" value=Decision::Declined.as_str()>"Decline"</button>
                <button class="btn danger" name="decision" value=Decision::Approved.as_str()>{agree}</button>
            </div>
        </form>
    }
}

fn withdraw(proposal: &Proposal) -> impl IntoView + use<> {
    view! {
        <form class="actions" method="post" action=endpoint::DECIDE_PROPOSAL>
            {id_of(proposal)}
            <input type="hidden" name="decision" value=Decision::Withdrawn.as_str()/>
            <button class="btn">"Take it back"</button>
        </form>
    }
}

fn begin(proposal: &Proposal) -> impl IntoView + use<> {
    view! {
        <form class="actions" method="post" action=endpoint::BEGIN_PROPOSAL>
            {id_of(proposal)}
            <button class="btn danger">{format!("Begin: {}", proposal.command.title())}</button>
        </form>
    }
}

/// On the gateway's page: that somebody waits, or that it could begin.
pub(crate) fn banner(proposal: &Proposal, now: Timestamp) -> Option<impl IntoView + use<>> {
    let who = proposal.asked_by.name();
    let title = proposal.command.title();
    let said = match proposal.standing(now) {
        Standing::Open => format!("{title}: {who} asks for a second person."),
        Standing::Ready => {
            format!("{title}: a second person agreed with {who}; it is not begun yet.")
        }
        _ => return None,
    };
    Some(view! {
        <div class="banner is-now">
            <p>{said}</p>
            <a href=path::proposal(proposal.id)>"Look at it"</a>
        </div>
    })
}
