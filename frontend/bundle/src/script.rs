//! The generated script, shortened where esbuild is at hand. It is 6 kB on the wire either way.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::tool;

pub(crate) fn shorten(script: String, esbuild: Option<&Path>, scratch: &Path) -> Result<String> {
    let Some(esbuild) = esbuild else {
        return Ok(script);
    };
    let file = scratch.join("script.js");
    fs::write(&file, script)?;
    let args = [
        "--minify",
        "--format=esm",
        "--target=es2022",
        "--log-level=warning",
    ];
    let short = tool::run(
        esbuild,
        args.map(AsRef::as_ref)
            .into_iter()
            .chain([file.as_os_str()]),
    )?;
    String::from_utf8(short).context("esbuild wrote something that is not text")
}
