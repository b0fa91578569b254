//! Before the gateway's key is changed: what stands in the way, what it will interrupt, and why it is done.

mod back;
mod checks;

use domain::action::Action;
use domain::credential::Cause;
use domain::key_rotation::{Consumer, KeyRotation};
use domain::path;
use domain::words;
use leptos::prelude::*;

use back::Back;
pub(crate) use back::PUTS_BACK;
use checks::{Check, Seen, State};

use super::{Asked, Page};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::rungs::{self, Known};
use crate::ui::{ask, moment};

pub(crate) async fn page(call: &Call, id: &str, asked: &Asked) -> Result<Page, PanelError> {
    let gateway = call.gateway(id).await?;
    call.permit_to_ask(Action::RotateKey, Some(&gateway.id))
        .await?;
    let (panel, now) = (call.panel(), call.now());
    let known = Known::of(call, &gateway.id).await;
    let seen = Seen::of(call, &gateway.id).await;
    let consumers = panel.rotations.consumers(&gateway.id).await;
    let consumers = consumers.or_say(|| call.error_id())?;
    let latest = panel.rotations.latest(&gateway.id).await;
    let latest = latest.or_say(|| call.error_id())?;
    let back = Back::of(call, &gateway.id, latest.as_ref(), asked).await;
    let mut checks = seen.checks();
    checks.extend(back.as_ref().map(Back::check));
    let against = rungs::against(known.sight(), Action::RotateKey, None).or_else(|| {
        let mut against = checks.iter().filter(|check| check.state == State::Against);
        against.next().map(|check| check.said.clone())
    });
    let home = path::gateway(&gateway.id);
    let usual = known.usual.get(Action::RotateKey.as_str());
    let usual = usual.or_else(|| known.usual.get(Action::Recreate.as_str()));
    let gap = usual.map_or_else(
        || "the time of a stop and a start, not timed here yet".to_owned(),
        |usual| format!("about {}", words::duration(*usual)),
    );
    let (title, label, question) = match &back {
        None => (
            "Rotate the API key",
            "Rotate the key",
            format!("Give {} a new API key?", gateway.name),
        ),
        Some(_) => (
            "Put the old API key back",
            "Put the old key back",
            format!("Give {} its old API key again?", gateway.name),
        ),
    };
    let waiting = crate::second::known(panel, &gateway.id, now).await;
    let waiting = waiting.and_then(|waiting| super::proposal::banner(&waiting, now));
    let second = panel.second_person.contains(&gateway.id);
    let label = if second { "Ask a second person" } else { label };
    let button = ask::submit(label, "btn danger", against.as_ref());
    let rows: Vec<_> = checks.into_iter().map(Check::row).collect();
    let explained = match &back {
        None => plan(&gap, &consumers).into_any(),
        Some(_) => back::plan(&gap).into_any(),
    };
    let why = match &back {
        None => causes(asked).into_any(),
        Some(back) => back.field().into_any(),
    };
    let before = back.is_none().then_some(latest.as_ref()).flatten();
    let content = view! {
        <div class="crumb"><h1><a href=home.clone()>{gateway.name.clone()}</a>" / "{title}</h1></div>
        {waiting}
        {before.map(|latest| last_time(latest, now))}
        <h2>"What the panel found"</h2>
        <div class="stack">
        <ul class="card rows" role="list" id="checks">{rows}</ul>
        <form class="card confirm" method="post" action=endpoint::ROTATE_KEY autocomplete="off">
            <input type="hidden" name="gateway" value=gateway.id.to_string()/>
            <input type="hidden" name="key" value=panel.ids.next().to_string()/>
            <div class="body">
                <h2>{question}</h2>
                {explained}
                {seen.also_applied()}
                {second.then(two_pairs)}
                <p>
                    <b>"How to get back. "</b>
                    "Until the proof it can be stopped, and the key and the container of now come back; so they do by \
                     themselves when anything goes wrong. "
                    {afterwards(back.is_some())}
                </p>
                {why}
                {seen.may_skip_secret(asked)}
                {ask::reason(asked.get("reason"))}
                {ask::against(against)}
            </div>
            <div class="actions"><a class="btn" href=home>"Not now"</a>{button}</div>
        </form>
        </div>
    }
    .to_html();
    let content = moment::fill(&content, now);
    Ok(Page::new(title, content).at("credentials").of(gateway.id))
}

/// That it does not begin at once.
fn two_pairs() -> impl IntoView {
    view! {
        <p>
            <b>"Two pairs of eyes. "</b>
            "Nothing begins when you send this: another admin has to agree first, within 24 hours, on a page that the \
             gateway's page leads to."
        </p>
    }
}

/// What a rotation does and interrupts.
fn plan(gap: &str, consumers: &[Consumer]) -> impl IntoView + use<> {
    let gap = gap.to_owned();
    view! {
        <p>
            "A new key is written into .env, the container is recreated with it, and it is proved that the new key \
             is taken and the old one refused. Then the key is shown to you once, for those who use it."
        </p>
        <p>
            <b>"What is interrupted. "</b>
            "No messages get through for "{gap}". The gateway has one key at a time: whoever uses the API fails from \
             the moment that the new container answers until they have the new key. "
            {known_by(consumers)}
        </p>
    }
}

/// What there is to do once it is proved.
fn afterwards(back: bool) -> &'static str {
    if back {
        "After it there is no way back but another rotation."
    } else {
        "After it the old key can be put back by another recreate, until everybody has the new one; after a leak it cannot."
    }
}
/// The rotation before, with a way to what is left of it.
fn last_time(latest: &KeyRotation, now: domain::time::Timestamp) -> impl IntoView + use<> {
    let href = path::new_key(&latest.gateway, &latest.operation);
    view! {
        <p class="hint">
            "Last rotated "{moment::clock(latest.at, now)}", fingerprint "<code>{latest.fingerprint.to_string()}</code>". "
            <a href=href>"Who has that key by now"</a>
        </p>
    }
}

fn known_by(consumers: &[Consumer]) -> String {
    let names: Vec<&str> = consumers
        .iter()
        .map(|consumer| consumer.name.as_str())
        .collect();
    if names.is_empty() {
        return "Nobody is in the register of those who use it yet; the page after the rotation has it.".to_owned();
    }
    format!("In the register: {}.", names.join(", "))
}

fn causes(asked: &Asked) -> impl IntoView + use<> {
    let wanted = Cause::parse(asked.get("cause")).unwrap_or(Cause::Scheduled);
    let choices: Vec<_> = Cause::OFFERED
        .into_iter()
        .map(|cause| {
            let more = match cause {
                Cause::Scheduled | Cause::PersonLeft | Cause::PutBack => None,
                Cause::Leak => Some(view! {
                    <small>
                        "The gateway is not asked to finish its work first, and a list of what else to do follows."
                    </small>
                }),
            };
            view! {
                <label class="check">
                    <input type="radio" name="cause" value=cause.as_str() checked=cause == wanted/>
                    <span>{cause.sentence()}</span>
                    {more}
                </label>
            }
        })
        .collect();
    view! { <fieldset class="field"><legend>"Why now"</legend><div class="choices">{choices}</div></fieldset> }
}
