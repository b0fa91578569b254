//! Passkeys: fetches the panel's question, hands it to the device, and sends the form with the answer. The forms are
//! hidden in the page and show themselves only where the browser can do this; every sentence stands in their markup.

use core::cell::Cell;
use std::rc::Rc;

use js_sys::{Function, JSON, Object, Reflect};
use leptos::task::spawn_local;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Document, Element, Event};

use super::fetch::{Refused, awaited, fetched};
use super::screen::{call, get, navigator};
use super::times;

/// On a form: where its question is.
const QUESTION: &str = "data-passkey";
/// On a form whose answer is a passkey that is made.
const MAKES: &str = "data-makes";

/// Shows the forms for passkeys where they can be used.
pub(super) fn offer(document: &Document) {
    let Ok(forms) = document.query_selector_all("form[data-passkey]") else {
        return;
    };
    for form in (0..forms.length()).filter_map(|at| forms.item(at)) {
        let Ok(form) = form.dyn_into::<Element>() else {
            continue;
        };
        let Some(reader) = reader(&form) else {
            continue;
        };
        drop(form.remove_attribute("hidden"));
        let asking = Rc::new(Cell::new(false));
        let sent = form.clone();
        let send = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            event.prevent_default();
            if asking.replace(true) {
                return;
            }
            let (form, reader, asking) = (sent.clone(), reader.clone(), Rc::clone(&asking));
            spawn_local(async move {
                let said = match answer(&form, &reader).await {
                    Ok(()) => None,
                    Err(Refused(error)) => Some(sentence(&form, &error)),
                };
                if let Some(said) = said {
                    say(&form, &said);
                }
                asking.set(false);
            });
        });
        let listened =
            form.add_event_listener_with_callback("submit", send.as_ref().unchecked_ref());
        if listened.is_ok() {
            send.forget();
        }
    }
}

/// The browser's own reader of questions; `None` where it has none, or no passkeys at all.
fn reader(form: &Element) -> Option<Function> {
    let name = if form.has_attribute(MAKES) {
        "parseCreationOptionsFromJSON"
    } else {
        "parseRequestOptionsFromJSON"
    };
    let window = web_sys::window()?;
    let class = get(&window, "PublicKeyCredential");
    get(&class, name).dyn_into().ok()
}

async fn answer(form: &Element, reader: &Function) -> Result<(), Refused> {
    say(form, &words(form, "data-waiting"));
    let question = fetched(&form.get_attribute(QUESTION).unwrap_or_default(), None).await?;
    let options = reader.call1(&JsValue::NULL, &get(&question, "options"))?;
    let wanted = Object::new();
    Reflect::set(&wanted, &"publicKey".into(), &options)?;
    let how = if form.has_attribute(MAKES) {
        "create"
    } else {
        "get"
    };
    let devices = navigator().map(|navigator| get(&navigator, "credentials"));
    let devices = devices.unwrap_or(JsValue::UNDEFINED);
    let asked = get(&devices, how).dyn_into::<Function>()?;
    let credential = awaited(asked.call1(&devices, &wanted)?).await?;
    // It says itself how it is written.
    let credential = JSON::stringify(&credential)?;
    fill(form, "ceremony", &get(&question, "ceremony"))?;
    fill(form, "credential", &credential)?;
    say(form, &words(form, "data-sending"));
    call(form, "submit", &[]);
    Ok(())
}

fn fill(form: &Element, name: &str, value: &JsValue) -> Result<(), Refused> {
    let field = form.query_selector(&format!("input[name={name}]"))?;
    let field = field.ok_or(JsValue::UNDEFINED)?;
    Reflect::set(&field, &"value".into(), value)?;
    Ok(())
}

/// What to tell: the panel's own sentence, or that of the page for the kind of refusal.
fn sentence(form: &Element, error: &JsValue) -> String {
    if let Some(said) = error.as_string() {
        return said;
    }
    let kind = get(error, "name").as_string().unwrap_or_default();
    words(
        form,
        match kind.as_str() {
            // Cancelled, or nothing chosen in time: browsers do not say which.
            "NotAllowedError" | "AbortError" => "data-cancelled",
            "InvalidStateError" => "data-known",
            _ => "data-failed",
        },
    )
}

fn words(form: &Element, attribute: &str) -> String {
    form.get_attribute(attribute).unwrap_or_default()
}

fn say(form: &Element, said: &str) {
    if let Ok(Some(place)) = form.query_selector("[role=status]") {
        times::write(&place, said);
    }
}
