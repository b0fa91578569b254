//! Where checkpoints of the audit trail are sent, and how often the trail is reviewed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use adapter_mail::SmtpMail;
use domain::audit::{PublicKey, SHORTEST_KEEP_DAYS};
use domain::review::{OfficeHours, Policy, Rule};
use serde::Deserialize;
use url::{Host, Url};

use super::check::Faults;

/// The longest time from one review to the next.
const LONGEST_INTERVAL: u16 = 366;

/// As the file has it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAudit {
    checkpoint_url: Option<String>,
    checkpoint_keys: Option<Vec<String>>,
    mail_to: Option<String>,
    report_to: Option<Vec<String>>,
    alert_to: Option<Vec<String>>,
    alert_on: Option<Vec<String>>,
    review_every_days: Option<u16>,
    review_by: Option<String>,
    office_hours: Option<String>,
    office_zone: Option<String>,
    keep_days: Option<u16>,
    archive_dir: Option<PathBuf>,
}

/// Where checkpoints leave the house, and how often the trail is reviewed.
#[derive(Debug, Default)]
pub(crate) struct AuditConfig {
    /// Each one is posted there.
    pub(crate) checkpoint_url: Option<Url>,
    /// Whose signature counts; everybody's when nothing is said.
    pub(crate) checkpoint_keys: Vec<PublicKey>,
    /// The latest one of a day is mailed there.
    pub(crate) mail_to: Option<String>,
    /// Who gets the report of each month by mail.
    pub(crate) report_to: Vec<String>,
    /// Who is told of marked acts by mail.
    pub(crate) alert_to: Vec<String>,
    /// What marks them.
    pub(crate) alert_on: BTreeSet<Rule>,
    /// How often the trail is reviewed, and by whom.
    pub(crate) policy: Policy,
    /// When people are at work.
    pub(crate) office_hours: Option<OfficeHours>,
    /// How long events stay in the database; for ever when nothing is said.
    pub(crate) keep_days: Option<u16>,
    /// Where the files lie that older ones go to.
    pub(crate) archive_dir: PathBuf,
}

pub(super) fn check(
    raw: RawAudit,
    mail: Option<&SmtpMail>,
    data_dir: &Path,
    faults: &mut Faults,
) -> AuditConfig {
    let checkpoint_url = raw.checkpoint_url.and_then(|given| {
        let url = Url::parse(&given).ok().filter(is_safe);
        if url.is_none() {
            // It may hold a token: it is never quoted.
            faults.0.push(
                "audit.checkpoint_url: give https://, a host and a path that takes a POST"
                    .to_owned(),
            );
        }
        url
    });
    let given = raw.checkpoint_keys.unwrap_or_default();
    let mut checkpoint_keys = Vec::with_capacity(given.len());
    for key in given {
        match PublicKey::parse(key.trim()) {
            Some(key) => checkpoint_keys.push(key),
            None => faults.add(
                "audit.checkpoint_keys",
                &key,
                "give public keys of 64 hexadecimal digits, as the log of each start has the panel's",
            ),
        }
    }
    let mail_to = raw.mail_to.map(|to| vec![to]);
    let mail_to = addresses("audit.mail_to", mail_to, mail, faults).pop();
    let report_to = addresses("audit.report_to", raw.report_to, mail, faults);
    let alert_to = addresses("audit.alert_to", raw.alert_to, mail, faults);
    let alert_on = match raw.alert_on {
        Some(given) => rules(&given, faults),
        None => Rule::ALL.into(),
    };
    let every_days = raw
        .review_every_days
        .unwrap_or(Policy::default().every_days);
    if !(1..=LONGEST_INTERVAL).contains(&every_days) {
        let why = "give 1 to 366 days";
        faults.add("audit.review_every_days", &every_days.to_string(), why);
    }
    let zone = raw.office_zone.as_deref().unwrap_or("UTC");
    let office_hours = raw.office_hours.as_deref().and_then(|given| {
        let hours = OfficeHours::parse(given, zone);
        if hours.is_none() {
            let why = "give days and hours, as Mon-Fri 07:00-20:00, and office_zone as a POSIX rule, as \
                       CET-1CEST,M3.5.0,M10.5.0/3, or UTC";
            faults.add("audit.office_hours", given, why);
        }
        hours
    });
    if let Some(days) = raw.keep_days.filter(|days| *days < SHORTEST_KEEP_DAYS) {
        let why = "give 400 days or more, or leave it away to keep all events";
        faults.add("audit.keep_days", &days.to_string(), why);
    }
    let archive_dir = raw
        .archive_dir
        .unwrap_or_else(|| data_dir.join("audit-archive"));
    if !archive_dir.is_absolute() {
        let why = "give the whole path of a folder, from / on";
        faults.add("audit.archive_dir", &archive_dir.display().to_string(), why);
    }
    AuditConfig {
        keep_days: raw.keep_days,
        archive_dir,
        checkpoint_keys,
        checkpoint_url,
        mail_to,
        report_to,
        alert_to,
        alert_on,
        policy: Policy {
            every_days,
            by: raw.review_by.filter(|by| !by.trim().is_empty()),
        },
        office_hours,
    }
}

/// What marks an act.
fn rules(given: &[String], faults: &mut Faults) -> BTreeSet<Rule> {
    let mut rules = BTreeSet::new();
    for word in given {
        match Rule::parse(word) {
            Some(rule) => drop(rules.insert(rule)),
            None => {
                let known = Rule::ALL.map(Rule::as_str).join(", ");
                faults.add("audit.alert_on", word, &format!("give some of {known}"));
            }
        }
    }
    rules
}

/// Who gets mails, each once.
fn addresses(
    key: &str,
    given: Option<Vec<String>>,
    mail: Option<&SmtpMail>,
    faults: &mut Faults,
) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for to in given.unwrap_or_default() {
        let to = to.trim().to_owned();
        if !to.contains('@') || to.contains(char::is_whitespace) {
            faults.add(
                key,
                &to,
                "give mail addresses, for example auditor@example.org",
            );
        }
        if mail.is_none() {
            faults.add(
                key,
                &to,
                "the panel sends no mail: set mail_server_file, too",
            );
        }
        if !addresses.contains(&to) {
            addresses.push(to);
        }
    }
    addresses
}

/// In the clear only to this host itself.
fn is_safe(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}
