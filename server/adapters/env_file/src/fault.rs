//! Faults, as sentences.

use std::io::{self, ErrorKind};
use std::path::Path;

use domain::fault::{Boundary, Fault, FaultKind};

/// The file cannot be changed as it stands.
pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Invalid, Boundary::Compose, message)
}

/// What went wrong while `doing` something to a file.
pub(crate) fn file(at: Boundary, doing: &str, path: &Path, error: &io::Error) -> Fault {
    let (kind, what_to_do) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            (FaultKind::Refused, " Free some disk space, then try again.")
        }
        ErrorKind::PermissionDenied => (
            FaultKind::Refused,
            " Let the panel's user read and write it and its folder.",
        ),
        ErrorKind::ReadOnlyFilesystem => (
            FaultKind::Refused,
            " Its disk is mounted read-only; mount it for writing.",
        ),
        _ => (FaultKind::Unexpected, ""),
    };
    let path = path.display();
    Fault::new(
        kind,
        at,
        format!("The panel failed while {doing} `{path}`: {error}.{what_to_do}"),
    )
}
