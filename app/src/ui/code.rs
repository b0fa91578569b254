//! A code as a drawing.

use std::fmt::Write as _;

use domain::scan::{Code, Picture};
use leptos::prelude::*;
use qrcode::{Color, EcLevel, QrCode};

/// Empty modules around it (ISO/IEC 18004 asks for four).
const QUIET: usize = 4;

/// The code, always dark on white: scanners expect that.
pub(crate) fn code(code: &Code) -> AnyView {
    const LABEL: &str = "The code to scan with WhatsApp";
    match code.picture() {
        Picture::Modules { side, dark, .. } => drawing(*side, dark, LABEL),
        Picture::Image => view! { <img src=code.image().to_owned() alt=LABEL/> }.into_any(),
    }
}

/// What opens a link on a phone that is held to the screen; `None` for a text that is too long for a code.
pub(crate) fn of_link(link: &str, label: &'static str) -> Option<AnyView> {
    let code = QrCode::with_error_correction_level(link, EcLevel::L).ok()?;
    let dark: Vec<bool> = code
        .to_colors()
        .iter()
        .map(|color| *color == Color::Dark)
        .collect();
    Some(drawing(code.width(), &dark, label))
}

fn drawing(side: usize, dark: &[bool], label: &'static str) -> AnyView {
    let whole = side + 2 * QUIET;
    let frame = format!("-{QUIET} -{QUIET} {whole} {whole}");
    let path = path(side, dark);
    view! {
        <svg viewBox=frame role="img" aria-label=label shape-rendering="crispEdges">
            <path class="dark" d=path></path>
        </svg>
    }
    .into_any()
}

/// Runs of dark modules, line by line.
fn path(side: usize, dark: &[bool]) -> String {
    let mut path = String::new();
    for (y, line) in dark.chunks(side.max(1)).enumerate() {
        let mut x = 0;
        for run in line.chunk_by(|one, next| one == next) {
            let wide = run.len();
            if run.first() == Some(&true) && write!(path, "M{x} {y}h{wide}v1h-{wide}z").is_err() {
                return path;
            }
            x += wide;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_dark_modules_become_bars() {
        let dark = [true, true, false, false, false, true, false, true, false];
        assert_eq!(path(3, &dark), "M0 0h2v1h-2zM2 1h1v1h-1zM1 2h1v1h-1z");
        assert_eq!(path(0, &[]), "");
    }
}
