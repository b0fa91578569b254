//! What of the trail is shown: links for what is asked most, a form for the rest, and what is set with the way to take it
//! off. All of it stands in the URL.

mod form;

pub(super) use form::period;

use domain::audit::filter::{BadField, Group, Span, What};
use domain::audit::{AuditOutcome, Filter};
use domain::gateway::Gateway;
use domain::path;
use domain::ports::Vocabulary;
use domain::report::who;
use leptos::prelude::*;

use super::sentences;
use crate::pages::{Asked, encoded};
use crate::ui::said::capital;

/// How the trail is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// As stories.
    Stories,
    /// Event by event.
    Events,
}

impl Told {
    pub(super) fn of(asked: &Asked) -> Self {
        match asked.get("view") {
            "events" => Self::Events,
            _ => Self::Stories,
        }
    }
}

/// The page with this filter; `more` are pairs that the filter does not have.
pub(super) fn url(filter: &Filter, told: Told, more: &[(&str, String)]) -> String {
    let query = query(filter, told, more);
    if query.is_empty() {
        path::AUDIT.to_owned()
    } else {
        format!("{}?{query}", path::AUDIT)
    }
}

/// The same without the page.
pub(super) fn query(filter: &Filter, told: Told, more: &[(&str, String)]) -> String {
    let mut pairs = filter.pairs();
    if told == Told::Events {
        pairs.push(("view", "events".to_owned()));
    }
    let more = more.iter().map(|(name, value)| (*name, value.clone()));
    let query: Vec<String> = pairs
        .into_iter()
        .chain(more)
        .map(|(name, value)| format!("{name}={}", encoded(&value)))
        .collect();
    query.join("&")
}

/// What is set, as words and as the filter without it.
pub(super) fn set(filter: &Filter, known: &Vocabulary) -> Vec<(String, Filter)> {
    let mut set = Vec::new();
    let mut add = |is_set: bool, said: String, without: fn(&mut Filter)| {
        if is_set {
            let mut left = filter.clone();
            without(&mut left);
            set.push((said, left));
        }
    };
    add(filter.span != Span::All, filter.span.title(), |left| {
        left.span = Span::All;
    });
    let person = filter.person.as_deref().unwrap_or_default();
    add(filter.person.is_some(), name_of(person, known), |left| {
        left.person = None;
    });
    let gateway = filter.gateway.as_ref().map(|id| format!("On {id}"));
    add(gateway.is_some(), gateway.unwrap_or_default(), |left| {
        left.gateway = None;
    });
    let what = filter.what.as_ref().map(|what| match what {
        What::Act(act) => sentences::title(act),
        What::Group(group) => group.title().to_owned(),
    });
    add(what.is_some(), what.unwrap_or_default(), |left| {
        left.what = None;
    });
    let outcome = filter.outcome.map(|outcome| capital(word(outcome)));
    add(outcome.is_some(), outcome.unwrap_or_default(), |left| {
        left.outcome = None;
    });
    let operation = filter
        .operation
        .map(|id| format!("Operation {}", id.short()));
    add(operation.is_some(), operation.unwrap_or_default(), |left| {
        left.operation = None;
    });
    let text = filter.text.as_ref().map(|text| format!("“{text}”"));
    add(text.is_some(), text.unwrap_or_default(), |left| {
        left.text = None;
    });
    set
}

/// An outcome in a word.
pub(super) const fn word(outcome: AuditOutcome) -> &'static str {
    match outcome {
        AuditOutcome::Requested => "asked for",
        AuditOutcome::Succeeded => "done",
        AuditOutcome::Failed => "failed",
        AuditOutcome::Denied => "denied",
        AuditOutcome::Undone => "put back",
    }
}

fn name_of(key: &str, known: &Vocabulary) -> String {
    let named = known.people.iter().find(|(known, _)| known == key);
    who(key, named.map_or("", |(_, name)| name.as_str()))
}

/// Links, what is set, and the form.
pub(super) fn bar(
    read: &Result<Filter, Vec<BadField>>,
    told: Told,
    known: &Vocabulary,
    gateways: &[Gateway],
    sees_numbers: bool,
    asked: &Asked,
) -> AnyView {
    let wrong: &[BadField] = read.as_ref().err().map_or(&[], Vec::as_slice);
    let filter = read.as_ref().cloned().unwrap_or_default();
    let spans = [Span::Today, Span::Week, Span::Days30].map(|span| {
        let with = Filter {
            span,
            ..filter.clone()
        };
        quick(&span.title(), url(&with, told, &[]), filter.span == span)
    });
    let changes = Some(What::Group(Group::Changes));
    let with = Filter {
        what: changes.clone(),
        ..filter.clone()
    };
    let changes = quick(
        Group::Changes.title(),
        url(&with, told, &[]),
        filter.what == changes,
    );
    let (other, said) = match told {
        Told::Stories => (Told::Events, "Each event"),
        Told::Events => (Told::Stories, "As stories"),
    };
    let chips: Vec<_> = set(&filter, known)
        .into_iter()
        .map(|(said, left)| {
            let label = format!("Take off: {said}");
            view! { <li><span>{said}</span><a href=url(&left, told, &[]) aria-label=label>"×"</a></li> }
        })
        .collect();
    let chips = (!chips.is_empty()).then(|| {
        view! { <ul class="chosen" role="list" aria-label="What is set">{chips}</ul> }
    });
    view! {
        <nav class="filters" aria-label="Filter">
            {Vec::from(spans)}{changes}
            <span class="end actions">
                <a class="btn" href=url(&filter, other, &[])>{said}</a>
                {(wrong.is_empty()).then(|| downloads(&filter, sees_numbers))}
            </span>
        </nav>
        {chips}
        <details class="fold" open=!wrong.is_empty()>
            <summary>"Filter and search"</summary>
            {form::form(wrong, told, known, gateways, asked)}
        </details>
    }
    .into_any()
}

/// What is shown as a file or on paper; without the attribute: a download that fails is a page, not a file.
fn downloads(filter: &Filter, sees_numbers: bool) -> impl IntoView + use<> {
    let to = |format: &str| {
        let query = format!("{}?format={format}", path::AUDIT_DOWNLOAD);
        filter.pairs().iter().fold(query, |query, (name, value)| {
            query + "&" + name + "=" + &encoded(value)
        })
    };
    let lines = sees_numbers.then(|| view! { <a class="btn" href=to("jsonl")>"JSON Lines"</a> });
    let print = filter
        .pairs()
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect::<Vec<_>>();
    let print = format!("{}?{}", path::AUDIT_PRINT, print.join("&"));
    view! { <a class="btn" href=to("csv")>"Download CSV"</a>{lines}<a class="btn" href=print.trim_end_matches('?').to_owned()>"Print"</a> }
}

fn quick(said: &str, href: String, is_set: bool) -> AnyView {
    let current = is_set.then_some("true");
    view! { <a class="btn" href=href aria-current=current>{said.to_owned()}</a> }.into_any()
}
