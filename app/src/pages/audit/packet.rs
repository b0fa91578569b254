//! What waits for a review since the last one: the odd on top with the reason why, and one button for the rest.

use std::collections::BTreeSet;

use domain::action::Action;
use domain::audit::Filter;
use domain::audit::filter::BadField;
use domain::audit::story::{Kind, Story, fold_refused, stories};
use domain::credential::Cause;
use domain::operation::{Command, OperationId};
use domain::path;
use domain::ports::Waiting;
use domain::review::{
    Agreed, Around, LONGEST, Policy, Stretches, Verdict, WAITS_FOR, odd, wants_review,
};
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;

use super::filters::{self, Told};
use super::rows::{Looking, operations, row};
use super::{tell_outages, wanted};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::pages::{Asked, Page};
use crate::reviews::COUNTED;
use crate::ui::moment;

/// How many of what waits are looked through for what a filter lets through.
const SEARCHED: u32 = 1_000;

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    call.permit(Action::ReviewAudit, None).await?;
    let (filter, wrong) = match wanted(call.actor(), asked) {
        Ok(filter) => (filter, Vec::new()),
        Err(wrong) => (Filter::default(), wrong),
    };
    let looked = if filter.is_open() { COUNTED } else { SEARCHED };
    let waiting = call.panel().reviews.waiting(looked).await;
    let mut waiting = waiting.or_say(|| call.error_id())?;
    let now = call.now();
    let when = due(&call.panel().review_policy, &waiting, now);
    let events = std::mem::take(&mut waiting.events);
    let fitting = call.panel().trail.fitting(&filter, events).await;
    waiting.events = fitting.or_say(|| call.error_id())?;
    let here = if filter.is_open() {
        path::REVIEW.to_owned()
    } else {
        format!(
            "{}?{}",
            path::REVIEW,
            filters::query(&filter, Told::Stories, &[])
        )
    };
    let told = told(call, &waiting).await.or_say(|| call.error_id())?;
    let sequences: Vec<i64> = told
        .iter()
        .flat_map(|(story, _)| story.sequences())
        .collect();
    let reviews = call.panel().reviews.of_events(&sequences).await;
    let reviews = reviews.or_say(|| call.error_id())?;
    let operations = operations(told.iter().map(|(story, _)| story));
    let agreed = call.panel().reviews.agreed(&operations).await;
    let agreed = agreed.or_say(|| call.error_id())?;
    let looking = Looking {
        actor: call.actor(),
        role: call.role(),
        may_review: true,
        now,
        here: &here,
        reviews: &reviews,
        agreed: &agreed,
    };
    let key = call.actor().key();
    let (own, others): (Vec<_>, Vec<_>) = told
        .into_iter()
        .partition(|(story, _)| is_own(story, &key, &agreed));
    let (odd, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, odd)| !odd.is_empty());
    let content = view! {
        <div class="crumb">
            <h1><a href=path::AUDIT>"Audit"</a>" / Review"</h1>
            <p class="live">{last(&waiting, now)}</p>
        </div>
        {when}
        {only(&filter, &wrong, call, asked).await?}
        {(!filter.is_open() && odd.is_empty() && rest.is_empty() && own.is_empty()).then(|| view! {
            <div class="card empty"><h2>"Nothing of it waits"</h2><p>"What fits was signed off already, or wants no review."</p></div>
        })}
        {section("Look at these first", &odd, &looking)}
        {section("The rest", &rest, &looking)}
        {sign_off(&rest, &here)}
        {more(&waiting, looked)}
        {section("Your own acts", &own, &looking)}
        {(!own.is_empty()).then(|| view! { <p class="hint">{domain::review::OWN}</p> })}
    }
    .to_html();
    Ok(Page::new("Review", moment::fill(&content, now)).at("audit"))
}

/// What is set of the filter, and the days to choose.
async fn only(
    filter: &Filter,
    wrong: &[BadField],
    call: &Call,
    asked: &Asked,
) -> Result<AnyView, PanelError> {
    let set = if filter.is_open() {
        None
    } else {
        let known = call.panel().trail.vocabulary().await;
        let known = known.or_say(|| call.error_id())?;
        let said: Vec<String> = filters::set(filter, &known)
            .into_iter()
            .map(|(said, _)| said)
            .collect();
        let said = format!("Only what fits: {}. ", said.join("; "));
        Some(view! { <p class="hint">{said}<a href=path::REVIEW>"Everything that waits"</a></p> })
    };
    // A field that stands on this page says itself what is wrong with it.
    let elsewhere = wrong
        .iter()
        .find(|bad| !["from", "to"].contains(&bad.field));
    let elsewhere = elsewhere.map(|bad| {
        let said = format!(
            "The filter cannot be read, so everything that waits is shown. {}",
            bad.why
        );
        view! { <p class="error" role="alert">{said}</p> }
    });
    let open = !wrong.is_empty();
    let days = filters::period(path::REVIEW, asked, wrong, filter.pairs());
    Ok(view! {
        {set}
        {elsewhere}
        <details class="fold" open=open><summary>"Review a period"</summary>{days}</details>
    }
    .into_any())
}

type Stories = Vec<(Story, Vec<String>)>;

async fn told(call: &Call, waiting: &Waiting) -> Result<Stories, domain::ports::StoreError> {
    let trail = &call.panel().trail;
    let events = waiting.events.clone();
    let operations: BTreeSet<OperationId> = events
        .iter()
        .filter_map(|event| event.event.operation)
        .collect();
    let operations: Vec<OperationId> = operations.into_iter().collect();
    let whole = trail.of_operations(&operations).await?;
    let mut told = fold_refused(stories(events, whole, |_| false));
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

fn is_own(story: &Story, key: &str, agreed: &Agreed) -> bool {
    let mut wanted = story
        .events
        .iter()
        .filter(|event| wants_review(&event.event.action, event.event.outcome));
    wanted.all(|event| agreed.is_own(key, event))
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
    let every = format!(
        " A review is due every {days}. What nobody has signed off within {} waits no more, and stays in the trail without a review.",
        words::duration(WAITS_FOR)
    );
    match policy.due(waiting) {
        None => view! {
            <div class="card empty">
                <h2>"Nothing waits for a review"</h2>
                <p>"Operations, changes and denials are listed here until somebody else has signed them off."{every}{by}</p>
            </div>
        }
        .into_any(),
        Some(at) if at <= now => {
            let lapses = waiting.oldest.map(|oldest| {
                view! { " The oldest event waits until "{moment::clock(oldest.plus(WAITS_FOR), now)}"." }
            });
            view! {
                <div class="banner is-warn"><p><b>"The review is overdue"</b>" since "{moment::clock(at, now)}" ("{moment::age(at)}")."{lapses}{every}{by}</p></div>
            }
            .into_any()
        }
        Some(at) => view! {
            <p class="hint">"Due "{moment::clock(at, now)}", in "{moment::left(at)}"."{every}{by}</p>
        }
        .into_any(),
    }
}

fn section(title: &'static str, told: &Stories, looking: &Looking<'_>) -> Option<AnyView> {
    if told.is_empty() {
        return None;
    }
    let rows: Vec<_> = told
        .iter()
        .filter_map(|(story, odd)| row(story, odd, looking))
        .collect();
    Some(view! { <h2>{title}</h2><ol class="card rows" role="list">{rows}</ol> }.into_any())
}

/// One tap for what is not odd, as much of it as one review covers.
fn sign_off(rest: &Stories, here: &str) -> Option<AnyView> {
    let count = rest.len();
    let (covers, taken) = Stretches::of_groups(rest.iter().map(|(story, _)| story.sequences()));
    if taken == 0 {
        return None;
    }
    let label = match (taken, count) {
        (1, 1) => "Sign off this one".to_owned(),
        (taken, count) if taken < count => format!("Sign off the first {taken} of these {count}"),
        (_, count) => format!("Sign off these {count}"),
    };
    Some(
        view! {
            <form class="form" method="post" action=endpoint::REVIEW_EVENTS>
                <input type="hidden" name="covers" value=covers.text()/>
                <input type="hidden" name="verdict" value=Verdict::Seen.as_str()/>
                <input type="hidden" name="back" value=here.to_owned()/>
                <div class="field">
                    <label for="comment">"Comment, if there is one"</label>
                    <input id="comment" name="comment" maxlength=LONGEST.to_string() autocomplete="off"/>
                </div>
                <div class="actions"><button class="btn primary">{label}</button></div>
            </form>
            <p class="hint">"Only what is listed under “The rest”, as it is listed here: what happens meanwhile waits for the next time."</p>
        }
        .into_any(),
    )
}

fn more(waiting: &Waiting, looked: u32) -> Option<AnyView> {
    waiting.more.then(|| {
        let said = format!("More wait than the newest {looked}, which are looked at here. Older ones follow when these are signed off.");
        view! { <p class="hint">{said}</p> }.into_any()
    })
}
