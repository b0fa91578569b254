//! Stories as rows: what happened in a sentence, what there is to know of it, its outcome and its review.

use std::collections::BTreeSet;

use domain::audit::story::{Kind, Story};
use domain::audit::{AuditEvent, AuditOutcome};
use domain::operation::OperationId;
use domain::path;
use domain::person::{Actor, Role};
use domain::review::{Agreed, Review, Stretches, Verdict, waits, wants_review};
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;

use super::filters::word;
use super::sentences::headline;
use crate::forms::endpoint;
use crate::ui::moment;
use crate::ui::said::{address, phones};

/// The most notes of sign-ins that were refused.
const NOTES: usize = 3;

/// For whom and when rows are made, and where a sign-off goes back to.
pub(super) struct Looking<'a> {
    pub(super) actor: &'a Actor,
    pub(super) role: Role,
    pub(super) may_review: bool,
    pub(super) now: Timestamp,
    pub(super) here: &'a str,
    pub(super) reviews: &'a [Review],
    pub(super) agreed: &'a Agreed,
}

/// The operations that stories are about.
pub(super) fn operations<'a>(told: impl IntoIterator<Item = &'a Story>) -> Vec<OperationId> {
    let events = told.into_iter().flat_map(|story| &story.events);
    let operations: BTreeSet<OperationId> =
        events.filter_map(|event| event.event.operation).collect();
    operations.into_iter().collect()
}

/// Where an act came from, as this role may see it, and by which token when a program acted for somebody.
pub(crate) fn from(actor: &Actor, role: Role) -> Vec<String> {
    let token = match actor {
        Actor::Person { token, .. } => token.as_deref(),
        _ => None,
    };
    let token = token.map(|name| format!("by the token “{}”", phones(name, role)));
    place(actor, role).into_iter().chain(token).collect()
}

/// Where an act came from, as this role may see it.
pub(super) fn place(actor: &Actor, role: Role) -> Vec<String> {
    match actor {
        Actor::Person {
            address: at,
            browser,
            ..
        } => {
            let at = at.as_ref().map(|at| address(at, role));
            at.into_iter().chain(browser.clone()).collect()
        }
        Actor::Nobody { address: at } => at.iter().map(|at| address(at, role)).collect(),
        Actor::CommandLine { .. } => vec!["on the host's command line".to_owned()],
        Actor::Panel => Vec::new(),
    }
}

/// The class that gives an outcome its shape and colour; the word stands beside it.
pub(super) const fn class(outcome: AuditOutcome) -> &'static str {
    match outcome {
        AuditOutcome::Requested => "is-now",
        AuditOutcome::Succeeded => "is-done",
        AuditOutcome::Failed => "is-failed",
        AuditOutcome::Denied => "is-warn",
        AuditOutcome::Undone => "is-undone",
    }
}

fn chip(outcome: AuditOutcome) -> impl IntoView {
    view! { <span class=format!("chip {}", class(outcome))>{word(outcome)}</span> }
}

/// One story; `odd` says why it is odd.
pub(super) fn row(story: &Story, odd: &[String], looking: &Looking<'_>) -> Option<AnyView> {
    let main = story.main()?;
    let (role, now) = (looking.role, looking.now);
    let mut parts: Vec<String> = Vec::new();
    parts.extend(
        story
            .took()
            .map(|took| format!("took {}", words::duration(took))),
    );
    let outage = story.outage;
    parts.extend(outage.map(|down| format!("after {} of outage", words::duration(down))));
    parts.extend(
        story
            .reason()
            .map(|reason| format!("“{}”", phones(reason, role))),
    );
    let notes = story.notes();
    let most = match story.kind {
        Kind::Refused => NOTES,
        _ => notes.len(),
    };
    parts.extend(notes.iter().take(most).map(|note| phones(note, role)));
    let rest = notes.len().saturating_sub(most) as u64;
    parts.extend((rest > 0).then(|| words::count(rest, "note more", "notes more")));
    if story.addresses().len() < 2 {
        parts.extend(from(&main.event.actor, role));
    }
    let parts = parts
        .iter()
        .fold(String::new(), |all, part| all + " · " + part);
    let steps = match story.kind {
        Kind::Operation(id) => {
            let count = words::count(story.events.len() as u64, "event", "events");
            let said = format!("Steps, {count}");
            Some(view! { " · "<a href=path::operation(&id)>{said}</a> })
        }
        _ => None,
    };
    let began = story.began();
    let to =
        (story.kind == Kind::Refused).then(|| view! { " to "{moment::clock(story.ended(), now)} });
    let odd = (!odd.is_empty())
        .then(|| view! { <small class="is-warn">{format!("Odd: {}", odd.join(", "))}</small> });
    Some(
        view! {
            <li>
                <a class="go" href=path::audit_event(main.sequence)>{phones(&headline(story), role)}</a>
                {odd}
                <small>{moment::clock(began, now)}{to}{parts}{steps}</small>
                <div class="end">{chip(main.event.outcome)}{review_of(story, looking)}</div>
            </li>
        }
        .into_any(),
    )
}

/// How its review stands, and the button when it waits for this person.
fn review_of(story: &Story, looking: &Looking<'_>) -> Option<AnyView> {
    let wanted: Vec<&AuditEvent> = story
        .events
        .iter()
        .filter(|event| wants_review(&event.event.action, event.event.outcome))
        .collect();
    let main = *wanted.last()?;
    let open = wanted
        .iter()
        .any(|event| waits(event, looking.reviews, looking.agreed));
    if !open {
        let mut seen = looking.reviews.iter();
        let seen = seen
            .rfind(|review| review.verdict.settles() && review.counts_for(main, looking.agreed))?;
        let said = match seen.verdict {
            Verdict::FollowUp => format!("{} follows up", seen.by.name()),
            _ => format!("seen by {}", seen.by.name()),
        };
        return Some(view! { <span>{said}</span> }.into_any());
    }
    let question = looking.reviews.iter().rfind(|review| {
        review.verdict == Verdict::Question && review.covers.contains(main.sequence)
    });
    let question = question.and_then(|review| {
        let asked = review.asked.as_ref()?;
        let said = if review.answers.is_empty() {
            format!("asked {}", asked.name)
        } else {
            format!("{} answered", asked.name)
        };
        Some(view! { <a href=path::audit_event(main.sequence)>{said}</a> })
    });
    if !looking.may_review {
        return Some(view! { {question} }.into_any());
    }
    let key = looking.actor.key();
    if wanted
        .iter()
        .all(|event| looking.agreed.is_own(&key, event))
    {
        let said = if main.event.actor.key() == key {
            "your own act"
        } else {
            "you agreed to it"
        };
        return Some(view! { {question}<span>{said}</span> }.into_any());
    }
    let covers = Stretches::of(story.sequences()).newest().text();
    let label = format!("Sign off: {}", phones(&headline(story), looking.role));
    Some(
        view! {
            {question}
            <form method="post" action=endpoint::REVIEW_EVENTS>
                <input type="hidden" name="covers" value=covers/>
                <input type="hidden" name="verdict" value=Verdict::Seen.as_str()/>
                <input type="hidden" name="back" value=looking.here.to_owned()/>
                <button class="btn quiet" aria-label=label>"Sign off"</button>
            </form>
        }
        .into_any(),
    )
}
