//! Faults of the folder and of the encryption, as sentences.

use std::io::{self, ErrorKind};
use std::path::Path;

use domain::fault::{Boundary, Fault, FaultKind};

pub(crate) fn panel(kind: FaultKind, message: impl Into<String>) -> Fault {
    Fault::new(kind, Boundary::Panel, message)
}

/// What went wrong while `doing` something to a file of the folder.
pub(crate) fn file(doing: &str, path: &Path, error: &io::Error) -> Fault {
    let (kind, what_to_do) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            (FaultKind::Refused, " Free some disk space, then try again.")
        }
        ErrorKind::PermissionDenied => (
            FaultKind::Refused,
            " Make the panel's user the owner of the folder.",
        ),
        _ => (FaultKind::Unexpected, ""),
    };
    let path = path.display();
    panel(
        kind,
        format!("The panel failed while {doing} `{path}`: {error}.{what_to_do}"),
    )
}
