//! Where checkpoints of the audit trail are sent.

use adapter_mail::SmtpMail;
use serde::Deserialize;
use url::{Host, Url};

use super::check::Faults;

/// As the file has it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAudit {
    checkpoint_url: Option<String>,
    mail_to: Option<String>,
}

/// Where checkpoints leave the house.
#[derive(Debug, Default)]
pub(crate) struct AuditConfig {
    /// Each one is posted there.
    pub(crate) checkpoint_url: Option<Url>,
    /// The latest one of a day is mailed there.
    pub(crate) mail_to: Option<String>,
}

pub(super) fn check(raw: RawAudit, mail: Option<&SmtpMail>, faults: &mut Faults) -> AuditConfig {
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
    if let Some(to) = &raw.mail_to {
        let key = "audit.mail_to";
        if !to.contains('@') || to.contains(char::is_whitespace) {
            faults.add(key, to, "give one mail address");
        }
        if mail.is_none() {
            faults.add(
                key,
                to,
                "the panel sends no mail: set mail_server_file, too",
            );
        }
    }
    AuditConfig {
        checkpoint_url,
        mail_to: raw.mail_to,
    }
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
