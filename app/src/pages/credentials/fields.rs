//! The fields of a credential, where one is added and where one is changed.

use domain::credential::{Credential, LONGEST_INTERVAL, LONGEST_LINE, LONGEST_PROCEDURE};
use leptos::prelude::*;

use crate::pages::Asked;
use crate::ui::in_text_area;

/// What stands in the fields: what was typed before, else what is so.
pub(super) struct Filled {
    title: String,
    place: String,
    owner: String,
    interval: String,
    procedure: String,
}

impl Filled {
    /// As it is, unless this form came back.
    pub(super) fn with(present: Option<&Credential>, asked: &Asked) -> Self {
        let typed = asked.has("procedure");
        let text = |name: &str, present: Option<&String>| match (typed, present) {
            (false, Some(present)) => present.clone(),
            _ => asked.get(name).to_owned(),
        };
        let interval = present.and_then(|present| present.interval_days);
        let interval = interval.map_or(String::new(), |days| days.to_string());
        Self {
            title: text("title", present.map(|present| &present.title)),
            place: text("place", present.map(|present| &present.place)),
            owner: text("owner", present.map(|present| &present.owner)),
            interval: text("interval", present.map(|_| &interval)),
            procedure: text("procedure", present.map(|present| &present.procedure)),
        }
    }
}

/// Title and place: of what people added only.
pub(super) fn naming(filled: &Filled, asked: &Asked) -> impl IntoView + use<> {
    view! {
        {line("title", "What it is", "For example: SMTP password", Needed::Yes, &filled.title, asked)}
        {line("place", "Where it is kept", "The place, never the value: a file, a vault, a setting.", Needed::No, &filled.place, asked)}
    }
}

/// Owner, interval and procedure.
pub(super) fn keeping(filled: &Filled, asked: &Asked) -> impl IntoView + use<> {
    let owner =
        "A name; or a mail address, to which reminders go when the panel has a mail server.";
    view! {
        {line("owner", "Who sees to it", owner, Needed::No, &filled.owner, asked)}
        {interval(&filled.interval, asked)}
        {procedure(&filled.procedure, asked)}
    }
}

/// Whether a field must be filled in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    Yes,
    No,
}

fn line(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    needed: Needed,
    value: &str,
    asked: &Asked,
) -> impl IntoView + use<> {
    let said = Said::of(name, asked);
    let described = said.described_beside(&format!("{name}-hint"));
    let hint_id = format!("{name}-hint");
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input id=name name=name value=value.to_owned() required=needed == Needed::Yes
                maxlength=LONGEST_LINE.to_string() autocomplete="off" aria-invalid=said.invalid()
                aria-describedby=described/>
            <p class="hint" id=hint_id>{hint}</p>
            {said.view()}
        </div>
    }
}

fn interval(value: &str, asked: &Asked) -> impl IntoView + use<> {
    let said = Said::of("interval", asked);
    let described = said.described_beside("interval-hint");
    view! {
        <div class="field">
            <label for="interval">"Days from one rotation to the next"</label>
            <input id="interval" name="interval" value=value.to_owned() type="number" inputmode="numeric" min="1"
                max=LONGEST_INTERVAL.to_string() aria-invalid=said.invalid() aria-describedby=described/>
            <p class="hint" id="interval-hint">"Empty: no date, it is changed when something happens."</p>
            {said.view()}
        </div>
    }
}

fn procedure(value: &str, asked: &Asked) -> impl IntoView + use<> {
    let said = Said::of("procedure", asked);
    let described = said.described_beside("procedure-hint");
    let value = in_text_area(value);
    view! {
        <div class="field">
            <label for="procedure">"How it is rotated"</label>
            <textarea id="procedure" name="procedure" rows="8" maxlength=LONGEST_PROCEDURE.to_string()
                aria-invalid=said.invalid() aria-describedby=described>{value}</textarea>
            <p class="hint" id="procedure-hint">
                "Markdown. The items of its first list are the steps to be ticked off. Never write the value itself."
            </p>
            {said.view()}
        </div>
    }
}

/// What is wrong with a field, beside it.
pub(super) struct Said {
    name: &'static str,
    why: Option<String>,
}

impl Said {
    pub(super) fn of(name: &'static str, asked: &Asked) -> Self {
        Self {
            name,
            why: asked.problem_with(name),
        }
    }

    pub(super) fn invalid(&self) -> Option<&'static str> {
        self.why.as_ref().map(|_| "true")
    }

    pub(super) fn described(&self) -> Option<String> {
        self.why.as_ref().map(|_| format!("{}-error", self.name))
    }

    /// The hint and what is wrong.
    pub(super) fn described_beside(&self, hint: &str) -> String {
        match self.described() {
            Some(error) => format!("{hint} {error}"),
            None => hint.to_owned(),
        }
    }

    pub(super) fn view(self) -> impl IntoView + use<> {
        let id = format!("{}-error", self.name);
        self.why
            .map(|why| view! { <p class="error" id=id role="alert">{why}</p> })
    }
}
