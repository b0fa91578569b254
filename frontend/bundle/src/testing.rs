//! What the tests share.

use std::{fs, path::PathBuf};

/// Magic number and version: a module of nothing.
pub(crate) const SMALLEST_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// An empty folder of this test's own.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("bundle-{}-{test}", std::process::id()));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The style that ships.
pub(crate) fn style() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../style"))
}
