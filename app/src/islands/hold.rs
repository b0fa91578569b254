//! A secret that is on the page once: veiled but while a button is held, and out of the page when it is left.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, Element, EventTarget};

/// Names the element that holds the secret.
const HOLD: &str = "data-hold";
/// On that element while nobody may read it.
const VEILED: &str = "data-veiled";

/// Veils what a page shows once. Without this the page shows it plainly.
pub(super) fn veil(document: &Document) {
    let Ok(Some(button)) = document.query_selector("[data-hold]") else {
        return;
    };
    let secret = button
        .get_attribute(HOLD)
        .and_then(|id| document.get_element_by_id(&id));
    let Some(secret) = secret else { return };
    drop(secret.set_attribute(VEILED, ""));
    drop(button.remove_attribute("hidden"));
    // A key that repeats while it is held fires more than once, which does no harm.
    for event in ["pointerdown", "keydown"] {
        let secret = secret.clone();
        on(&button, event, move || {
            drop(secret.remove_attribute(VEILED));
        });
    }
    for event in [
        "pointerup",
        "pointerleave",
        "pointercancel",
        "keyup",
        "blur",
        "contextmenu",
    ] {
        let secret = secret.clone();
        on(&button, event, move || {
            drop(secret.set_attribute(VEILED, ""));
        });
    }
    // A page that comes back from the browser's memory must not bring it along.
    if let Some(window) = web_sys::window() {
        on(&window, "pagehide", move || gone(&secret));
    }
}

fn gone(secret: &Element) {
    super::times::write(secret, "[gone]");
}

fn on(target: &EventTarget, event: &str, act: impl FnMut() + 'static) {
    let act = Closure::<dyn FnMut()>::new(act);
    let listened = target.add_event_listener_with_callback(event, act.as_ref().unchecked_ref());
    if listened.is_ok() {
        act.forget();
    }
}
