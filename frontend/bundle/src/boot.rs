//! The page's own script: a file of ours that starts the module and wakes the islands.

const SOURCE: &str = include_str!("boot.js");

/// The boot script for these two hashed names.
pub(crate) fn script(js: &str, wasm: &str) -> String {
    SOURCE.replace("PANEL_JS", js).replace("PANEL_WASM", wasm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_are_filled_in() {
        let script = script("panel-1.js", "panel-2.wasm");
        assert!(script.contains(r#"new URL("./panel-1.js", import.meta.url)"#));
        assert!(script.contains(r#"new URL("./panel-2.wasm", import.meta.url)"#));
        assert!(!script.contains("PANEL_"));
    }
}
