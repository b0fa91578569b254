//! What waits for a review since the last one: the odd on top with the reason why, and one button for the rest.

use std::collections::BTreeSet;

use domain::action::Action;
use domain::audit::story::{Kind, Story, stories};
use domain::credential::Cause;
use domain::operation::{Command, OperationId};
use domain::path;
use domain::ports::Waiting;
use domain::review::{Around, Policy, Stretches, Verdict, odd, wants_review};
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;

use super::rows::{Looking, row};
use super::tell_outages;
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::pages::{Asked, Page};
use crate::reviews::COUNTED;
use crate::ui::moment;

pub(crate) async fn page(call: &Call, _asked: &Asked) -> Result<Page, PanelError> {
    call.permit(Action::ReviewAudit, None).await?;
    let waiting = call.panel().reviews.waiting(COUNTED).await;
    let waiting = waiting.or_say(|| call.error_id())?;
    let now = call.now();
    let told = told(call, &waiting).await.or_say(|| call.error_id())?;
    let sequences: Vec<i64> = told
        .iter()
        .flat_map(|(story, _)| story.sequences())
        .collect();
    let reviews = call.panel().reviews.of_events(&sequences).await;
    let reviews = reviews.or_say(|| call.error_id())?;
    let looking = Looking {
        actor: call.actor(),
        role: call.role(),
        may_review: true,
        now,
        here: path::REVIEW,
        reviews: &reviews,
    };
    let key = call.actor().key();
    let (own, others): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|(story, _)| is_own(story, &key));
    let (odd, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, odd)| !odd.is_empty());
    let content = view! {
        <div class="crumb">
            <h1><a href=path::AUDIT>"Audit"</a>" / Review"</h1>
            <p class="live">{last(&waiting, now)}</p>
        </div>
        {due(&call.panel().review_policy, &waiting, now)}
        {section("Look at these first", &odd, &looking)}
        {section("The rest", &rest, &looking)}
        {sign_off(&rest)}
        {more(&waiting)}
        {section("Your own acts", &own, &looking)}
        {(!own.is_empty()).then(|| view! { <p class="hint">{domain::review::OWN}</p> })}
    }
    .to_html();
    Ok(Page::new("Review", moment::fill(&content, now)).at("audit"))
}

type Told = Vec<(Story, Vec<String>)>;

async fn told(call: &Call, waiting: &Waiting) -> Result<Told, domain::ports::StoreError> {
    let trail = &call.panel().trail;
    let events = waiting.events.clone();
    let operations: BTreeSet<OperationId> = events
        .iter()
        .filter_map(|event| event.event.operation)
        .collect();
    let operations: Vec<OperationId> = operations.into_iter().collect();
    let whole = trail.of_operations(&operations).await?;
    let mut told = stories(events, whole, |_| false);
    tell_outages(call, &mut told).await?;
    let mains: Vec<i64> = told
        .iter()
        .filter_map(|story| story.main().map(|main| main.sequence))
        .collect();
    let new = trail.new_addresses(&mains).await?;
    let mut odder = Vec::new();
    for story in told {
        let Some(main) = story.main() else {
            continue;
        };
        let around = Around {
            new_address: new.contains(&main.sequence),
            leak: is_leak(call, &story).await?,
            after_hours: call.panel().office_hours.as_ref().is_some_and(|hours| {
                matches!(main.event.actor, domain::person::Actor::Person { .. })
                    && !hours.contain(story.began())
            }),
        };
        let why = odd(main, around).into_iter().map(str::to_owned).collect();
        odder.push((story, why));
    }
    Ok(odder)
}

/// Whether a key was changed because it may have leaked.
async fn is_leak(call: &Call, story: &Story) -> Result<bool, domain::ports::StoreError> {
    let is_rotation = story
        .main()
        .is_some_and(|main| main.event.action == Action::RotateKey.as_str());
    let Kind::Operation(id) = story.kind else {
        return Ok(false);
    };
    if !is_rotation {
        return Ok(false);
    }
    let view = call.panel().operations.view(id).await?;
    Ok(view.is_some_and(|view| {
        matches!(
            view.operation.command,
            Command::RotateKey {
                cause: Cause::Leak,
                ..
            }
        )
    }))
}

fn is_own(story: &Story, key: &str) -> bool {
    let mut wanted = story
        .events
        .iter()
        .filter(|event| wants_review(&event.event.action, event.event.outcome));
    wanted.all(|event| event.event.actor.key() == key)
}

fn last(waiting: &Waiting, now: Timestamp) -> AnyView {
    match waiting.last_at {
        Some(at) => view! { "last sign-off "{moment::clock(at, now)} }.into_any(),
        None => "nothing was signed off yet".into_any(),
    }
}

/// When, by whom, and that it is late.
fn due(policy: &Policy, waiting: &Waiting, now: Timestamp) -> AnyView {
    let days = words::count(policy.every_days.into(), "day", "days");
    let by = policy.by.as_ref();
    let by = by.map(|by| format!(" {by} sees to it."));
    let every = format!(" A review is due every {days}.");
    match policy.due(waiting) {
        None => view! {
            <div class="card empty">
                <h2>"Nothing waits for a review"</h2>
                <p>"Operations, changes and denials are listed here until somebody else has signed them off."{every}{by}</p>
            </div>
        }
        .into_any(),
        Some(at) if at <= now => view! {
            <div class="banner is-warn"><p><b>"The review is overdue"</b>" since "{moment::clock(at, now)}" ("{moment::age(at)}")."{every}{by}</p></div>
        }
        .into_any(),
        Some(at) => view! {
            <p class="hint">"Due "{moment::clock(at, now)}", in "{moment::left(at)}"."{every}{by}</p>
        }
        .into_any(),
    }
}

fn section(title: &'static str, told: &Told, looking: &Looking<'_>) -> Option<AnyView> {
    if told.is_empty() {
        return None;
    }
    let rows: Vec<_> = told
        .iter()
        .filter_map(|(story, odd)| row(story, odd, looking))
        .collect();
    Some(view! { <h2>{title}</h2><ol class="card rows" role="list">{rows}</ol> }.into_any())
}

/// One tap for what is not odd.
fn sign_off(rest: &Told) -> Option<AnyView> {
    let count = rest.len();
    let covers = Stretches::of(rest.iter().flat_map(|(story, _)| story.sequences()));
    if count == 0 {
        return None;
    }
    let label = match count {
        1 => "Sign off this one".to_owned(),
        count => format!("Sign off these {count}"),
    };
    Some(
        view! {
            <form class="actions" method="post" action=endpoint::REVIEW_EVENTS>
                <input type="hidden" name="covers" value=covers.text()/>
                <input type="hidden" name="verdict" value=Verdict::Seen.as_str()/>
                <input type="hidden" name="back" value=path::REVIEW/>
                <button class="btn primary">{label}</button>
            </form>
            <p class="hint">"Only what is listed under “The rest”, as it is listed here: what happens meanwhile waits for the next time."</p>
        }
        .into_any(),
    )
}

fn more(waiting: &Waiting) -> Option<AnyView> {
    waiting.more.then(|| {
        view! { <p class="hint">{format!("Older ones follow when these {COUNTED} are signed off.")}</p> }.into_any()
    })
}
