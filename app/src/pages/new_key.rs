//! After the gateway's key was changed: it is shown once, and everybody who uses it is ticked off.

mod wording;

use domain::action::Action;
use domain::credential::Cause;
use domain::gateway::GatewayId;
use domain::key_rotation::{Consumer, Done, KeyRotation, Straggler, Task, stragglers};
use domain::logs::LogLine;
use domain::operation::OperationId;
use domain::path;
use domain::ports::LogAccess;
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;
use secrecy::ExposeSecret as _;

use super::rotate_key::PUTS_BACK;
use super::{Asked, Page};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::panel::Reveal;
use crate::ui::{in_text_area, moment};
use wording::Wording;

/// So many lines of the gateway's log are looked through.
const LINES: u32 = 5_000;

pub(crate) async fn page(
    call: &Call,
    id: &str,
    operation: &str,
    asked: &Asked,
) -> Result<Page, PanelError> {
    let gateway = call.gateway(id).await?;
    let (panel, now) = (call.panel(), call.now());
    let rotation = call.rotation(&gateway.id, operation).await?;
    let consumers = panel.rotations.consumers(&gateway.id).await;
    let consumers = consumers.or_say(|| call.error_id())?;
    let (late, blind) = match panel.observations.logs(&gateway.id, LINES).await {
        Ok(lines) => (late(&lines, &rotation, &consumers), None),
        Err(fault) => (Vec::new(), Some(fault.message)),
    };
    let latest = panel.rotations.latest(&gateway.id).await;
    let latest = latest.or_say(|| call.error_id())?;
    let replaced = latest.is_some_and(|latest| latest.operation != rotation.operation);
    let reveal = panel.new_keys.take(call.viewer().person.id);
    let sight = Sight {
        rotation: &rotation,
        may_reveal: call.may_on(Action::RotateKey, &gateway.id).err(),
        may_tick: call.may_on(Action::HandOverKey, &gateway.id).err(),
        now,
    };
    let said = Wording::of(&rotation);
    let content = view! {
        <div class="crumb">
            <h1><a href=path::gateway(&gateway.id)>{gateway.name.clone()}</a>" / "{said.title}</h1>
            <p class="live">{said.since}{moment::clock(rotation.at, now)}</p>
        </div>
        {verdict(&rotation, &consumers, &late, replaced)}
        {way_back(call, sight, replaced).await}
        <h2>"Your copy"</h2>
        {copy(sight, reveal, replaced)}
        {repository(call, sight).await}
        <h2>"Who uses it"</h2>
        {users(sight, &consumers, &late, blind)}
        {(rotation.cause == Cause::Leak).then(after_a_leak)}
        {sight.may_tick.is_none().then(|| add(&rotation, asked))}
    }
    .to_html();
    let content = moment::fill(&content, now);
    Ok(Page::new(said.title, content)
        .at("credentials")
        .of(gateway.id))
}

/// Who came with a wrong key since the new one was proved, and since they were said to have it.
fn late(lines: &[LogLine], rotation: &KeyRotation, consumers: &[Consumer]) -> Vec<Straggler> {
    let mut late = stragglers(lines, rotation.at);
    late.retain(|one| {
        let known = consumers.iter().find(|consumer| one.is(consumer));
        let done = known.and_then(|consumer| rotation.done(Task::Consumer(consumer.id)));
        done.is_none_or(|done| one.at.is_none_or(|at| at > done.at))
    });
    late
}

/// What is looked at, and what the viewer may do with it.
#[derive(Clone, Copy)]
struct Sight<'a> {
    rotation: &'a KeyRotation,
    /// Why not.
    may_reveal: Option<&'static str>,
    /// Why not.
    may_tick: Option<&'static str>,
    now: Timestamp,
}

fn is_done(rotation: &KeyRotation, consumer: &Consumer) -> bool {
    rotation.done(Task::Consumer(consumer.id)).is_some()
}

/// How far it is, in a sentence.
fn verdict(
    rotation: &KeyRotation,
    consumers: &[Consumer],
    late: &[Straggler],
    replaced: bool,
) -> impl IntoView + use<> {
    let have = consumers
        .iter()
        .filter(|consumer| is_done(rotation, consumer))
        .count();
    let said = Wording::of(rotation);
    let kept = rotation.done(Task::Workstation).is_some();
    let who: Vec<String> = late.iter().map(|one| name_of(one, consumers)).collect();
    let (class, big) = if replaced {
        (
            "is-skipped",
            "This key was replaced by a later one".to_owned(),
        )
    } else if let Some(first) = who.first() {
        let others = match who.len() {
            1 => String::new(),
            more => format!(" and {}", words::count(more as u64 - 1, "other", "others")),
        };
        ("is-warn", format!("{first}{others} {}", said.still))
    } else if have < consumers.len() || !kept {
        ("is-now", said.not_everywhere.to_owned())
    } else {
        ("is-done", said.everywhere.to_owned())
    };
    let updated = match consumers.len() {
        0 => "Nobody is in the register of those who use it yet.".to_owned(),
        all => {
            let all = words::count(all as u64, "consumer", "consumers");
            format!("{have} of {all} updated.")
        }
    };
    let why = format!(
        "{updated} {} Fingerprint {}.",
        said.proved, rotation.fingerprint
    );
    let href = path::operation(&rotation.operation);
    view! {
        <section class=format!("card verdict {class}") id="verdict">
            <p class="big">{big}</p>
            <p class="why">{why}" "<a href=href>"How it went"</a></p>
        </section>
    }
}

/// What a straggler is called: as the register does, when it is in there.
fn name_of(late: &Straggler, consumers: &[Consumer]) -> String {
    let known = consumers.iter().find(|consumer| late.is(consumer));
    known.map_or_else(
        || late.words(),
        |consumer| format!("{} at {}", consumer.name, late.address),
    )
}

/// While the old key is kept: how to put it back.
async fn way_back(call: &Call, sight: Sight<'_>, replaced: bool) -> AnyView {
    let rotation = sight.rotation;
    let kept = match rotation.keeps_old_key_until() {
        Some(until) if !replaced => {
            let kept = call
                .panel()
                .keys
                .kept(&rotation.gateway, rotation.operation);
            // Where it cannot be told, the page that puts it back says why.
            kept.await.ok().flatten().map(|_| until)
        }
        _ => None,
    };
    let Some(until) = kept else {
        return ().into_any();
    };
    let link = sight.may_reveal.is_none().then(|| {
        let href = format!(
            "{}?{PUTS_BACK}={}",
            path::rotate_key(&rotation.gateway),
            rotation.operation
        );
        view! { <a href=href>"Put the old key back"</a> }
    });
    view! {
        <p class="hint" id="way-back">
            "If it does not work out: the old key is kept, sealed, until everybody has the new one, and until "
            {moment::clock(until, sight.now)}" at the latest. "{link}
        </p>
    }
    .into_any()
}

fn by(done: &Done, now: Timestamp) -> impl IntoView + use<> {
    let note = done.note.clone().map(|note| format!(" {note}"));
    view! { {moment::clock(done.at, now)}" by "{done.by.clone()}"."{note} }
}

/// The key itself, the one time; before it the button, after it who saw it.
fn copy(sight: Sight<'_>, reveal: Option<Reveal>, replaced: bool) -> AnyView {
    let rotation = sight.rotation;
    if let Some(reveal) = reveal {
        return shown(rotation, &reveal);
    }
    let kept = rotation.done(Task::Workstation);
    let stored = match (kept, &rotation.revealed) {
        (Some(done), _) => view! { <p><b>"Stored. "</b>{by(done, sight.now)}</p> }.into_any(),
        (None, Some(_)) if sight.may_tick.is_none() => {
            tick(rotation, Task::Workstation, "I stored it in .env.local").into_any()
        }
        _ => ().into_any(),
    };
    let state = match (&rotation.revealed, sight.may_reveal) {
        _ if replaced => view! { <p>"A later rotation has replaced it, so it is shown no more."</p> }.into_any(),
        (Some(done), _) => view! {
            <p>"Shown "{by(done, sight.now)}" It is not shown again: if it was lost, rotate once more."</p>
        }
        .into_any(),
        (None, Some(why)) => view! { <p class="hint">{why}</p> }.into_any(),
        (None, None) => view! {
            <p>
                "The key is in .env on the host and nowhere else. It is shown once, to one person, and that is audited. \
                 Have the place open where you will put it."
            </p>
            <form class="actions" method="post" action=endpoint::REVEAL_KEY>
                <input type="hidden" name="gateway" value=rotation.gateway.to_string()/>
                <input type="hidden" name="operation" value=rotation.operation.to_string()/>
                <button class="btn primary">"Show the key once"</button>
            </form>
        }
        .into_any(),
    };
    view! { <section class="card pad stack" id="copy">{state}{stored}</section> }.into_any()
}

/// Where the browser can, it is veiled until a button is held, and taken out of the page when it is left.
fn shown(rotation: &KeyRotation, reveal: &Reveal) -> AnyView {
    view! {
        <section class="card pad stack" id="copy">
            <p><b>{Wording::of(rotation).title}</b></p>
            <p><code class="secret" id="new-key">{reveal.secret.expose_secret().to_owned()}</code></p>
            <div class="actions">
                <button class="btn" type="button" hidden=true data-hold="new-key">"Hold to see it"</button>
                <button class="btn" type="button" hidden=true data-copy="new-key">"Copy"</button>
            </div>
            <p class="hint">"Shown now and never again. It is gone when you leave this page."</p>
            {tick(rotation, Task::Workstation, "I stored it in .env.local")}
        </section>
    }
    .into_any()
}

/// A form of one button.
fn tick(rotation: &KeyRotation, task: Task, label: &'static str) -> impl IntoView + use<> {
    view! {
        <form method="post" action=endpoint::FINISH_KEY_TASK>
            <input type="hidden" name="gateway" value=rotation.gateway.to_string()/>
            <input type="hidden" name="operation" value=rotation.operation.to_string()/>
            <input type="hidden" name="task" value=task.word()/>
            <button class="btn quiet">{label}</button>
        </form>
    }
}

/// The repository's secret and the rotation log, where there are such.
async fn repository(call: &Call, sight: Sight<'_>) -> AnyView {
    let panel = call.panel();
    let gateway = &sight.rotation.gateway;
    let by_hand = panel.secrets.by_hand(gateway);
    let secret = by_hand.map(|by_hand| {
        let how = view! {
            <p>
                "To do it by hand, with the key on its input and not on the command line: "<code>{by_hand}</code>
            </p>
        };
        elsewhere(sight, Task::Secret, "The secret on GitHub", how.into_any()).into_any()
    });
    let log = match panel.rotation_log.check(gateway).await {
        Ok(LogAccess::Off) => None,
        Ok(LogAccess::Ready { file, .. }) => {
            let how = view! { <p>"The file is "<code>{file}</code>"."</p> }.into_any();
            Some(elsewhere(sight, Task::Log, "The rotation log", how).into_any())
        }
        Err(fault) => {
            let how = view! { <p>{fault.message}</p> }.into_any();
            Some(elsewhere(sight, Task::Log, "The rotation log", how).into_any())
        }
    };
    let rows: Vec<_> = secret.into_iter().chain(log).collect();
    if rows.is_empty() {
        return ().into_any();
    }
    view! { <h2>"The repository"</h2><ul class="card rows" role="list" id="repository">{rows}</ul> }
        .into_any()
}

/// Something that the operation does by itself, and a person where it could not.
fn elsewhere(
    sight: Sight<'_>,
    task: Task,
    what: &'static str,
    how: AnyView,
) -> impl IntoView + use<> {
    let done = sight.rotation.done(task);
    let (class, state) = match done {
        Some(done) => (
            "dot is-done",
            view! { "Done. "{by(done, sight.now)} }.into_any(),
        ),
        None => (
            "dot is-warn",
            view! { "Not done yet; the operation's page says why. "{how} }.into_any(),
        ),
    };
    let act = (done.is_none() && sight.may_tick.is_none()).then(|| {
        view! {
            {again(sight.rotation, task)}
            {tick(sight.rotation, task, "I did it by hand")}
        }
    });
    view! {
        <li>
            <b><span class=class aria-hidden="true"></span>" "{what}</b>
            <small>{state}</small>
            <div class="end">{act}</div>
        </li>
    }
}

fn again(rotation: &KeyRotation, task: Task) -> impl IntoView + use<> {
    view! {
        <form method="post" action=endpoint::RETRY_KEY_TASK>
            <input type="hidden" name="gateway" value=rotation.gateway.to_string()/>
            <input type="hidden" name="operation" value=rotation.operation.to_string()/>
            <input type="hidden" name="task" value=task.word()/>
            <button class="btn quiet">"Try again"</button>
        </form>
    }
}

fn users(
    sight: Sight<'_>,
    consumers: &[Consumer],
    late: &[Straggler],
    blind: Option<String>,
) -> AnyView {
    let said = Wording::of(sight.rotation);
    let rows: Vec<_> = consumers
        .iter()
        .map(|consumer| {
            let late = late.iter().find(|one| one.is(consumer));
            row(sight, consumer, late).into_any()
        })
        .collect();
    let strangers: Vec<_> = late
        .iter()
        .filter(|one| !consumers.iter().any(|consumer| one.is(consumer)))
        .map(|one| stranger(one, sight.now).into_any())
        .collect();
    let list = if rows.is_empty() && strangers.is_empty() {
        view! {
            <div class="card empty">
                <h2>"Nobody is in the register"</h2>
                <p>"Add what uses the key: workflows, scripts, other services. Then nobody is forgotten the next time."</p>
            </div>
        }
        .into_any()
    } else {
        view! { <ul class="card rows" role="list" id="consumers">{rows}{strangers}</ul> }.into_any()
    };
    let blind = blind.map(|why| {
        view! { <p class="actions hint">{said.cannot_be_told}{why}</p> }
    });
    view! {
        {list}{blind}
        <p class="actions hint">
            "The gateway's log names who opens its socket with a wrong key; refusals over plain HTTP are not in it, so a tick \
             by a person counts there."
        </p>
    }
    .into_any()
}

fn row(sight: Sight<'_>, consumer: &Consumer, late: Option<&Straggler>) -> impl IntoView + use<> {
    let said = Wording::of(sight.rotation);
    let done = sight.rotation.done(Task::Consumer(consumer.id));
    let (class, state) = match (late, done) {
        (Some(late), _) => (
            "dot is-warn",
            view! { {said.sends_other}{late.words()}{since(late, sight.now)}". " }.into_any(),
        ),
        (None, Some(done)) => (
            "dot is-done",
            view! { {said.has}{by(done, sight.now)}" " }.into_any(),
        ),
        (None, None) => ("dot is-todo", said.needs.into_any()),
    };
    let owner = (!consumer.owner.is_empty()).then(|| format!("Owner: {}. ", consumer.owner));
    let how = consumer.how.clone();
    let act = match (done, sight.may_tick) {
        (None, None) => tick(sight.rotation, Task::Consumer(consumer.id), said.tick).into_any(),
        _ => ().into_any(),
    };
    let remove = sight.may_tick.is_none().then(|| {
        let label = format!("Remove {} from the register", consumer.name);
        view! {
            <form method="post" action=endpoint::REMOVE_CONSUMER>
                <input type="hidden" name="gateway" value=sight.rotation.gateway.to_string()/>
                <input type="hidden" name="operation" value=sight.rotation.operation.to_string()/>
                <input type="hidden" name="id" value=consumer.id.to_string()/>
                <button class="btn quiet" aria-label=label>"Remove"</button>
            </form>
        }
    });
    view! {
        <li>
            <b><span class=class aria-hidden="true"></span>" "{consumer.name.clone()}</b>
            <small>{state}{owner}{how}</small>
            <div class="end">{act}{remove}</div>
        </li>
    }
}

fn since(late: &Straggler, now: Timestamp) -> impl IntoView + use<> {
    late.at
        .map(|at| view! { ", last "{moment::clock(at, now)} })
}

fn stranger(late: &Straggler, now: Timestamp) -> impl IntoView + use<> {
    let times = words::count(u64::from(late.times), "time", "times");
    view! {
        <li>
            <b><span class="dot is-warn" aria-hidden="true"></span>" "{late.words()}</b>
            <small>"Not in the register. It came with a wrong key "{times}{since(late, now)}"."</small>
            <div class="end">"Unknown"</div>
        </li>
    }
}

/// What else is to be done when somebody may have had the old key.
fn after_a_leak() -> impl IntoView {
    view! {
        <h2>"After a leak"</h2>
        <div class="card pad stack">
            <p>"Whoever had the old key could use the gateway as you do. Look at these, too:"</p>
            <ul class="prose">
                <li>"The devices that are paired with the gateway: a pairing outlives a change of the key. Remove what you do not know (openclaw devices list)."</li>
                <li>"On the phone, Linked devices: remove what you do not know."</li>
                <li>"The gateway's agents, plugins and scheduled jobs: nothing should be there that you did not put there."</li>
                <li>"The other secrets in the same .env: who had the one may have had them all."</li>
                <li>"Where it leaked: a repository's history, a log, a chat, a screen that was shared. Take it away there."</li>
                <li>"The gateway's log and the audit trail, from the day that it may have leaked."</li>
            </ul>
        </div>
    }
}

/// A form that adds somebody to the register.
fn add(rotation: &KeyRotation, asked: &Asked) -> impl IntoView + use<> {
    let wrong = asked.problem_with("name");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = wrong.as_ref().map(|_| "name-error");
    let wrong = wrong.map(|why| view! { <p class="error" id="name-error" role="alert">{why}</p> });
    let typed = |name: &str| asked.get(name).to_owned();
    view! {
        <h2>"Add somebody who uses it"</h2>
        <form class="card pad form" method="post" action=endpoint::ADD_CONSUMER autocomplete="off">
            <input type="hidden" name="gateway" value=rotation.gateway.to_string()/>
            <input type="hidden" name="operation" value=rotation.operation.to_string()/>
            <div class="field">
                <label for="name">"What it is"</label>
                <input id="name" name="name" value=typed("name") required=true maxlength="80" placeholder="n8n, workflow Orders"
                    aria-invalid=invalid aria-describedby=described/>
                {wrong}
            </div>
            <div class="field">
                <label for="owner">"Who looks after it"</label>
                <input id="owner" name="owner" value=typed("owner") maxlength="80"/>
            </div>
            <div class="field">
                <label for="how">"How its key is changed"</label>
                <textarea id="how" name="how" rows="2" maxlength="400">{in_text_area(asked.get("how"))}</textarea>
            </div>
            <div class="field">
                <label for="seen_as">"Its address, or a part of its user agent"</label>
                <input id="seen_as" name="seen_as" value=typed("seen_as") maxlength="80" aria-describedby="seen-hint"/>
                <p class="hint" id="seen-hint">"By this it is recognised in the gateway's log. May stay empty."</p>
            </div>
            <div class="actions"><button class="btn">"Add"</button></div>
        </form>
    }
}

/// Where it is told of a rotation's operation what comes next.
pub(crate) fn next(gateway: &GatewayId, operation: &OperationId) -> impl IntoView + use<> {
    let href = path::new_key(gateway, operation);
    view! { <a class="btn primary" href=href>"Hand the new key over"</a> }
}
