//! From cargo's wasm file to the pair that a browser loads: a module and the script that wires it.

use std::{fs, path::Path, path::PathBuf};

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::tool;

/// What rustc emits today and every targeted browser has; wasm-opt refuses what it was not told of.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

pub(crate) enum Optimize {
    With(PathBuf),
    Not,
}

pub(crate) struct Module {
    pub(crate) wasm: Vec<u8>,
    pub(crate) js: String,
}

/// Binds `input` for the web and optimises it; `scratch` is an empty folder to work in.
pub(crate) fn bind(input: &Path, optimize: &Optimize, scratch: &Path) -> Result<Module> {
    let mut bound = Bindgen::new()
        .input_path(input)
        .out_name("panel")
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .with_context(|| format!("cannot bind {}", input.display()))?;
    let snippets = bound.snippets().values().flatten().count() + bound.local_modules().len();
    if snippets > 0 {
        bail!(
            "a crate in the frontend brings JavaScript of its own, which the site folder has no place for"
        );
    }
    let js = bound.js().to_owned();
    let plain = bound.wasm_mut().emit_wasm();
    let wasm = match optimize {
        Optimize::With(program) => shrink(program, &plain, scratch)?,
        Optimize::Not => plain,
    };
    ensure!(
        wasm.starts_with(b"\0asm"),
        "what came out is not a wasm module"
    );
    Ok(Module { wasm, js })
}

fn shrink(program: &Path, plain: &[u8], scratch: &Path) -> Result<Vec<u8>> {
    let (before, after) = (scratch.join("before.wasm"), scratch.join("after.wasm"));
    fs::write(&before, plain)?;
    let mut args = vec!["-Oz".into()];
    args.extend(FEATURES.map(Into::into));
    args.extend([
        before.into_os_string(),
        "-o".into(),
        after.clone().into_os_string(),
    ]);
    tool::run(program, args)?;
    fs::read(&after).context("wasm-opt left no module behind")
}
