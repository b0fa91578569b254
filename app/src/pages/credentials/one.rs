//! One credential: how it stands, how it is rotated, and what became of it.

use domain::action::Action;
use domain::credential::{
    Cause, Credential, Due, Kind, Listed, Logging, Reminder, Rotation, Stage,
};
use domain::path;
use domain::time::Timestamp;
use leptos::prelude::*;
use uuid::Uuid;

use super::day;
use super::fields::{self, Filled, Said};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::markdown;
use crate::pages::{Asked, Page};
use crate::register;
use crate::ui::said::capital;
use crate::ui::{in_text_area, moment};

/// How many rotations and reminders are shown.
pub(crate) const SHOWN: u32 = 50;
/// For how many days one may be snoozed.
pub(crate) const SNOOZES: [u16; 5] = [1, 7, 14, 30, 90];

pub(crate) async fn page(call: &Call, id: &str, asked: &Asked) -> Result<Page, PanelError> {
    call.permit(Action::ViewCredentials, None).await?;
    let listed = listed(call, id).await?;
    let panel = call.panel();
    let now = call.now();
    let id = listed.credential.id;
    let history = panel.register.history(id, SHOWN).await;
    let history = history.or_say(|| call.error_id())?;
    let reminders = panel.reminders.given(id, SHOWN).await;
    let reminders = reminders.or_say(|| call.error_id())?;
    let credential = &listed.credential;
    let changes = match call.may(Action::ManageCredentials) {
        Ok(()) => changes(&listed, asked, now).into_any(),
        Err(_) => view! {
            <p class="actions hint">"An admin notes rotations and changes what is said here."</p>
        }
        .into_any(),
    };
    let done = done(asked.get("done"));
    let gateway = listed.gateway.as_ref();
    let gateway = gateway.map(|gateway| {
        view! { <p class="live"><a href=path::gateway(&gateway.id)>{gateway.name.clone()}</a></p> }
    });
    let content = view! {
        <div class="crumb">
            <h1><a href=path::CREDENTIALS>"Credentials"</a>" / "{credential.title.clone()}</h1>
            {gateway}
        </div>
        {done}
        {standing(&listed, call, now)}
        <h2>"What is known"</h2>
        {known(&listed, now)}
        <h2>"How it is rotated"</h2>
        {procedure(credential)}
        {changes}
        <h2>"What became of it"</h2>
        {rotations(&history, id, call.may(Action::ManageCredentials).is_ok(), now)}
        {reminded(&reminders, now)}
    }
    .to_html();
    let page = Page::new(credential.title.clone(), moment::fill(&content, now));
    let page = page.at("credentials");
    Ok(match &listed.gateway {
        Some(gateway) => page.of(gateway.id.clone()),
        None => page,
    })
}

/// The credential of a URL.
pub(super) async fn listed(call: &Call, id: &str) -> Result<Listed, PanelError> {
    let gone = || PanelError::gone("There is no such credential in the register, or not any more.");
    let id: Uuid = id.parse().map_err(|_| gone())?;
    let panel = call.panel();
    let found = panel.register.find(id).await;
    let found = found.or_say(|| call.error_id())?.ok_or_else(gone)?;
    Listed::of(found, &*panel.observations, call.now()).ok_or_else(gone)
}

/// What a form of this page has done.
fn done(what: &str) -> Option<AnyView> {
    let said = match what {
        "rotated" => "The rotation is noted, here and in the audit trail.",
        "logged" => "The rotation is noted, here, in the audit trail and in the rotation log.",
        "not-logged" => {
            "The rotation is noted here and in the audit trail. It is not in the rotation log yet; below is why."
        }
        "snoozed" => "It is snoozed. Why is written into the audit trail.",
        "changed" => "What the register says of it is changed.",
        _ => return None,
    };
    Some(view! { <div class="banner is-done" role="status"><p>{said}</p></div> }.into_any())
}

fn standing(listed: &Listed, call: &Call, now: Timestamp) -> impl IntoView + use<> {
    let credential = &listed.credential;
    let class = format!("card verdict {}", register::class(listed.due));
    let big = capital(&listed.due.words(now));
    let why = match (&credential.snoozed, listed.due) {
        (Some(snooze), Due::Snoozed { .. }) => {
            format!("Snoozed by {}: “{}”", snooze.by.name(), snooze.why)
        }
        (_, due) => reason(credential, due),
    };
    let rotate = match (&credential.kind, &listed.gateway) {
        (Kind::GatewayKey, Some(gateway)) => {
            Some((Action::RotateKey, path::rotate_key(&gateway.id), "Rotate"))
        }
        (Kind::PanelDevice, Some(gateway)) => {
            let action = Action::RotateDevice;
            Some((action, path::confirm(&gateway.id, action.as_str()), "Renew"))
        }
        _ => None,
    };
    let rotate = rotate.map(|(action, href, word)| {
        let button = call.may(action).is_ok();
        let button = button.then(|| view! { <a class="btn primary" href=href>{word}</a> });
        view! { <div class="act">{button}</div> }
    });
    let elsewhere = match (&credential.kind, &listed.gateway) {
        (Kind::WhatsappSession, Some(gateway)) => {
            Some(view! { " "<a href=path::accounts(&gateway.id)>"See the accounts"</a> })
        }
        _ => None,
    };
    view! {
        <section class=class aria-labelledby="standing">
            <p class="big" id="standing">{big}</p>
            <p class="why">{why}{elsewhere}</p>
            {rotate}
        </section>
    }
}

/// Why it stands so, where nobody snoozed it.
fn reason(credential: &Credential, due: Due) -> String {
    match due {
        Due::Never => "No date says when; what happens does.".to_owned(),
        Due::Unknown { at_latest: None } => {
            "The probe of the public URL has seen no certificate.".to_owned()
        }
        Due::Unknown { .. } => {
            "Nobody noted when it was last rotated. Note it below, or rotate it.".to_owned()
        }
        Due::Fine { .. } | Due::Soon { .. } | Due::Overdue { .. } | Due::Snoozed { .. } => {
            match (credential.kind, &credential.last, credential.interval_days) {
                (Kind::TlsCertificate, ..) => {
                    "The certificate says so itself; the proxy renews it.".to_owned()
                }
                (_, Some(last), Some(days)) => format!(
                    "Rotated on {} by {}, to be rotated every {days} days.",
                    last.at.utc_date(),
                    last.by.name()
                ),
                (_, None, Some(days)) => {
                    format!(
                        "To be rotated every {days} days, counted from when it was listed here."
                    )
                }
                (_, _, None) => String::new(),
            }
        }
    }
}

fn known(listed: &Listed, now: Timestamp) -> impl IntoView + use<> {
    let credential = &listed.credential;
    let or = |text: &str, without: &str| match text {
        "" => without.to_owned(),
        text => text.to_owned(),
    };
    let interval = credential
        .interval_days
        .map_or_else(|| "none".to_owned(), |days| format!("{days} days"));
    let age = listed.age(now).unwrap_or_else(|| "not known".to_owned());
    let next = match listed.due.at() {
        Some(at) => day(at).into_any(),
        None => "no date".into_any(),
    };
    view! {
        <dl class="card pairs">
            <dt>"Where it is kept"</dt><dd>{or(&credential.place, "not said")}</dd>
            <dt>"Who sees to it"</dt><dd>{or(&credential.owner, "nobody")}</dd>
            <dt>"Age"</dt><dd>{age}</dd>
            <dt>"Interval"</dt><dd>{interval}</dd>
            <dt>"Next due"</dt><dd>{next}</dd>
        </dl>
    }
}

fn procedure(credential: &Credential) -> AnyView {
    if credential.procedure.is_empty() {
        return view! { <p class="card note">"Nobody has written it down yet."</p> }.into_any();
    }
    let shown = markdown::markup(&credential.procedure);
    view! { <div class="card pad prose" inner_html=shown></div> }.into_any()
}

/// What an admin does here.
fn changes(listed: &Listed, asked: &Asked, now: Timestamp) -> impl IntoView + use<> {
    let credential = &listed.credential;
    let retire = credential.kind.may_be_retired().then(|| {
        view! {
            <p class="actions">
                <a class="btn quiet" href=path::retire_credential(credential.id)>"Take it out of the register"</a>
            </p>
        }
    });
    view! {
        <h2>"When it was rotated elsewhere"</h2>
        {by_hand(credential, asked, now)}
        <h2>"When it has to wait"</h2>
        {snooze(credential, asked)}
        <h2>"What the register says of it"</h2>
        {change(credential, asked)}
        {retire}
    }
}

/// The guided checklist: each step of the procedure is ticked, then the rotation is noted.
fn by_hand(credential: &Credential, asked: &Asked, now: Timestamp) -> impl IntoView + use<> {
    let steps = checklist(credential);
    let said = Said::of("steps", asked);
    let described = said.described();
    let ticks: Vec<_> = steps
        .into_iter()
        .enumerate()
        .map(|(number, step)| {
            let name = format!("steps[{number}]");
            let ticked = asked.get(&name) == number.to_string();
            view! {
                <label class="check">
                    <input type="checkbox" name=name value=number.to_string() required=true checked=ticked/>
                    {step}
                </label>
            }
        })
        .collect();
    let date = Said::of("rotated_on", asked);
    let (date_invalid, date_described) = (date.invalid(), date.described());
    let today = now.utc_date();
    let on = match asked.get("rotated_on") {
        "" => today.clone(),
        typed => typed.to_owned(),
    };
    let wanted = Cause::parse(asked.get("cause")).unwrap_or(Cause::Scheduled);
    let causes: Vec<_> = Cause::OFFERED
        .into_iter()
        .map(|cause| {
            view! {
                <option value=cause.as_str() selected=cause == wanted>{cause.sentence()}</option>
            }
        })
        .collect();
    // The button of the key's own page comes first.
    let strong = match credential.kind {
        Kind::GatewayKey | Kind::PanelDevice => "btn",
        _ => "btn primary",
    };
    view! {
        <form class="card pad form" method="post" action=endpoint::NOTE_ROTATION autocomplete="off">
            <input type="hidden" name="id" value=credential.id.to_string()/>
            <fieldset class="field" aria-describedby=described>
                <legend>"Tick what is done"</legend>
                {ticks}
                {said.view()}
            </fieldset>
            <div class="field">
                <label for="rotated_on">"Done on (UTC)"</label>
                <input id="rotated_on" name="rotated_on" type="date" required=true max=today value=on
                    aria-invalid=date_invalid aria-describedby=date_described/>
                {date.view()}
            </div>
            <div class="field">
                <label for="cause">"Why"</label>
                <select id="cause" name="cause">{causes}</select>
            </div>
            <div class="field">
                <label for="note">"What else there is to say (others see it; may stay empty)"</label>
                <textarea id="note" name="note" rows="2" maxlength="200">{in_text_area(asked.get("note"))}</textarea>
            </div>
            <div class="actions"><button class=strong>"Note the rotation"</button></div>
        </form>
    }
}

/// The steps that are ticked: those of the procedure, or one for the whole of it.
pub(crate) fn checklist(credential: &Credential) -> Vec<String> {
    let steps = markdown::steps(&credential.procedure);
    if steps.is_empty() {
        vec!["It is rotated, and the old one opens nothing any more".to_owned()]
    } else {
        steps
    }
}

fn snooze(credential: &Credential, asked: &Asked) -> impl IntoView + use<> {
    let said = Said::of("why", asked);
    let (invalid, described) = (said.invalid(), said.described());
    let wanted = asked.get("days").parse().unwrap_or(7);
    let days: Vec<_> = SNOOZES
        .into_iter()
        .map(|days| {
            let said = domain::words::count(days.into(), "day", "days");
            view! { <option value=days.to_string() selected=days == wanted>{said}</option> }
        })
        .collect();
    view! {
        <form class="card pad form" method="post" action=endpoint::SNOOZE_CREDENTIAL autocomplete="off">
            <input type="hidden" name="id" value=credential.id.to_string()/>
            <p class="hint">
                "Until then nobody is reminded, and no page warns. It stays due, and the calendar shows it."
            </p>
            <div class="field">
                <label for="days">"For"</label>
                <select id="days" name="days">{days}</select>
            </div>
            <div class="field">
                <label for="why">"Why it can wait (others see it)"</label>
                <textarea id="why" name="why" rows="2" maxlength="200" required=true aria-invalid=invalid
                    aria-describedby=described>{in_text_area(asked.get("why"))}</textarea>
                {said.view()}
            </div>
            <div class="actions"><button class="btn">"Snooze"</button></div>
        </form>
    }
}

fn change(credential: &Credential, asked: &Asked) -> impl IntoView + use<> {
    let filled = Filled::with(Some(credential), asked);
    let naming = credential
        .kind
        .is_named_by_people()
        .then(|| fields::naming(&filled, asked));
    let keeping = fields::keeping(&filled, asked);
    let open = asked.has("procedure");
    view! {
        <details class="card pad" open=open>
            <summary>"Change owner, interval or procedure"</summary>
            <form class="form" method="post" action=endpoint::CHANGE_CREDENTIAL autocomplete="off">
                <input type="hidden" name="id" value=credential.id.to_string()/>
                {naming}
                {keeping}
                <div class="actions"><button class="btn">"Change"</button></div>
            </form>
        </details>
    }
}

fn rotations(history: &[Rotation], id: Uuid, may_log: bool, now: Timestamp) -> AnyView {
    if history.is_empty() {
        return view! { <p class="card note">"No rotation was noted yet."</p> }.into_any();
    }
    let rows: Vec<_> = history
        .iter()
        .map(|one| rotation(one, id, may_log, now))
        .collect();
    view! { <ul class="card rows" role="list">{rows}</ul> }.into_any()
}

fn rotation(
    rotation: &Rotation,
    credential: Uuid,
    may_log: bool,
    now: Timestamp,
) -> impl IntoView + use<> {
    let said = format!("Rotated by {}", rotation.by.name());
    let title = match rotation.operation {
        Some(id) => view! { <a class="go" href=path::operation(&id)>{said}</a> }.into_any(),
        None => view! { <b>{said}</b> }.into_any(),
    };
    let how = match rotation.operation {
        Some(_) => "by the panel",
        None => "elsewhere",
    };
    let note = rotation.note.as_ref().map(|note| format!(" · “{note}”"));
    let fingerprint = rotation.fingerprint.as_ref();
    let fingerprint = fingerprint.map(|fingerprint| {
        view! { " · fingerprint "<code>{fingerprint.to_string()}</code> }
    });
    let log = match &rotation.log {
        Some(Logging::Committed(said)) => Some(format!(" · In the rotation log. {said}")),
        Some(Logging::Failed(why)) => Some(format!(" · Not in the rotation log: {why}")),
        None => None,
    };
    let again = (may_log && matches!(rotation.log, Some(Logging::Failed(_)))).then(|| {
        view! {
            <form method="post" action=endpoint::LOG_ROTATION>
                <input type="hidden" name="id" value=credential.to_string()/>
                <input type="hidden" name="rotation" value=rotation.id.to_string()/>
                <button class="btn quiet">"Try the log again"</button>
            </form>
        }
    });
    view! {
        <li>
            {title}
            <small>
                {moment::clock(rotation.at, now)}" · "{rotation.cause.sentence()}{note}{fingerprint}{log}
            </small>
            <div class="end">{how}{again}</div>
        </li>
    }
}

fn reminded(reminders: &[Reminder], now: Timestamp) -> Option<AnyView> {
    if reminders.is_empty() {
        return None;
    }
    let rows: Vec<_> = reminders
        .iter()
        .map(|reminder| {
            let said = match reminder.stage {
                Stage::Overdue => "Overdue".to_owned(),
                stage => {
                    let days = domain::words::count(stage.days().into(), "day", "days");
                    format!("Due within {days}")
                }
            };
            let mail = match (&reminder.mailed_to, &reminder.failed) {
                (Some(to), _) => format!(" · mailed to {to}"),
                (None, Some(why)) => format!(" · no mail went out: {why}"),
                (None, None) => " · shown here, not mailed".to_owned(),
            };
            view! {
                <li>
                    <b>{said}</b>
                    <small>{moment::clock(reminder.at, now)}{mail}</small>
                    <div class="end">"due "{day(reminder.due_at)}</div>
                </li>
            }
        })
        .collect();
    Some(view! { <h2>"Reminders"</h2><ul class="card rows" role="list">{rows}</ul> }.into_any())
}
