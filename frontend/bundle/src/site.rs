//! The whole story: bind, optimise, bundle, hash, compress, write down, swap in.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::{
    boot, css, icons, inputs,
    manifest::{FILE, Manifest, Sizes},
    out::{self, Out},
    script,
    wasm::{self, Optimize},
};

pub(crate) struct Plan {
    pub(crate) wasm: PathBuf,
    pub(crate) style: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) optimize: Optimize,
    pub(crate) esbuild: Option<PathBuf>,
}

/// What there is now, and whether it had to be made.
pub(crate) struct Report {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Manifest,
    pub(crate) made: Made,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Made {
    Now,
    Before,
}

pub(crate) fn build(plan: &Plan) -> Result<Report> {
    let inputs = inputs::fingerprint(plan)?;
    let folder = plan.out.clone();
    if let Some(manifest) = Manifest::of_whole(&folder).filter(|known| known.inputs == inputs) {
        return Ok(Report {
            folder,
            manifest,
            made: Made::Before,
        });
    }
    let mut out = Out::new(out::sibling(&folder, "new"))?;
    let scratch = Out::new(out::sibling(&folder, "scratch"))?.folder;
    let filled = fill(plan, &mut out, &scratch);
    out::remove(&scratch)?;
    if filled.is_err() {
        out::remove(&out.folder)?;
    }
    let manifest = Manifest { inputs, ..filled? };
    manifest.write(&out.folder)?;
    out.replace(&folder)?;
    Ok(Report {
        folder,
        manifest,
        made: Made::Now,
    })
}

fn fill(plan: &Plan, out: &mut Out, scratch: &Path) -> Result<Manifest> {
    let css = out.add("panel", "css", css::bundle(&plan.style)?.as_bytes())?;
    let icons = icons::add(&plan.style.with_file_name("icons"), out)?;
    let module = wasm::bind(&plan.wasm, &plan.optimize, scratch)?;
    let esbuild = plan.esbuild.as_deref();
    let wasm = out.add("panel", "wasm", &module.wasm)?;
    let js = script::shorten(module.js, esbuild, scratch)?;
    let js = out.add("panel", "js", js.as_bytes())?;
    let boot = script::shorten(boot::script(&js, &wasm), esbuild, scratch)?;
    let boot = out.add("boot", "js", boot.as_bytes())?;
    let sizes = out.sizes.clone();
    Ok(Manifest {
        inputs: String::new(),
        css,
        boot,
        js,
        wasm,
        icons,
        sizes,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.display();
        if self.made == Made::Before {
            return writeln!(f, "{folder}: nothing changed");
        }
        writeln!(f, "{:<32}{:>9}{:>9}{:>9}", folder, "raw", "gzip", "brotli")?;
        for (name, Sizes { raw, gzip, brotli }) in &self.manifest.sizes {
            let number =
                |size: &Option<usize>| size.map_or("–".to_owned(), |size| size.to_string());
            writeln!(
                f,
                "  {name:<30}{raw:>9}{:>9}{:>9}",
                number(gzip),
                number(brotli)
            )?;
        }
        let first_load = self.manifest.first_load();
        writeln!(
            f,
            "style, script and module on the wire: {first_load} bytes; see {folder}/{FILE}"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing;

    fn plan(folder: &Path) -> Plan {
        fs::write(folder.join("frontend.wasm"), testing::SMALLEST_MODULE).unwrap();
        fs::create_dir(folder.join("style")).unwrap();
        fs::write(folder.join("style/main.css"), "p { color: red }").unwrap();
        Plan {
            wasm: folder.join("frontend.wasm"),
            style: folder.join("style/main.css"),
            out: folder.join("site"),
            optimize: Optimize::Not,
            esbuild: None,
        }
    }

    #[test]
    fn the_folder_holds_what_the_manifest_says() {
        let folder = testing::folder("site");
        let plan = plan(&folder);

        let report = build(&plan).unwrap();

        assert_eq!(report.made, Made::Now);
        let read = Manifest::of_whole(&plan.out).expect("everything named is there");
        assert_eq!(read, report.manifest);
        let boot = fs::read_to_string(plan.out.join(&read.boot)).unwrap();
        assert!(boot.contains(&read.js) && boot.contains(&read.wasm));
        assert_eq!(
            fs::read_to_string(plan.out.join(&read.css)).unwrap(),
            "p{color:red}"
        );
        let beside: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert_eq!(beside.len(), 3, "no scratch is left: {beside:?}");
    }

    #[test]
    fn the_second_run_does_nothing_until_an_input_changes() {
        let folder = testing::folder("site-twice");
        let plan = plan(&folder);
        let first = build(&plan).unwrap().manifest;

        assert_eq!(build(&plan).unwrap().made, Made::Before);

        fs::write(&plan.style, "p { color: blue }").unwrap();
        let changed = build(&plan).unwrap();
        assert_eq!(changed.made, Made::Now);
        assert_ne!(changed.manifest.css, first.css);
        assert_eq!(
            changed.manifest.wasm, first.wasm,
            "what did not change keeps its name"
        );
        assert!(!plan.out.join(&first.css).exists());
    }

    #[test]
    fn a_folder_that_lost_a_file_is_made_again() {
        let folder = testing::folder("site-lost");
        let plan = plan(&folder);
        let made = build(&plan).unwrap().manifest;
        fs::remove_file(plan.out.join(&made.css)).unwrap();

        assert_eq!(build(&plan).unwrap().made, Made::Now);

        assert!(plan.out.join(&made.css).is_file());
    }

    #[test]
    fn a_failed_run_leaves_the_old_folder_and_no_scratch() {
        let folder = testing::folder("site-fail");
        let plan = plan(&folder);
        let made = build(&plan).unwrap().manifest;
        fs::write(&plan.wasm, "not a module").unwrap();

        assert!(build(&plan).is_err());

        assert_eq!(Manifest::of_whole(&plan.out), Some(made));
        let beside: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert_eq!(beside.len(), 3, "nothing half made is left: {beside:?}");
    }

    #[test]
    fn a_missing_wasm_opt_is_named() {
        let folder = testing::folder("site-no-tool");
        let mut plan = plan(&folder);
        plan.optimize = Optimize::With("/nowhere/wasm-opt".into());
        let error = build(&plan).err().expect("no tool, no site").to_string();
        assert!(error.contains("/nowhere/wasm-opt"), "{error}");
    }
}
