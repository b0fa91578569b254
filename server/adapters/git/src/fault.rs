//! Faults as sentences that say what to do.

use std::io::{self, ErrorKind};
use std::path::Path;

use domain::fault::{Boundary, Fault, FaultKind};
use domain::scrub::Scrubber;

pub(crate) fn repository(kind: FaultKind, message: impl Into<String>) -> Fault {
    Fault::new(kind, Boundary::Repository, message)
}

/// What went wrong while `doing` something to a file.
pub(crate) fn file(doing: &str, path: &Path, error: &io::Error) -> Fault {
    let (kind, what_to_do) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            (FaultKind::Refused, " Free some disk space, then try again.")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            FaultKind::Refused,
            " Let the panel's user write there, best as the owner of the clone.",
        ),
        _ => (FaultKind::Unexpected, ""),
    };
    let path = path.display();
    repository(
        kind,
        format!("The panel failed while {doing} {path}: {error}.{what_to_do}"),
    )
}

/// What git complained of, in one line, without what a URL or a message may hold.
pub(crate) fn complaint(stderr: &str) -> String {
    let told = |line: &&str| line.starts_with("fatal:") || line.starts_with("error:");
    let line = stderr.lines().find(told).or_else(|| stderr.lines().last());
    let line = line.unwrap_or("it does not say why").trim();
    let bare: Vec<String> = line.split(' ').map(without_user).collect();
    let said = Scrubber::default().scrub(&bare.join(" "));
    let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
    said.trim_end_matches('.').to_owned()
}

/// `https://name:password@host/` without the part before `@`.
fn without_user(word: &str) -> String {
    match word.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://{host}"),
            None => word.to_owned(),
        },
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_one_line_without_a_password() {
        let said = "remote: hello\nfatal: unable to access 'https://anna:hunter22@git.example.org/infra/': no.\nx";
        assert_eq!(
            complaint(said),
            "fatal: unable to access 'https://git.example.org/infra/': no"
        );
        assert_eq!(complaint(""), "it does not say why");
    }
}
