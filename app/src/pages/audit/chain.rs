//! Whether the trail is whole: one line above it, and a button that has it checked.

use domain::ports::ChainStanding;
use domain::time::Timestamp;
use leptos::prelude::*;

use super::super::Asked;
use crate::forms::endpoint;
use crate::ui::moment;

const UNGUARDED: &str = "The database lets the panel's own role change what was written. Its owner should be another \
                         role: see migration_url_file.";

/// Word, shape and colour, with its age.
pub(super) fn line(
    standing: &ChainStanding,
    asked: &Asked,
    may_verify: bool,
    now: Timestamp,
) -> AnyView {
    let (class, said) = match &standing.last {
        None => (
            "banner is-unknown",
            "The chain was not checked yet.".to_owned(),
        ),
        Some(check) if check.is_whole() => ("banner is-ok", check.sentence()),
        Some(check) => ("banner is-failed", check.sentence()),
    };
    let age = standing.last.as_ref().map(|check| {
        view! { " Checked "{moment::clock(check.at, now)}" ("{moment::age(check.at)}")." }
    });
    let asked_for_it = asked.has("checking");
    let running = standing.checking_since.map(|since| {
        view! { <p>"A check runs since "{moment::clock(since, now)}" ("{moment::age(since)}"). Load this page again to see what it finds."</p> }.into_any()
    });
    let running = running.or_else(|| {
        asked_for_it.then(|| view! { <p>"The check that you asked for has ended."</p> }.into_any())
    });
    let flaws = standing.last.as_ref().filter(|check| check.flaws.len() > 1);
    let flaws = flaws.map(|check| {
        let flaws = check
            .flaws
            .iter()
            .map(|flaw| view! { <li>{flaw.sentence()}</li> });
        let flaws = flaws.collect::<Vec<_>>();
        let more =
            (check.more > 0).then(|| view! { <li>{format!("And {} more.", check.more)}</li> });
        view! {
            <details>
                <summary>"Everything that was found"</summary>
                <ul>{flaws}{more}</ul>
            </details>
        }
    });
    let archived = standing.archived.as_ref();
    let archived = archived.map(|archive| view! { <p>{archive.sentence()}</p> });
    let unguarded = standing.is_unguarded.then_some(UNGUARDED.to_owned());
    let warnings: Vec<_> = unguarded
        .into_iter()
        .chain(standing.undelivered.iter().cloned())
        .map(|warning| view! { <div class="banner is-warn"><p>{warning}</p></div> })
        .collect();
    let (button, hint) = may_verify
        .then(|| {
            let button = view! {
                <form method="post" action=endpoint::VERIFY_AUDIT>
                    <button class="btn quiet" aria-describedby="verify-hint">"Verify now"</button>
                </form>
            };
            let hint = view! {
                <p class="hint" id="verify-hint">"Reads every event and every checkpoint again. It changes nothing."</p>
            };
            (button, hint)
        })
        .unzip();
    view! {
        <div class=class role="status">
            <div><p><b>{said}</b>{age}</p>{archived}{running}{flaws}</div>
            {button}
        </div>
        {hint}
        {warnings}
    }
    .into_any()
}
