//! The audit trail, newest first: filtered, told as stories or event by event, with its reviews, and whether it is whole.

mod chain;
mod chart;
pub(crate) mod event;
mod filters;
pub(crate) mod packet;
pub(crate) mod print;
pub(crate) mod report;
pub(crate) mod rows;
pub(crate) mod sentences;
mod views;

use std::collections::BTreeSet;

use domain::action::Action;
use domain::audit::filter::BadField;
use domain::audit::story::{Kind, Story, stories};
use domain::audit::{AuditEvent, Filter};
use domain::can;
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::path;
use domain::person::{Actor, Role};
use domain::ports::{Found, Place, StoreError};
use domain::time::Timestamp;
use leptos::prelude::*;

use self::filters::Told;
use self::rows::{Looking, operations, row};
use super::{Asked, Page};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::reviews;
use crate::ui::moment;

/// How many events fit on a page.
const SHOWN: u32 = 50;
/// Which part of a phone number may be searched for.
const NO_NUMBERS: BadField = BadField {
    field: "text",
    why: "Whole phone numbers are shown to operators and admins only, so your role searches for four digits in a row at most.",
};

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    let gateway = gateway(asked);
    let gateways = call.audited_gateways();
    let reads_all = call.reads_all_audit();
    if gateway.is_none()
        && !reads_all
        && let Some(first) = gateways.first()
    {
        let here = asked.url(path::AUDIT);
        let more = if here.contains('?') { '&' } else { '?' };
        return Ok(Page::redirect(format!("{here}{more}gateway={}", first.id)));
    }
    let reader = call.reads_audit(gateway.as_ref()).await?;
    let panel = call.panel();
    let now = call.now();
    let told = Told::of(asked);
    let filter = wanted(&reader, asked);
    // For the line that says what waits.
    reviews::known(panel, now).await;
    let known = panel.trail.vocabulary().await.or_say(|| call.error_id())?;
    let standing = panel.chain.standing().await.or_say(|| call.error_id())?;
    let sees_numbers = sees_numbers(&reader);
    let bar = filters::bar(&filter, told, &known, &gateways, sees_numbers, asked);
    let body = match &filter {
        Ok(filter) => {
            let place = place(asked);
            let listed = panel.trail.page(filter, place, SHOWN).await;
            let listed = listed.or_say(|| call.error_id())?;
            list(call, &reader, filter, told, place, listed).await?
        }
        Err(_) => view! {
            <div class="card empty"><h2>"Nothing is shown"</h2><p>"One field of the filter cannot be read; it says what helps."</p></div>
        }
        .into_any(),
    };
    let chart = match (&filter, place(asked)) {
        (Ok(filter), Place::Newest) => chart::chart(call, filter, told, asked).await?,
        _ => None,
    };
    let views = match &filter {
        Ok(filter) if reads_all => Some(views::bar(call, filter, told, asked).await?),
        _ => None,
    };
    let may_verify = call.may(Action::VerifyAudit).is_ok();
    let report = reads_all.then(|| view! { " · "<a href=path::AUDIT_REPORT>"Monthly report"</a> });
    let content = view! {
        <div class="crumb"><h1>"Audit"</h1><p class="live">"newest first"{report}</p></div>
        {chain::line(&standing, asked, may_verify, now)}
        {to_review(call, filter.as_ref().ok(), now)}
        {bar}
        {views}
        {chart}
        {body}
    }
    .to_html();
    Ok(Page::new("Audit", moment::fill(&content, now)).at("audit"))
}

/// A filter with how it is told, as it stands in the URL.
pub(crate) fn view_of(filter: &Filter, asked: &Asked) -> String {
    filters::query(filter, Told::of(asked), &[])
}

/// The gateway that the URL names, whatever else is wrong with it.
fn gateway(asked: &Asked) -> Option<GatewayId> {
    asked.get("gateway").parse().ok()
}

fn sees_numbers(reader: &Actor) -> bool {
    can::role_may(reader.role(), Action::ViewPhoneNumbers).is_ok()
}

/// What the URL lets through, as far as this role may search for it.
fn wanted(reader: &Actor, asked: &Asked) -> Result<Filter, Vec<BadField>> {
    let filter = Filter::read(|name| asked.get(name))?;
    if filter.seeks_number() && !sees_numbers(reader) {
        return Err(vec![NO_NUMBERS]);
    }
    Ok(filter)
}

fn place(asked: &Asked) -> Place {
    let number = |name| asked.get(name).parse::<i64>().ok();
    match (number("before"), number("after")) {
        (Some(before), _) => Place::Before(before),
        (None, Some(after)) => Place::After(after),
        (None, None) => Place::Newest,
    }
}

/// That something waits, and the way to it.
fn to_review(call: &Call, filter: Option<&Filter>, now: Timestamp) -> Option<AnyView> {
    let line = || reviews::line(call.panel(), call.actor(), now);
    let fitting = filter.filter(|filter| !filter.is_open()).map(|filter| {
        let query = filters::query(filter, Told::Stories, &[]);
        let href = format!("{}?{query}", path::REVIEW);
        view! { <p class="hint"><a href=href>"Review what of it waits"</a></p> }
    });
    reviews::may_review(call.role()).then(|| view! { {line()}{fitting} }.into_any())
}

async fn list(
    call: &Call,
    reader: &Actor,
    filter: &Filter,
    told: Told,
    place: Place,
    found: Found,
) -> Result<AnyView, PanelError> {
    let pager = pager(filter, told, place, &found);
    let searched = found.searched_to.map(|number| {
        let on = filters::url(filter, told, &[("before", number.to_string())]);
        view! { <p class="hint">"The search ended before it had seen everything. "<a href=on>"Search further back"</a></p> }
    });
    if found.events.is_empty() {
        let (title, said) = if filter.is_open() && place == Place::Newest {
            (
                "Nothing was recorded yet",
                "Sign-ins and every act are listed here.",
            )
        } else {
            (
                "No event fits",
                "Take something off the filter, or choose a longer time.",
            )
        };
        return Ok(view! {
            <div class="card empty"><h2>{title}</h2><p>{said}</p></div>{searched}{pager}
        }
        .into_any());
    }
    let stories = match told {
        Told::Stories => tell(call, filter, place, found.events).await,
        Told::Events => Ok(each(found.events)),
    };
    let stories = stories.or_say(|| call.error_id())?;
    let sequences: Vec<i64> = stories.iter().flat_map(Story::sequences).collect();
    let reviews = call.panel().reviews.of_events(&sequences).await;
    let reviews = reviews.or_say(|| call.error_id())?;
    let agreed = call.panel().reviews.agreed(&operations(&stories)).await;
    let agreed = agreed.or_say(|| call.error_id())?;
    let here = match place {
        Place::Newest => filters::url(filter, told, &[]),
        Place::Before(number) => filters::url(filter, told, &[("before", number.to_string())]),
        Place::After(number) => filters::url(filter, told, &[("after", number.to_string())]),
    };
    let looking = Looking {
        actor: call.actor(),
        role: reader.role().unwrap_or(Role::Nothing),
        may_review: reviews::may_review(call.role()),
        now: call.now(),
        here: &here,
        reviews: &reviews,
        agreed: &agreed,
    };
    let rows: Vec<_> = stories
        .iter()
        .filter_map(|story| row(story, &[], &looking))
        .collect();
    Ok(
        view! { <ol class="card rows" role="list" id="events">{rows}</ol>{searched}{pager} }
            .into_any(),
    )
}

fn each(events: Vec<AuditEvent>) -> Vec<Story> {
    events
        .into_iter()
        .map(|event| Story {
            kind: Kind::Single,
            events: vec![event],
            outage: None,
        })
        .collect()
}

/// Operations with all that belongs to them, and what they ended.
async fn tell(
    call: &Call,
    filter: &Filter,
    place: Place,
    events: Vec<AuditEvent>,
) -> Result<Vec<Story>, StoreError> {
    let operations: BTreeSet<OperationId> = events
        .iter()
        .filter_map(|event| event.event.operation)
        .collect();
    let operations: Vec<OperationId> = operations.into_iter().collect();
    let whole = if operations.is_empty() {
        Vec::new()
    } else {
        call.panel().trail.of_operations(&operations).await?
    };
    // One whose newest event that fits was on the page before was told there.
    let top = match place {
        Place::Newest => i64::MAX,
        Place::Before(number) => number,
        Place::After(_) => events.first().map_or(i64::MAX, |event| event.sequence + 1),
    };
    let newer = whole.iter().filter(|event| event.sequence >= top);
    let before = call.panel().trail.fitting(filter, newer.cloned().collect());
    let before: BTreeSet<i64> = before.await?.iter().map(|event| event.sequence).collect();
    let mut told = stories(events, whole, |event| before.contains(&event.sequence));
    tell_outages(call, &mut told).await?;
    Ok(told)
}

/// How long the gateways of operations had been down before.
async fn tell_outages(call: &Call, told: &mut [Story]) -> Result<(), StoreError> {
    let mut operations: Vec<&mut Story> = told
        .iter_mut()
        .filter(|story| matches!(story.kind, Kind::Operation(_)))
        .collect();
    let asked: Vec<(GatewayId, Timestamp)> = operations
        .iter()
        .filter_map(|story| Some((story.main()?.event.gateway.clone()?, story.began())))
        .collect();
    if asked.is_empty() || asked.len() != operations.len() {
        return Ok(());
    }
    let since = call.panel().trail.outages(&asked).await?;
    for (story, since) in operations.iter_mut().zip(since) {
        story.outage = since.map(|since| story.began().since(since));
    }
    Ok(())
}

/// Links to newer and older events; where there are none there is no link.
fn pager(filter: &Filter, told: Told, place: Place, found: &Found) -> Option<AnyView> {
    let (newer, older) = match place {
        Place::Newest => (false, found.more),
        Place::Before(_) => (true, found.more),
        Place::After(_) => (found.more, true),
    };
    let link = |name: &'static str, event: Option<&AuditEvent>| {
        event.map(|event| filters::url(filter, told, &[(name, event.sequence.to_string())]))
    };
    let newer = link("after", found.events.first()).filter(|_| newer);
    let older = link("before", found.events.last()).filter(|_| older);
    let newest = (place != Place::Newest).then(|| filters::url(filter, told, &[]));
    if newer.is_none() && older.is_none() && newest.is_none() {
        return None;
    }
    let newest = newest.map(|to| view! { <a class="btn quiet" href=to>"Newest"</a> });
    let newer = newer.map(|to| view! { <a class="btn quiet" href=to rel="prev">"Newer"</a> });
    let older = older.map(|to| view! { <a class="btn quiet" href=to rel="next">"Older"</a> });
    Some(
        view! { <nav class="pager" aria-label="Pages"><span></span><span class="actions">{newest}{newer}{older}</span></nav> }
            .into_any(),
    )
}
