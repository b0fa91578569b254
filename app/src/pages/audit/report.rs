//! The report of a month: calm and dense, to be read in two minutes and to be printed.

mod sections;

use domain::action::Action;
use domain::path;
use domain::report::{Month, Report};
use domain::time::Timestamp;
use leptos::prelude::*;

use super::super::{Asked, Page};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::reports;
use crate::ui::moment;

const NO_MONTH: &str = "Give a month as 2026-10.";
const NOT_BEGUN: &str = "That month has not begun yet.";

/// The button that prints, and what helps where it is not there.
pub(super) fn print_button() -> impl IntoView {
    view! {
        <button class="btn" type="button" hidden=true data-print="">"Print"</button>
        <span class="hint no-print">"“Save as PDF” in the browser's print keeps it as a file."</span>
    }
}

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    call.permit(Action::ViewAudit, None).await?;
    let now = call.now();
    let (month, wrong) = month(asked, now);
    let report = match wrong {
        None => Some(reports::read(call.panel(), month).await).transpose(),
        Some(_) => Ok(None),
    };
    let report = report.or_say(|| call.error_id())?;
    let title = format!("Report of {}", month.title());
    let heading = match &report {
        Some(_) => title.clone(),
        None => "Report".to_owned(),
    };
    let body = match &report {
        Some(report) => told(call, report),
        None => view! {
            <div class="card empty"><h2>"Nothing is shown"</h2><p>"The month cannot be read; the field says what helps."</p></div>
        }
        .into_any(),
    };
    let content = view! {
        <div class="crumb">
            <h1><a href=path::AUDIT>"Audit"</a>{format!(" / {heading}")}</h1>
            <p class="live">{report.as_ref().map(told_at)}</p>
        </div>
        {choice(month, wrong, asked, now)}
        {body}
    }
    .to_html();
    let title = if report.is_some() {
        title
    } else {
        "Report".to_owned()
    };
    Ok(Page::new(title, moment::fill(&content, now)).at("audit"))
}

/// Which month, and what is wrong with what was asked for.
fn month(asked: &Asked, now: Timestamp) -> (Month, Option<&'static str>) {
    let last = Month::last_whole(now);
    match asked.get("month").trim() {
        "" => (last, None),
        given => match Month::parse(given) {
            None => (last, Some(NO_MONTH)),
            Some(month) if month.begins() > now => (last, Some(NOT_BEGUN)),
            Some(month) => (month, None),
        },
    }
}

fn told_at(report: &Report) -> String {
    let at = report.at.utc_text();
    if report.is_whole() {
        format!("as known {at}")
    } else {
        format!("so far, {at}")
    }
}

fn url(month: Month) -> String {
    format!("{}?month={month}", path::AUDIT_REPORT)
}

/// The months beside it, any other one, and print.
fn choice(month: Month, wrong: Option<&'static str>, asked: &Asked, now: Timestamp) -> AnyView {
    let before = month.previous().map(|month| {
        view! { <a class="btn" rel="prev" href=url(month)>{month.title()}</a> }
    });
    let after = month.next().filter(|month| month.begins() <= now);
    let after = after.map(|month| {
        view! { <a class="btn" rel="next" href=url(month)>{month.title()}</a> }
    });
    let value = match (wrong, asked.get("month")) {
        (Some(_), given) => given.to_owned(),
        (None, _) => month.to_string(),
    };
    // The browser's own field shows nothing but months; what is none must not be lost.
    let kind = if Month::parse(&value).is_some() {
        "month"
    } else {
        "text"
    };
    let error = wrong.map(|why| view! { <p class="error" id="month-error">{why}</p> });
    let print = wrong.is_none().then(print_button);
    view! {
        <nav class="filters" aria-label="Other months">
            {before}{after}
            <form class="actions" method="get" action=path::AUDIT_REPORT>
                <label for="month">"Month"</label>
                <input id="month" name="month" type=kind value=value placeholder="2026-10" maxlength="20"
                    aria-invalid=wrong.map(|_| "true") aria-describedby=wrong.map(|_| "month-error")/>
                <button class="btn">"Show"</button>
                {error}
            </form>
            <span class="end actions">{print}</span>
        </nav>
    }
    .into_any()
}

fn told(call: &Call, report: &Report) -> AnyView {
    let sentences = report.summary().into_iter();
    let sentences: Vec<_> = sentences.map(|said| view! { <li>{said}</li> }).collect();
    let role = call.role();
    view! {
        <ul class="card pad summary" role="list" id="summary">{sentences}</ul>
        {sections::people(report)}
        {sections::operations(report)}
        {sections::outages(report)}
        {sections::rotations(report, role)}
        {sections::overdue(report)}
        {sections::refused(report, role)}
        {sections::marked(report, role)}
        {sections::reviews(report)}
        {sections::questions(report, role)}
        {sections::chain(report)}
        {sections::events(report)}
    }
    .into_any()
}
