//! The form of the filter: every field, with what is wrong beside it.

use domain::audit::AuditOutcome;
use domain::audit::filter::{BadField, Group, LONGEST_TEXT, Span};
use domain::gateway::Gateway;
use domain::path;
use domain::ports::Vocabulary;
use leptos::prelude::*;

use super::super::sentences;
use super::{Told, name_of, word};
use crate::pages::Asked;
use crate::ui::said::capital;

pub(super) fn form(
    wrong: &[BadField],
    told: Told,
    known: &Vocabulary,
    gateways: &[Gateway],
    asked: &Asked,
) -> impl IntoView + use<> {
    let mut spans: Vec<(String, String)> = Span::NAMED
        .into_iter()
        .map(|span| (span.as_str().to_owned(), span.title()))
        .collect();
    let range = Span::Between(None, None);
    spans.push((range.as_str().to_owned(), range.title()));
    if let Some((value, _)) = spans.first_mut() {
        value.clear();
    }
    let any = |said: &str| vec![(String::new(), said.to_owned())];
    let mut people = any("Anyone");
    people.extend(
        known
            .people
            .iter()
            .map(|(key, _)| (key.clone(), name_of(key, known))),
    );
    let mut places = any("Any gateway");
    places.extend(
        gateways
            .iter()
            .map(|one| (one.id.to_string(), one.name.clone())),
    );
    let mut acts = any("Anything");
    acts.extend(Group::ALL.map(|group| (group.as_str().to_owned(), group.title().to_owned())));
    acts.extend(
        known
            .actions
            .iter()
            .map(|act| (act.clone(), sentences::title(act))),
    );
    let mut outcomes = any("Any outcome");
    outcomes.extend(AuditOutcome::ALL.map(|one| (one.as_str().to_owned(), capital(word(one)))));
    let view =
        (told == Told::Events).then(|| view! { <input type="hidden" name="view" value="events"/> });
    // A range that came without its word is one all the same.
    let days = !asked.get("from").is_empty() || !asked.get("to").is_empty();
    let span = match asked.get("span") {
        "" if days => range.as_str(),
        span => span,
    };
    let get = |name: &str| asked.get(name).to_owned();
    view! {
        <form class="card pad form filter-form" method="get" action=path::AUDIT autocomplete="off">
            {view}
            <div class="fields">
                {choice("span", "When", spans, span, wrong)}
                {line("from", "From (day in UTC)", "date", get("from"), wrong)}
                {line("to", "To (that day included)", "date", get("to"), wrong)}
                {choice("person", "Who", people, asked.get("person"), wrong)}
                {choice("gateway", "Where", places, asked.get("gateway"), wrong)}
                {choice("what", "What", acts, asked.get("what"), wrong)}
                {choice("outcome", "Outcome", outcomes, asked.get("outcome"), wrong)}
                {line("operation", "Operation (its id)", "text", get("operation"), wrong)}
                {line("text", "Words of target, reason, note or name", "search", get("text"), wrong)}
            </div>
            <div class="actions">
                <a class="btn" href=path::AUDIT>"Take all off"</a><button class="btn primary">"Show"</button>
            </div>
        </form>
    }
}

/// Days alone, for a page that shows what the rest of its URL lets through: `kept`.
pub(in super::super) fn period(
    action: &'static str,
    asked: &Asked,
    wrong: &[BadField],
    kept: Vec<(&'static str, String)>,
) -> impl IntoView + use<> {
    let get = |name: &str| asked.get(name).to_owned();
    let kept: Vec<_> = kept
        .into_iter()
        .filter(|(name, _)| !["span", "from", "to"].contains(name))
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect();
    view! {
        <form class="form filter-form" method="get" action=action autocomplete="off">
            {kept}
            <input type="hidden" name="span" value=Span::Between(None, None).as_str()/>
            <div class="fields">
                {line("from", "From (day in UTC)", "date", get("from"), wrong)}
                {line("to", "To (that day included)", "date", get("to"), wrong)}
            </div>
            <div class="actions"><button class="btn">"Show that period"</button></div>
        </form>
    }
}

fn why(name: &str, wrong: &[BadField]) -> Option<&'static str> {
    wrong
        .iter()
        .find(|bad| bad.field == name)
        .map(|bad| bad.why)
}

fn error(name: &str, why: Option<&'static str>) -> impl IntoView + use<> {
    let id = format!("{name}-error");
    why.map(|why| view! { <p class="error" id=id role="alert">{why}</p> })
}

fn choice(
    name: &'static str,
    label: &'static str,
    options: Vec<(String, String)>,
    chosen: &str,
    wrong: &[BadField],
) -> impl IntoView + use<> {
    let why = why(name, wrong);
    let mut options = options;
    // What is set is never lost, also when nobody could choose it.
    if !options.iter().any(|(value, _)| value == chosen) {
        options.push((chosen.to_owned(), chosen.to_owned()));
    }
    let options: Vec<_> = options
        .into_iter()
        .map(|(value, said)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{said}</option> }
        })
        .collect();
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select id=name name=name aria-invalid=why.map(|_| "true") aria-describedby=why.map(|_| format!("{name}-error"))>
                {options}
            </select>
            {error(name, why)}
        </div>
    }
}

fn line(
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
    wrong: &[BadField],
) -> impl IntoView + use<> {
    let why = why(name, wrong);
    // A date field shows nothing but days; what is no day must not be lost.
    let is_day = value.is_empty() || domain::time::Timestamp::parse_date(&value).is_some();
    let kind = if kind == "date" && !is_day {
        "text"
    } else {
        kind
    };
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input id=name name=name type=kind value=value maxlength=LONGEST_TEXT.to_string()
                aria-invalid=why.map(|_| "true") aria-describedby=why.map(|_| format!("{name}-error"))/>
            {error(name, why)}
        </div>
    }
}
