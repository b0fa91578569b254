//! One style sheet out of many, minified for the browsers of today.

use std::{fmt::Display, fs, path::Path};

use anyhow::{Context, Result, anyhow};
use lightningcss::{
    bundler::{Bundler, FileProvider},
    printer::PrinterOptions,
    stylesheet::{MinifyOptions, ParserOptions},
    targets::{Browsers, Features, Targets},
};

/// The first versions with `light-dark()`, nesting and alternative texts for generated content:
/// nothing is rewritten for older ones, where the page stays readable but plain.
const BROWSERS: Browsers = Browsers {
    android: Some(123 << 16),
    chrome: Some(123 << 16),
    edge: Some(123 << 16),
    firefox: Some(128 << 16),
    ios_saf: Some(17 << 16 | 5 << 8),
    safari: Some(17 << 16 | 5 << 8),
    ie: None,
    opera: None,
    samsung: Some(27 << 16),
};

pub(crate) fn bundle(main: &Path) -> Result<String> {
    let main = fs::canonicalize(main).with_context(|| format!("no {}", main.display()))?;
    let files = FileProvider::new();
    let mut sheet = Bundler::new(&files, None, ParserOptions::default())
        .bundle(&main)
        .map_err(located)?;
    let targets = Targets {
        exclude: Features::Nesting,
        ..Targets::from(BROWSERS)
    };
    sheet
        .minify(MinifyOptions {
            targets,
            ..MinifyOptions::default()
        })
        .map_err(|error| anyhow!("{error}"))?;
    let options = PrinterOptions {
        minify: true,
        targets,
        ..PrinterOptions::default()
    };
    Ok(sheet.to_css(options).map_err(located)?.code)
}

/// Errors borrow from the sheets, and count lines from zero.
fn located<T: Display>(error: lightningcss::error::Error<T>) -> anyhow::Error {
    match error.loc {
        Some(at) => anyhow!(
            "{}:{}:{}: {}",
            at.filename,
            at.line + 1,
            at.column,
            error.kind
        ),
        None => anyhow!("{}", error.kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{compress::Copies, testing};

    #[test]
    fn imports_become_one_small_sheet() {
        let folder = testing::folder("css-imports");
        fs::create_dir(folder.join("parts")).unwrap();
        fs::write(folder.join("main.css"), r#"@import "parts/a.css";"#).unwrap();
        fs::write(
            folder.join("parts/a.css"),
            "p {\n  & a { color: light-dark(#ffffff, #000) }\n}",
        )
        .unwrap();
        assert_eq!(
            bundle(&folder.join("main.css")).unwrap(),
            "p{& a{color:light-dark(#fff,#000)}}"
        );
    }

    #[test]
    fn a_fault_says_where_it_is() {
        let folder = testing::folder("css-fault");
        fs::write(folder.join("main.css"), "p { color: red }\n}").unwrap();
        let error = bundle(&folder.join("main.css")).unwrap_err().to_string();
        assert!(error.contains("main.css:2"), "{error}");
    }

    #[test]
    fn a_missing_sheet_is_named() {
        let error = bundle(Path::new("/nowhere/main.css"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nowhere/main.css"), "{error}");
    }

    #[test]
    fn our_own_style_stays_within_its_budget() {
        let css = bundle(&testing::style().join("main.css")).unwrap();
        let brotli = Copies::of(css.as_bytes()).unwrap().brotli.unwrap().len();
        assert!(brotli <= 9_000, "the style is {brotli} bytes in brotli");
    }

    #[test]
    fn a_shape_keeps_its_empty_alternative_and_the_fallback_before_it() {
        let css = bundle(&testing::style().join("main.css")).unwrap();
        assert!(
            css.contains(r#"content:var(--shape);content:var(--shape) / """#),
            "{css}"
        );
    }
}
