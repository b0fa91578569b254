//! A code in the terminal, for `panel operation start relink` and `recover`.

use std::convert::Infallible;

use domain::operation::OperationId;
use domain::ports::{Clock, Scans as _};
use domain::scan::{Picture, Scan};
use domain::words;

use super::out;
use crate::wire::ScanBoard;

/// Empty modules around it.
const QUIET: isize = 2;

/// Prints every code that the operation shows, until dropped.
pub(super) async fn print(id: OperationId, scans: &ScanBoard, clock: &dyn Clock) -> Infallible {
    let mut changes = scans.changes();
    let mut last = None;
    loop {
        let scan = scans.of(id);
        if scan != last {
            if let Some(said) = scan.as_ref().and_then(|scan| said(scan, clock)) {
                out::line(&said);
            }
            last = scan;
        }
        // Closed only when the program ends.
        if let Err(tokio::sync::broadcast::error::RecvError::Closed) = changes.recv().await {
            std::future::pending::<()>().await;
        }
    }
}

fn said(scan: &Scan, clock: &dyn Clock) -> Option<String> {
    match scan {
        Scan::Showing {
            code, good_until, ..
        } => {
            let left = words::duration(good_until.since(clock.now()));
            let Picture::Modules { side, dark, .. } = code.picture() else {
                return Some(
                    "    The code cannot be drawn here: open the panel's page.".to_owned(),
                );
            };
            let drawn = drawn(*side, dark);
            Some(format!(
                "\n{drawn}\n    Scan it with WhatsApp (Linked devices, Link a device) within {left}."
            ))
        }
        Scan::Spent { until } => Some(format!(
            "    The last code was scanned already; a new one comes within {}.",
            words::duration(until.since(clock.now()))
        )),
        Scan::Renewing => Some("    A new code comes in a few seconds.".to_owned()),
        Scan::Preparing | Scan::Scanned => None,
    }
}

/// Two modules a character, light ones drawn: terminals are mostly dark, and scanners want dark on light.
fn drawn(side: usize, dark: &[bool]) -> String {
    let side = isize::try_from(side).unwrap_or(0);
    let light = |x: isize, y: isize| {
        let inside = (0..side).contains(&x) && (0..side).contains(&y);
        let at = usize::try_from(y * side + x).unwrap_or(usize::MAX);
        !(inside && dark.get(at).copied().unwrap_or(false))
    };
    let mut text = String::new();
    let mut y = -QUIET;
    while y < side + QUIET {
        for x in -QUIET..side + QUIET {
            text.push(match (light(x, y), light(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        text.push('\n');
        y += 2;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dark_modules_are_left_out_of_a_light_square() {
        let text = drawn(2, &[true, false, false, true]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines, ["██████", "██▄▀██", "██████"]);
    }
}
