//! The report of a month, put together for its page and for its mail.

use std::time::Duration;

use domain::credential::listed;
use domain::path;
use domain::ports::StoreError;
use domain::report::{Acted, Down, Month, Person, Report};
use domain::words;

use crate::pages::audit::sentences;
use crate::panel::Panel;
use crate::ui::said::capital;

const DAY: Duration = Duration::from_secs(86_400);
/// The most people of whom a mail tells.
const TOLD: usize = 20;
/// The most acts of each of them.
const ACTS: usize = 8;

/// What is known of a month now.
pub(crate) async fn read(panel: &Panel, month: Month) -> Result<Report, StoreError> {
    let now = panel.clock.now();
    let end = month.ends().min(now);
    let within = DAY * u32::from(panel.review_policy.every_days);
    let mut facts = panel.reports.facts(month.begins(), end, within).await?;
    let known = panel.trail.vocabulary().await?;
    let chain = panel.chain.standing().await?;
    let register = std::mem::take(&mut facts.credentials);
    let register = listed(register, &*panel.observations, end);
    let gateways = panel.observations.gateways();
    Ok(Report::new(
        month,
        now,
        facts,
        &known.people,
        gateways,
        register,
        chain,
    ))
}

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its subject.
    pub subject: String,
    /// Its text, in whole sentences.
    pub text: String,
}

/// A month's report as a mail; `None` when nothing was recorded in it. It names people, acts and gateways; neither
/// targets nor addresses, which not everybody may see.
///
/// # Errors
/// When the database fails.
pub async fn letter(panel: &Panel, month: Month) -> Result<Option<Letter>, StoreError> {
    let report = read(panel, month).await?;
    if report.is_empty() {
        return Ok(None);
    }
    let mut text = report.summary().join("\n");
    text.push_str("\n\n");
    let people = report.people.each.iter();
    for person in people.take(TOLD) {
        line(&mut text, &did(person));
    }
    let more = report.people.each.len().saturating_sub(TOLD);
    if more > 0 {
        line(
            &mut text,
            &format!(
                "The page has {}.",
                words::count(more as u64, "more", "more")
            ),
        );
    }
    for down in report.down.iter().filter(|down| !down.outages.is_empty()) {
        line(&mut text, &was_down(down));
    }
    for rotated in &report.facts.rotations {
        let of = rotated.gateway.as_ref();
        let of = of.map_or(String::new(), |gateway| format!(" of {gateway}"));
        let (by, at) = (rotated.rotation.by.name(), rotated.rotation.at.utc_date());
        line(
            &mut text,
            &format!("{}{of} was rotated by {by} on {at}.", rotated.title),
        );
    }
    for overdue in &report.overdue {
        let of = overdue.gateway.as_ref();
        let of = of.map_or(String::new(), |gateway| format!(" of {}", gateway.name));
        let due = overdue.due.words(month.ends().min(report.at));
        line(
            &mut text,
            &format!("{}{of} was {due}.", overdue.credential.title),
        );
    }
    let page = format!("{}{}?month={month}", panel.public_url, path::AUDIT_REPORT);
    line(
        &mut text,
        &format!("\nAll of it, to read and to print:\n{page}"),
    );
    Ok(Some(Letter {
        subject: format!("OpenClaw Panel: report of {}", month.title()),
        text,
    }))
}

fn line(text: &mut String, said: &str) {
    text.push_str(said);
    text.push('\n');
}

fn did(person: &Person) -> String {
    let acts: Vec<String> = person.acts.iter().take(ACTS).map(often).collect();
    let more = person.acts.len().saturating_sub(ACTS);
    let more = match more {
        0 => String::new(),
        more => format!(
            " and {}",
            words::count(more as u64, "other act", "other acts")
        ),
    };
    format!("{}: {}{more}.", capital(&person.name), acts.join(", "))
}

/// `restart 12 times (1 failed, 2 denied)`.
pub(crate) fn often(acted: &Acted) -> String {
    let title = sentences::title(&acted.action);
    let mut title = title.chars();
    let title: String = title.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(title).collect()
    });
    let times = match acted.times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{} times", words::thousands(many)),
    };
    let mut not = Vec::new();
    if acted.failed > 0 {
        not.push(format!("{} failed", words::thousands(acted.failed)));
    }
    if acted.denied > 0 {
        not.push(format!("{} denied", words::thousands(acted.denied)));
    }
    if not.is_empty() {
        format!("{title} {times}")
    } else {
        format!("{title} {times} ({})", not.join(", "))
    }
}

fn was_down(down: &Down) -> String {
    let times = words::count(down.outages.len() as u64, "time", "times");
    let planned = match down.planned() {
        0 => String::new(),
        planned => format!(", {planned} of them planned"),
    };
    format!(
        "{} was down {times}{planned}: {} in all, {} the longest.",
        down.gateway.name,
        words::duration(down.total()),
        words::duration(down.longest())
    )
}
