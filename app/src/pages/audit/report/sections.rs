//! The parts of the report: a heading and a table each, and nothing where there is nothing to tell.

use domain::audit::AuditOutcome;
use domain::path;
use domain::person::Role;
use domain::report::{LISTED, Report, fingerprint};
use domain::time::Timestamp;
use domain::words::{self, thousands};
use leptos::prelude::*;

use super::super::rows::from;
use super::super::sentences;
use crate::reports::often;
use crate::ui::said::{capital, phones};

/// A heading and a table; the first column names its row.
fn table(
    title: &'static str,
    caption: String,
    columns: &[&'static str],
    rows: Vec<AnyView>,
) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let columns: Vec<_> = columns
        .iter()
        .map(|column| view! { <th scope="col">{*column}</th> })
        .collect();
    Some(
        view! {
            <h2>{title}</h2>
            <div class="card">
                <table>
                    <caption>{caption}</caption>
                    <thead><tr>{columns}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any(),
    )
}

fn row(name: AnyView, cells: Vec<(&'static str, String)>) -> AnyView {
    let cells: Vec<_> = cells
        .into_iter()
        .map(|(label, value)| view! { <td data-label=label>{value}</td> })
        .collect();
    view! { <tr><th scope="row">{name}</th>{cells}</tr> }.into_any()
}

pub(super) fn people(report: &Report) -> Option<AnyView> {
    let each = report.people.each.iter();
    let rows = each.map(|person| {
        let acts: Vec<String> = person.acts.iter().map(often).collect();
        row(
            person.name.clone().into_any(),
            vec![
                ("Events", thousands(person.events)),
                ("What", capital(&acts.join(", "))),
            ],
        )
    });
    table(
        "Who did what",
        "Events are counted one by one; an act that was asked for and then done is one act."
            .to_owned(),
        &["Who", "Events", "What, and how often"],
        rows.collect(),
    )
}

pub(super) fn operations(report: &Report) -> Option<AnyView> {
    let outcomes = [
        AuditOutcome::Succeeded,
        AuditOutcome::Failed,
        AuditOutcome::Undone,
        AuditOutcome::Denied,
    ];
    let rows = report.operations.iter().map(|kind| {
        let mut cells = vec![("In all", thousands(kind.total()))];
        let labels = ["Done", "Failed", "Put back", "Denied"];
        let each = labels.into_iter().zip(outcomes);
        cells.extend(each.map(|(label, outcome)| (label, thousands(kind.of(outcome)))));
        cells.push(("Not ended", thousands(kind.of(AuditOutcome::Requested))));
        row(sentences::title(&kind.action).into_any(), cells)
    });
    table(
        "Operations",
        "What was done to gateways, by kind, and what became of it.".to_owned(),
        &[
            "Operation",
            "In all",
            "Done",
            "Failed",
            "Put back",
            "Denied",
            "Not ended",
        ],
        rows.collect(),
    )
}

pub(super) fn outages(report: &Report) -> Option<AnyView> {
    let rows = report.down.iter().map(|down| {
        let outages = down.outages.len() as u64;
        let time = |of| match outages {
            0 => "–".to_owned(),
            _ => words::duration(of),
        };
        row(
            down.gateway.name.clone().into_any(),
            vec![
                ("Outages", thousands(outages)),
                ("Planned", thousands(down.planned())),
                ("In all", time(down.total())),
                ("Longest", time(down.longest())),
            ],
        )
    });
    table(
        "Outages",
        "While a gateway's URL, process, container or WhatsApp session was down. What the panel did not see while it did not run is not in it.".to_owned(),
        &["Gateway", "Outages", "Of these planned", "In all", "The longest"],
        rows.collect(),
    )
}

pub(super) fn rotations(report: &Report, role: Role) -> Option<AnyView> {
    let rows = report.facts.rotations.iter().map(|rotated| {
        let of = rotated.gateway.as_ref().map(ToString::to_string);
        let name = view! { {rotated.title.clone()}{of.map(|of| format!(", {of}"))} };
        let note = rotated.rotation.note.as_deref();
        let note = note.map_or(String::new(), |note| format!(" “{}”", phones(note, role)));
        row(
            name.into_any(),
            vec![
                ("When", rotated.rotation.at.utc_date()),
                ("By", rotated.rotation.by.name().to_owned()),
                (
                    "Why",
                    format!("{}{note}", rotated.rotation.cause.sentence()),
                ),
            ],
        )
    });
    table(
        "Rotated",
        "Credentials that were changed in the month, oldest first.".to_owned(),
        &["Credential", "When", "By", "Why"],
        rows.collect(),
    )
}

pub(super) fn overdue(report: &Report) -> Option<AnyView> {
    let end = report.month.ends().min(report.at);
    let rows = report.overdue.iter().map(|listed| {
        let credential = &listed.credential;
        let of = listed.gateway.as_ref().map(|gateway| gateway.name.clone());
        let name = view! {
            <a href=path::credential(credential.id)>{credential.title.clone()}</a>
            {of.map(|of| view! { <small>{of}</small> })}
        };
        let due = listed.due.at();
        row(
            name.into_any(),
            vec![
                ("Due", due.map_or("–".to_owned(), Timestamp::utc_date)),
                ("Then", listed.due.words(end)),
                (
                    "Owner",
                    match credential.owner.as_str() {
                        "" => "nobody".to_owned(),
                        owner => owner.to_owned(),
                    },
                ),
            ],
        )
    });
    let when = if report.is_whole() {
        "at the end of the month"
    } else {
        "now"
    };
    table(
        "Overdue",
        format!(
            "Credentials that were overdue {when}, by the intervals that the register has today."
        ),
        &["Credential", "Due", "Then", "Owner"],
        rows.collect(),
    )
}

/// A list that is longer than what is shown.
fn caption(said: &str, number: usize) -> String {
    if number > LISTED {
        format!("{said} There are more than these {LISTED}; the trail has them all.")
    } else {
        said.to_owned()
    }
}

pub(super) fn refused(report: &Report, role: Role) -> Option<AnyView> {
    let refused = &report.facts.refused;
    let rows = refused.iter().take(LISTED).map(|one| {
        let account = one
            .account
            .as_deref()
            .unwrap_or("Nobody of the name that was given");
        row(
            phones(account, role).into_any(),
            vec![
                ("Refused", words::count(one.count, "time", "times")),
                ("From", words::count(one.addresses, "address", "addresses")),
                ("Last", one.last_at.utc_text()),
            ],
        )
    });
    table(
        "Sign-ins that were refused",
        caption("By account, the most first.", refused.len()),
        &["Account", "Refused", "From", "The last time"],
        rows.collect(),
    )
}

pub(super) fn marked(report: &Report, role: Role) -> Option<AnyView> {
    let marked = &report.facts.marked;
    let rows = marked.iter().take(LISTED).map(|event| {
        let said = phones(&sentences::sentence(event), role);
        let name = view! { <a href=path::audit_event(event.sequence)>{said}</a> };
        let from = from(&event.event.actor, role);
        row(
            name.into_any(),
            vec![("When", event.at.utc_text()), ("From", from.join(" · "))],
        )
    });
    table(
        "New browsers and ways in",
        caption(
            "Sign-ins with a new browser; passkeys and tokens that were made; people connected to the identity provider; passkeys, \
             second factors and passwords that were taken away. Newest first.",
            marked.len(),
        ),
        &["What", "When", "From"],
        rows.collect(),
    )
}

pub(super) fn reviews(report: &Report) -> AnyView {
    let rows = report.facts.reviews.iter().map(|one| {
        row(
            one.by.clone().into_any(),
            vec![
                ("Said", one.verdict.title().to_owned()),
                ("Reviews", thousands(one.reviews)),
                ("Events", thousands(one.events)),
            ],
        )
    });
    let late = report.facts.late_since.map(|since| {
        let late = report.facts.late;
        let said = format!(
            "{} waited longer than the policy allows, the oldest since {}. ",
            words::count(late, "event", "events"),
            since.utc_date()
        );
        view! { <p class="hint">{said}<a href=path::REVIEW>"What waits now"</a></p> }
    });
    let rows: Vec<AnyView> = rows.collect();
    let table = table(
        "Reviews",
        "What was signed off, asked or noted to be followed up in the month.".to_owned(),
        &["Who", "Said", "Reviews", "Events"],
        rows,
    );
    view! { {table}{late} }.into_any()
}

pub(super) fn questions(report: &Report, role: Role) -> Option<AnyView> {
    let questions = &report.facts.questions;
    let rows = questions.iter().take(LISTED).map(|review| {
        let comment = review.comment.as_deref().unwrap_or_default();
        let said = format!("“{}”", phones(comment, role));
        let name = match review.covers.first() {
            Some(first) => view! { <a href=path::audit_event(first)>{said}</a> }.into_any(),
            None => said.into_any(),
        };
        let asked = review.asked.as_ref();
        row(
            name,
            vec![
                ("By", review.by.name().to_owned()),
                (
                    "To",
                    asked.map_or(String::new(), |asked| asked.name.clone()),
                ),
                ("Since", review.at.utc_date()),
            ],
        )
    });
    table(
        "Open questions",
        caption(
            "Nobody had answered them by the end of the month.",
            questions.len(),
        ),
        &["Question", "By", "To", "Since"],
        rows.collect(),
    )
}

pub(super) fn chain(report: &Report) -> AnyView {
    let checkpoints = words::count(report.facts.checkpoints, "checkpoint", "checkpoints");
    let last = report.facts.checkpoint.as_ref();
    let rows = last.map(|last| {
        let number = thousands(u64::try_from(last.sequence).unwrap_or_default());
        view! {
            <dt>"Last event"</dt><dd>{number}", signed "{last.at.utc_text()}</dd>
            <dt>"Hash"</dt><dd class="digits">{last.hash.to_string()}</dd>
            <dt>"Signature"</dt><dd class="digits">{last.signature.to_string()}</dd>
            <dt>"Key's fingerprint"</dt><dd class="digits">{fingerprint(&last.key)}</dd>
        }
    });
    let checked = report.chain.last.as_ref();
    let checked =
        checked.map(|check| format!("{} Checked {}.", check.sentence(), check.at.utc_text()));
    view! {
        <h2>"The chain"</h2>
        <dl class="card pairs">
            <dt>"Checks"</dt>
            <dd>{format!("{} in the month, {} of them found something", thousands(report.facts.checks), thousands(report.facts.broken))}</dd>
            <dt>"Now"</dt>
            <dd>{checked.unwrap_or_else(|| "It was not checked yet.".to_owned())}</dd>
            <dt>"Signed"</dt>
            <dd>{format!("{checkpoints} in the month")}</dd>
            {rows}
        </dl>
    }
    .into_any()
}

/// The way to the events themselves.
pub(super) fn events(report: &Report) -> AnyView {
    let last = report.month.ends().minus(std::time::Duration::from_secs(1));
    let span = format!(
        "span=range&from={}&to={}",
        report.month.begins().utc_date(),
        last.utc_date()
    );
    let bad = [
        (AuditOutcome::Failed, "What failed"),
        (AuditOutcome::Denied, "What was denied"),
    ];
    let bad = bad.map(|(outcome, said)| {
        let to = format!("{}?{span}&outcome={}", path::AUDIT, outcome.as_str());
        view! { <a class="btn" href=to>{said}</a> }
    });
    view! {
        <p class="actions">
            <a class="btn" href=format!("{}?{span}", path::AUDIT)>"All events of the month"</a>
            {Vec::from(bad)}
            <a class="btn" href=format!("{}?{span}", path::AUDIT_PRINT)>"Print its events"</a>
        </p>
    }
    .into_any()
}
