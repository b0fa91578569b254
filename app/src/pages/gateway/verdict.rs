//! The verdict: one sentence, why, and the one thing that helps.

use domain::action::Action;
use domain::gateway::AccountId;
use domain::path;
use domain::verdict::{self, Next, Standing, Verdict};
use leptos::prelude::*;

use crate::rungs::{self, Sight};
use crate::ui::act::act;
use crate::ui::moment;
use crate::ui::said::capital;

/// The section with the verdict.
pub(super) fn section(sight: Sight<'_>) -> String {
    let looked = sight.seen.filter(|seen| {
        let mut facts = seen.facts().into_iter();
        facts.any(|fact| fact.checked_at.is_some())
    });
    let Some(seen) = looked else {
        return first_look();
    };
    let verdict = verdict::verdict(seen, sight.holder, sight.now);
    let class = format!("card verdict {}", class(&verdict, sight));
    let word = format!("{}: ", capital(verdict.standing.as_str()));
    let since = verdict.since;
    view! {
        <section class=class id="verdict" aria-labelledby="verdict-said">
            <p class="big" id="verdict-said" aria-live="polite">
                <span class="sr">{word}</span>{verdict.sentence.clone()}
            </p>
            <p class="why">
                "Since "{moment::clock(since, sight.now)}" ("{moment::age(since)}"). "
                {verdict.reason.clone()}{help(&verdict.next)}
            </p>
            {strong(&verdict.next, sight)}
        </section>
    }
    .to_html()
}

fn first_look() -> String {
    view! {
        <section class="card verdict is-unknown is-loading" id="verdict" aria-busy="true"
            aria-labelledby="verdict-said">
            <p class="big" id="verdict-said">"Looking"</p>
            <p class="why">"The first answers come within seconds."</p>
        </section>
    }
    .to_html()
}

fn class(verdict: &Verdict, sight: Sight<'_>) -> &'static str {
    let at_work = sight.holder.is_some_and(|holder| holder.outcome.is_none());
    match verdict.standing {
        Standing::Working => "is-ok",
        _ if at_work => "is-now",
        Standing::Degraded => "is-warn",
        Standing::Down => "is-down",
        Standing::Unknown => "is-unknown",
    }
}

/// What a person does where no button of the panel helps.
fn help(next: &Next) -> Option<AnyView> {
    let said = match next {
        Next::Wait { until: Some(until) } => {
            let until = *until;
            return Some(view! { " Look again in "{moment::left(until)}"." }.into_any());
        }
        Next::Relink { .. } => " Have the phone at hand that holds the number.".to_owned(),
        Next::FindOtherClient => {
            " When the other client is stopped, reconnect the account below.".to_owned()
        }
        Next::CheckDocker => " Look on the host: “systemctl status docker”.".to_owned(),
        Next::CheckProxy => " Look at Caddy and at the name's address.".to_owned(),
        _ => return None,
    };
    Some(said.into_any())
}

/// The one strong button: the next action, when there is one to press.
fn strong(next: &Next, sight: Sight<'_>) -> Option<AnyView> {
    let on = |action, account: Option<&AccountId>| {
        let title = rungs::button(action).to_owned();
        let rung = rungs::rung(sight, action, title, account.cloned());
        let against = rung.against.as_ref().map(|_| "strong-why");
        let beside = rung.against.clone().unwrap_or_else(|| match action {
            Action::Recover => "tries the gentlest step first".to_owned(),
            _ => rungs::about(action, sight.usual),
        });
        strip(act(rung.button, "btn primary", rung.href, against), beside)
    };
    let to = |label: &str, href: String, beside: &str| {
        strip(act(label, "btn primary", href, None), beside.to_owned())
    };
    Some(match next {
        Next::Reconnect { account } | Next::Relink { account } => {
            on(Action::Recover, Some(account))
        }
        Next::Restart => on(Action::Restart, None),
        Next::Recreate => on(Action::Recreate, None),
        Next::Start => on(Action::Start, None),
        Next::Install => on(Action::Install, None),
        Next::InstallPlugin => on(Action::InstallPlugin, None),
        Next::Watch => to(
            "Watch it",
            path::operation(&sight.holder?.id),
            "step by step",
        ),
        Next::ReadLogs => to(
            "Read the log",
            path::logs(sight.gateway),
            "the last 200 lines",
        ),
        _ => return None,
    })
}

fn strip(button: AnyView, beside: String) -> AnyView {
    view! { <div class="act sticky">{button}<span id="strong-why">{beside}</span></div> }.into_any()
}
