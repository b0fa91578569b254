//! Other people's programs: run to the end, and their complaint is ours.

use std::{ffi::OsStr, path::Path, process::Command};

use anyhow::{Context, Result, bail};

/// Runs `program` and returns what it wrote to its standard output.
pub(crate) fn run<A: AsRef<OsStr>>(
    program: &Path,
    args: impl IntoIterator<Item = A>,
) -> Result<Vec<u8>> {
    let output = Command::new(program)
        .args(args)
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!(
            "{} failed ({}): {}",
            program.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_a_program_comes_back() {
        let said = run(Path::new("/bin/sh"), ["-c", "echo hello"]).unwrap();
        assert_eq!(said, b"hello\n");
    }

    #[test]
    fn a_failing_program_is_an_error_with_its_own_words() {
        let error = run(Path::new("/bin/sh"), ["-c", "echo no good >&2; exit 3"]).unwrap_err();
        assert!(error.to_string().contains("no good"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(Path::new("/nowhere/wasm-opt"), ["--version"]).unwrap_err();
        assert!(error.to_string().contains("/nowhere/wasm-opt"), "{error}");
    }
}
