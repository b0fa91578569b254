//! The button that prints the page; of no use without this, so it shows itself now.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::Document;

/// Makes `[data-print]` print.
pub(super) fn offer(document: &Document) {
    let Ok(Some(button)) = document.query_selector("[data-print]") else {
        return;
    };
    let press = Closure::<dyn FnMut()>::new(|| {
        if let Some(window) = web_sys::window() {
            // A browser that cannot print has said so itself.
            drop(window.print());
        }
    });
    let function = press.as_ref().unchecked_ref();
    if button
        .add_event_listener_with_callback("click", function)
        .is_ok()
    {
        press.forget();
        drop(button.remove_attribute("hidden"));
    }
}
