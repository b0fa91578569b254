//! `site.json`: what the server needs to know about the folder, read once at its start.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Result;
use serde::{Deserialize, Serialize};

pub(crate) const FILE: &str = "site.json";

#[derive(Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Fingerprint of all that went in; equal means nothing to do.
    pub(crate) inputs: String,
    pub(crate) css: String,
    pub(crate) boot: String,
    pub(crate) js: String,
    pub(crate) wasm: String,
    /// Name in the source folder → name here.
    pub(crate) icons: BTreeMap<String, String>,
    /// Every file here but this one.
    pub(crate) sizes: BTreeMap<String, Sizes>,
}

/// Bytes; no number where there is no such copy.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) raw: usize,
    pub(crate) gzip: Option<usize>,
    pub(crate) brotli: Option<usize>,
}

impl Manifest {
    /// The manifest of `folder`, if there is one and all it names is there.
    pub(crate) fn of_whole(folder: &Path) -> Option<Self> {
        let manifest: Self = serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()?;
        let whole = manifest.sizes.iter().all(|(name, sizes)| {
            let there = |name: String| folder.join(name).is_file();
            there(name.clone())
                && (sizes.gzip.is_none() || there(format!("{name}.gz")))
                && (sizes.brotli.is_none() || there(format!("{name}.br")))
        });
        whole.then_some(manifest)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        Ok(fs::write(folder.join(FILE), json)?)
    }

    /// Bytes on the wire of a first load, icons left out.
    pub(crate) fn first_load(&self) -> usize {
        [&self.css, &self.boot, &self.js, &self.wasm]
            .iter()
            .filter_map(|name| self.sizes.get(*name))
            .map(|sizes| sizes.brotli.unwrap_or(sizes.raw))
            .sum()
    }
}
