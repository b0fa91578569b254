//! Icons and the web app manifest, under hashed names like everything else.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};

use crate::out::Out;

/// Puts every file of `folder` into `out` and says under which name. A web app manifest comes last,
/// with the icons it names replaced by their hashed names.
pub(crate) fn add(folder: &Path, out: &mut Out) -> Result<BTreeMap<String, String>> {
    let mut names = BTreeMap::new();
    if !folder.is_dir() {
        return Ok(names);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .ok()
            .context("an icon has an odd name")?;
        files.push((name.ends_with(".webmanifest"), name, entry.path()));
    }
    files.sort();
    for (is_manifest, name, path) in files {
        let mut content = fs::read(&path)?;
        if is_manifest {
            content = with_hashed_names(&content, &names)
                .with_context(|| format!("cannot read {}", path.display()))?;
        }
        let (stem, end) = name.rsplit_once('.').context("an icon has no ending")?;
        let hashed = out.add(stem, end, &content)?;
        names.insert(name, hashed);
    }
    Ok(names)
}

fn with_hashed_names(manifest: &[u8], names: &BTreeMap<String, String>) -> Result<Vec<u8>> {
    let mut manifest: serde_json::Value = serde_json::from_slice(manifest)?;
    let icons = manifest
        .get_mut("icons")
        .and_then(|icons| icons.as_array_mut());
    for source in icons
        .into_iter()
        .flatten()
        .filter_map(|icon| icon.get_mut("src"))
    {
        let name = source
            .as_str()
            .and_then(|name| names.get(name))
            .with_context(|| format!("it names the icon {source}, which is not in the folder"))?;
        *source = name.as_str().into();
    }
    Ok(serde_json::to_vec(&manifest)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_manifest_names_the_hashed_icons() {
        let folder = testing::folder("icons");
        let source = folder.join("icons");
        fs::create_dir(&source).unwrap();
        fs::write(source.join("big.png"), "a picture").unwrap();
        fs::write(
            source.join("app.webmanifest"),
            r#"{"icons":[{"src":"big.png"}]}"#,
        )
        .unwrap();
        let mut out = Out::new(folder.join("out")).unwrap();

        let names = add(&source, &mut out).unwrap();

        let manifest =
            fs::read_to_string(folder.join("out").join(&names["app.webmanifest"])).unwrap();
        assert_eq!(
            manifest,
            format!(r#"{{"icons":[{{"src":"{}"}}]}}"#, names["big.png"])
        );
    }

    #[test]
    fn a_manifest_that_names_a_missing_icon_is_refused() {
        let error = with_hashed_names(br#"{"icons":[{"src":"gone.png"}]}"#, &BTreeMap::new());
        assert!(error.unwrap_err().to_string().contains("gone.png"));
    }

    #[test]
    fn no_folder_means_no_icons() {
        let folder = testing::folder("icons-none");
        let mut out = Out::new(folder.join("out")).unwrap();
        assert!(add(&folder.join("icons"), &mut out).unwrap().is_empty());
    }

    #[test]
    fn our_own_icons_are_complete() {
        let folder = testing::folder("icons-own");
        let mut out = Out::new(folder.join("out")).unwrap();
        let names = add(&testing::style().join("icons"), &mut out).unwrap();
        assert!(names.contains_key("favicon.svg"));
    }
}
