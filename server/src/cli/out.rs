//! Words on the terminal.

use std::io::Write as _;

/// A line on standard output; a closed pipe is no fault.
pub(crate) fn line(text: &str) {
    let _closed = writeln!(std::io::stdout().lock(), "{text}");
}

/// A line on standard error that is no complaint, where standard output is a file.
pub(super) fn aside(text: &str) {
    let _closed = writeln!(std::io::stderr().lock(), "{text}");
}

/// A sentence on standard error.
pub(super) fn error(text: &str) {
    let _closed = writeln!(std::io::stderr().lock(), "panel: {text}");
}
