//! What a filter lets through as a plain document, oldest first, with a fresh signed checkpoint at its end: printed, or
//! kept as a file by the browser's “Save as PDF”.

use axum::http::StatusCode;
use domain::action::Action;
use domain::audit::{AuditEvent, AuditOutcome, Change, Checkpoint, Filter, NewAuditEvent, act};
use domain::path;
use domain::person::{Actor, Role};
use domain::ports::{Place, StoreError, Vocabulary};
use domain::report::fingerprint;
use domain::words;
use leptos::prelude::*;

use super::super::{Asked, Page, encoded};
use super::filters::{set, word};
use super::report::print_button;
use super::rows::from;
use super::sentences::sentence;
use super::{gateway, wanted};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::ui::said::{capital, phones};

/// The most events of one document.
const BOUND: usize = 2_000;
/// How many are read at once.
const PIECE: u32 = 500;

/// The events of one document.
#[derive(Default)]
struct Printed {
    /// Oldest first.
    events: Vec<AuditEvent>,
    more: bool,
    /// A search for words took too long and was ended.
    ended_early: bool,
}

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    let reader = call.reads_audit(gateway(asked).as_ref()).await?;
    let Ok(filter) = wanted(&reader, asked) else {
        return Ok(unreadable(asked));
    };
    let after = asked.get("after").parse().unwrap_or(0);
    // No audit row, no document.
    let panel = call.panel();
    record(
        call,
        &reader,
        &filter,
        AuditOutcome::Requested,
        "To be printed.".to_owned(),
    )
    .await?;
    let printed = gather(call, &filter, after).await;
    let printed = printed.or_say(|| call.error_id())?;
    let count = words::count(printed.events.len() as u64, "event", "events");
    record(
        call,
        &reader,
        &filter,
        AuditOutcome::Succeeded,
        format!("{count}, to be printed."),
    )
    .await?;
    let known = panel.trail.vocabulary().await.or_say(|| call.error_id())?;
    let checkpoint = panel.chain.checkpoint().await;
    let checkpoint = checkpoint.or_say(|| call.error_id())?;
    let content = document(call, &reader, &filter, &known, &printed, &checkpoint).to_html();
    Ok(Page::new("Audit trail", content).at("audit"))
}

async fn record(
    call: &Call,
    reader: &Actor,
    filter: &Filter,
    outcome: AuditOutcome,
    note: String,
) -> Result<(), PanelError> {
    let set: Vec<String> = filter
        .pairs()
        .into_iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let event = NewAuditEvent {
        target: (!set.is_empty()).then(|| set.join(", ")),
        note: Some(note),
        ..NewAuditEvent::new(reader.clone(), act::EXPORT_AUDIT, outcome)
    };
    let written = call.panel().audit.record(event).await;
    written.or_say(|| call.error_id()).map(drop)
}

async fn gather(call: &Call, filter: &Filter, after: i64) -> Result<Printed, StoreError> {
    let mut printed = Printed::default();
    let mut place = Place::After(after);
    while printed.events.len() < BOUND {
        let found = call.panel().trail.page(filter, place, PIECE).await?;
        printed.ended_early |= found.searched_to.is_some();
        printed.more = found.more;
        let Some(last) = found.events.first() else {
            printed.more = false;
            break;
        };
        place = Place::After(last.sequence);
        printed.events.extend(found.events.into_iter().rev());
        if !printed.more {
            break;
        }
    }
    Ok(printed)
}

fn unreadable(asked: &Asked) -> Page {
    let back = asked.url(path::AUDIT);
    let content = view! {
        <div class="crumb"><h1><a href=path::AUDIT>"Audit"</a>" / Print"</h1></div>
        <div class="card empty">
            <h2>"Nothing is printed"</h2>
            <p>"The filter cannot be read. "<a href=back>"Its page says what helps"</a>"."</p>
        </div>
    };
    Page::new("Print", content.to_html())
        .at("audit")
        .status(StatusCode::BAD_REQUEST)
}

fn document(
    call: &Call,
    reader: &Actor,
    filter: &Filter,
    known: &Vocabulary,
    printed: &Printed,
    checkpoint: &Checkpoint,
) -> impl IntoView + use<> {
    let role = reader.role().unwrap_or(Role::Nothing);
    let said = set(filter, known).into_iter().map(|(said, _)| said);
    let said: Vec<String> = said.collect();
    let said = if said.is_empty() {
        "Everything, without a filter.".to_owned()
    } else {
        format!("{}.", said.join("; "))
    };
    let query: Vec<String> = filter
        .pairs()
        .into_iter()
        .map(|(name, value)| format!("{name}={}", encoded(&value)))
        .collect();
    let query = query.join("&");
    let count = printed.events.len();
    let numbers = match (printed.events.first(), printed.events.last()) {
        (Some(first), Some(last)) => format!(
            "{}, from number {} to number {}",
            words::count(count as u64, "event", "events"),
            first.sequence,
            last.sequence
        ),
        _ => "No event fits".to_owned(),
    };
    let rest = printed.events.last().filter(|_| printed.more).map(|last| {
        let on = format!("{}?{query}&after={}", path::AUDIT_PRINT, last.sequence);
        view! {
            <p class="banner is-warn">
                <span>{format!("This is not all: a document holds {} events, and there are more. ", words::thousands(count as u64))}
                <a class="no-print" href=on>"Print what follows"</a></span>
            </p>
        }
    });
    let early = printed.ended_early.then(|| {
        view! { <p class="banner is-warn">"The search for words ended before it had seen everything; events may be missing. Choose a shorter time."</p> }
    });
    let masked = words_on_masks(role);
    let by = format!("{} ({})", reader.name(), role.as_str());
    let back = if query.is_empty() {
        path::AUDIT.to_owned()
    } else {
        format!("{}?{query}", path::AUDIT)
    };
    view! {
        <div class="crumb">
            <h1>"Audit trail"</h1>
            <p class="live no-print"><a href=back>"Back to the trail"</a></p>
        </div>
        <p class="actions no-print">{print_button()}</p>
        <dl class="card pairs">
            <dt>"Panel"</dt><dd>{call.panel().public_url.to_string()}</dd>
            <dt>"What"</dt><dd>{said}</dd>
            <dt>"Events"</dt><dd>{numbers}", oldest first, times in UTC"</dd>
            <dt>"Printed by"</dt><dd>{by}</dd>
            <dt>"Printed"</dt><dd>{call.now().utc_text()}</dd>
            {masked}
        </dl>
        {rest}
        {early}
        {events(&printed.events, role)}
        {signed(checkpoint)}
    }
}

/// That something is not shown.
fn words_on_masks(role: Role) -> Option<AnyView> {
    domain::can::role_may(Some(role), Action::ViewPhoneNumbers)
        .is_err()
        .then(|| view! { <dt>"Masked"</dt><dd>"Phone numbers and addresses, as this role sees them"</dd> }.into_any())
}

fn events(events: &[AuditEvent], role: Role) -> Option<AnyView> {
    if events.is_empty() {
        return None;
    }
    let rows: Vec<_> = events
        .iter()
        .map(|event| {
            let what = &event.event;
            let mut parts: Vec<String> = Vec::new();
            parts.extend(
                what.reason
                    .as_deref()
                    .map(|reason| format!("“{}”", phones(reason, role))),
            );
            parts.extend(what.note.as_deref().map(|note| phones(note, role)));
            parts.extend(what.changes.iter().map(|change| changed(change, role)));
            parts.extend(from(&what.actor, role));
            let parts = (!parts.is_empty()).then(|| view! { <small>{parts.join(" · ")}</small> });
            view! {
                <tr>
                    <th scope="row">{event.sequence}</th>
                    <td data-label="When" class="nowrap">{event.at.utc_text().trim_end_matches(" UTC").to_owned()}</td>
                    <td data-label="What">{phones(&sentence(event), role)}{parts}</td>
                    <td data-label="Outcome">{capital(word(what.outcome))}</td>
                </tr>
            }
        })
        .collect();
    Some(
        view! {
            <h2>"Events"</h2>
            <div class="card long">
                <table>
                    <thead><tr><th scope="col">"Number"</th><th scope="col">"When"</th><th scope="col">"What"</th><th scope="col">"Outcome"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any(),
    )
}

/// `role: viewer → operator`.
fn changed(change: &Change, role: Role) -> String {
    if change.is_hidden() {
        return format!("{}: changed, not shown", change.what());
    }
    let value = |of: Option<&str>| of.map_or("–".to_owned(), |text| phones(text, role));
    format!(
        "{}: {} → {}",
        change.what(),
        value(change.before()),
        value(change.after())
    )
}

/// What makes the document more than paper: whoever has it can tell later that the trail was written anew.
fn signed(checkpoint: &Checkpoint) -> impl IntoView + use<> {
    let rows = [
        ("Hash", checkpoint.hash.to_string()),
        ("Signature (Ed25519)", checkpoint.signature.to_string()),
        ("Public key", checkpoint.key.to_string()),
        ("Key's fingerprint", fingerprint(&checkpoint.key)),
        (
            "What was signed",
            String::from_utf8(checkpoint.text()).unwrap_or_default(),
        ),
    ];
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(name, value)| view! { <dt>{name}</dt><dd class="digits">{value}</dd> })
        .collect();
    view! {
        <h2>"Checkpoint"</h2>
        <dl class="card pairs">
            <dt>"Last event"</dt><dd>{checkpoint.sequence}", signed "{checkpoint.at.utc_text()}</dd>
            {rows}
        </dl>
        <p class="hint">"The hash is that of the last event of the whole trail when this was printed, the note of the printing included. Nobody changes an event before it without changing this hash."</p>
    }
}
