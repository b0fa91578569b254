//! The folder that is being made: each file under its hash, with its copies, measured.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::{compress::Copies, manifest::Sizes};

/// Ten hex digits: 40 bits, among a handful of files.
const DIGITS: usize = 10;

pub(crate) struct Out {
    pub(crate) folder: PathBuf,
    pub(crate) sizes: BTreeMap<String, Sizes>,
}

impl Out {
    /// An empty folder; what was left there by a run that died is removed.
    pub(crate) fn new(folder: PathBuf) -> Result<Self> {
        remove(&folder)?;
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self {
            folder,
            sizes: BTreeMap::new(),
        })
    }

    /// Writes `content` as `<stem>-<hash>.<end>` with its copies and returns that name.
    pub(crate) fn add(&mut self, stem: &str, end: &str, content: &[u8]) -> Result<String> {
        let hash = &hex::encode(Sha256::digest(content))[..DIGITS];
        let name = format!("{stem}-{hash}.{end}");
        let copies = Copies::of(content)?;
        fs::write(self.folder.join(&name), content)?;
        for (end, copy) in [("br", &copies.brotli), ("gz", &copies.gzip)] {
            if let Some(copy) = copy {
                fs::write(self.folder.join(format!("{name}.{end}")), copy)?;
            }
        }
        let sizes = Sizes {
            raw: content.len(),
            gzip: copies.gzip.map(|copy| copy.len()),
            brotli: copies.brotli.map(|copy| copy.len()),
        };
        self.sizes.insert(name.clone(), sizes);
        Ok(name)
    }

    /// Becomes `target`. What was there before steps aside first, and comes back if this fails.
    pub(crate) fn replace(self, target: &Path) -> Result<()> {
        let aside = sibling(target, "old");
        remove(&aside)?;
        let had_one = target.exists();
        if had_one {
            fs::rename(target, &aside)?;
        }
        if let Err(error) = fs::rename(&self.folder, target) {
            if had_one {
                fs::rename(&aside, target)?;
            }
            return Err(error).with_context(|| format!("cannot make {}", target.display()));
        }
        remove(&aside)
    }
}

/// `<parent>/.<name>.<what>`: beside the target, so that a rename stays on one file system.
pub(crate) fn sibling(target: &Path, what: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{what}"))
}

pub(crate) fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn equal_content_gets_an_equal_name_and_other_content_another() {
        let mut out = Out::new(testing::folder("out-names").join("out")).unwrap();
        let first = out.add("panel", "css", b"a{}").unwrap();
        assert_eq!(out.add("panel", "css", b"a{}").unwrap(), first);
        assert_ne!(out.add("panel", "css", b"b{}").unwrap(), first);
        let hash = first
            .strip_prefix("panel-")
            .and_then(|rest| rest.strip_suffix(".css"));
        assert_eq!(hash.expect("stem, hash, end").len(), DIGITS);
    }

    #[test]
    fn the_folder_is_replaced_as_a_whole() {
        let folder = testing::folder("out-replace");
        let target = folder.join("site");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("from-before"), "").unwrap();
        let mut out = Out::new(sibling(&target, "new")).unwrap();
        let name = out.add("panel", "css", b"a{}").unwrap();

        out.replace(&target).unwrap();

        assert!(target.join(name).is_file());
        assert!(!target.join("from-before").exists());
        assert_eq!(
            fs::read_dir(&folder).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn the_old_folder_comes_back_when_the_new_one_cannot_take_its_place() {
        let folder = testing::folder("out-fail");
        let target = folder.join("site");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("from-before"), "").unwrap();
        let out = Out {
            folder: folder.join("never-made"),
            sizes: BTreeMap::new(),
        };

        assert!(out.replace(&target).is_err());

        assert!(target.join("from-before").is_file());
    }
}
