//! The fingerprint of all that decides what the site folder looks like.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::{site::Plan, tool, wasm::Optimize};

pub(crate) fn fingerprint(plan: &Plan) -> Result<String> {
    let mut hash = Fields(Sha256::new());
    hash.add("bundler", &this_program()?);
    hash.add("wasm", &read(&plan.wasm)?);
    for file in style_files(&plan.style)? {
        hash.add(&file.to_string_lossy(), &read(&file)?);
    }
    match &plan.optimize {
        Optimize::With(program) => hash.add("wasm-opt", &tool::run(program, ["--version"])?),
        Optimize::Not => hash.add("wasm-opt", b"none"),
    }
    if let Some(esbuild) = &plan.esbuild {
        hash.add("esbuild", &tool::run(esbuild, ["--version"])?);
    }
    Ok(hex::encode(hash.0.finalize()))
}

/// A hash over named fields with their lengths, so that no two lists of fields look alike.
struct Fields(Sha256);

impl Fields {
    fn add(&mut self, name: &str, value: &[u8]) {
        for part in [name.as_bytes(), value] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }
}

/// A newer bundler may bundle differently. Reading the whole program would take longer than bundling.
fn this_program() -> Result<Vec<u8>> {
    let program = fs::metadata(std::env::current_exe()?)?;
    Ok(format!(
        "{} {}.{}",
        program.len(),
        program.mtime(),
        program.mtime_nsec()
    )
    .into_bytes())
}

/// Everything beside the main sheet that can end up in the folder, in a fixed order.
fn style_files(main: &Path) -> Result<Vec<PathBuf>> {
    let folder = main.parent().unwrap_or(Path::new("."));
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|end| end != "html") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
