//! Turns the browser's module and the style sheets into the folder that the panel serves under
//! `/assets/`: hashed names, ready-made brotli and gzip copies, and `site.json` saying what is what.

mod boot;
mod compress;
#[cfg(test)]
mod contrast;
mod css;
mod icons;
mod inputs;
mod manifest;
mod out;
mod script;
mod site;
#[cfg(test)]
mod testing;
mod tool;
mod wasm;

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Parser;

use crate::{
    site::{Plan, build},
    wasm::Optimize,
};

#[derive(Parser)]
#[command(about = "Bundles wasm, script, style and icons into the site folder")]
struct Args {
    /// The compiled frontend, straight from cargo
    #[arg(long)]
    wasm: PathBuf,
    /// The style sheet that imports all others; the folder `icons` beside it is taken along
    #[arg(long)]
    style: PathBuf,
    /// The site folder; replaced as a whole
    #[arg(long)]
    out: PathBuf,
    /// The program wasm-opt (npm's `binaryen` carries one)
    #[arg(long, required_unless_present = "no_wasm_opt")]
    wasm_opt: Option<PathBuf>,
    /// Ship the module unoptimised (about twice the size): for development
    #[arg(long, conflicts_with = "wasm_opt")]
    no_wasm_opt: bool,
    /// The program esbuild, to shorten the script; without it the script stays as generated
    #[arg(long)]
    esbuild: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let plan = Plan {
        wasm: args.wasm,
        style: args.style,
        out: args.out,
        optimize: args.wasm_opt.map_or(Optimize::Not, Optimize::With),
        esbuild: args.esbuild,
    };
    let report = build(&plan)?;
    write!(io::stdout().lock(), "{report}")?;
    Ok(())
}
