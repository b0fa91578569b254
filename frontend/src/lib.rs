//! The browser's entry: wakes the islands of the pages that the server rendered.

extern crate app; // without this line the islands are not exported

/// Called by the page's loader once the module is there.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
