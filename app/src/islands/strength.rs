//! Says while a password is typed how hard it is to guess. The panel judges, with the lists that it also refuses by: they are
//! too large for a page.

use core::cell::Cell;
use std::rc::Rc;

use js_sys::{Function, Promise};
use leptos::task::spawn_local;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Document, Element};

use super::fetch::{awaited, fetched};
use super::screen::get;
use super::times;

/// On the place of the judgement: the id of the password's field.
const OF: &str = "data-strength";
/// On that place: where the panel is asked.
const JUDGE: &str = "data-judge";
/// On that place: the one-time link that the page was opened by.
const LINK: &str = "data-link";
/// Set there for the style: how hard it is to guess.
const GRADE: &str = "data-grade";
/// Whoever types on within this time is not judged yet.
const PAUSE_MS: u32 = 250;

struct Meter {
    document: Document,
    field: Element,
    place: Element,
    /// Counts what was typed: an answer to what is there no more says nothing.
    typed: Cell<u32>,
}

/// Wakes the meters of the page.
pub(super) fn offer(document: &Document) {
    let Ok(places) = document.query_selector_all("[data-strength]") else {
        return;
    };
    for place in (0..places.length()).filter_map(|at| places.item(at)) {
        let Ok(place) = place.dyn_into::<Element>() else {
            continue;
        };
        let of = place.get_attribute(OF).unwrap_or_default();
        let Some(field) = document.get_element_by_id(&of) else {
            continue;
        };
        let meter = Rc::new(Meter {
            document: document.clone(),
            field: field.clone(),
            place,
            typed: Cell::new(0),
        });
        let listener = Closure::<dyn FnMut()>::new(move || {
            let meter = Rc::clone(&meter);
            let turn = meter.typed.get().wrapping_add(1);
            meter.typed.set(turn);
            spawn_local(async move { meter.judge(turn).await });
        });
        let listened =
            field.add_event_listener_with_callback("input", listener.as_ref().unchecked_ref());
        if listened.is_ok() {
            listener.forget();
        }
    }
}

impl Meter {
    async fn judge(&self, turn: u32) {
        let password = value(&self.field);
        if password.is_empty() {
            return self.say("", "");
        }
        pause().await;
        if self.typed.get() != turn {
            return;
        }
        let judge = self.place.get_attribute(JUDGE).unwrap_or_default();
        let link = self.place.get_attribute(LINK).unwrap_or_default();
        let name = self.document.get_element_by_id("name");
        let name = name.as_ref().map(value).unwrap_or_default();
        let fields = [
            ("password", password.as_str()),
            ("link", link.as_str()),
            ("name", name.as_str()),
        ];
        let judged = fetched(&judge, Some(&fields)).await;
        if self.typed.get() != turn {
            return;
        }
        // Without an answer the form itself says what is wrong.
        match judged {
            Ok(judged) => {
                let word = |name| get(&judged, name).as_string().unwrap_or_default();
                self.say(&word("strength"), &word("said"));
            }
            Err(_) => self.say("", ""),
        }
    }

    fn say(&self, grade: &str, said: &str) {
        drop(self.place.set_attribute(GRADE, grade));
        if let Ok(Some(words)) = self.place.query_selector("[role=status]") {
            times::write(&words, said);
        }
    }
}

fn value(field: &Element) -> String {
    get(field, "value").as_string().unwrap_or_default()
}

async fn pause() {
    let Some(window) = web_sys::window() else {
        return;
    };
    let timer = Promise::new(&mut |done, _| {
        if let Ok(later) = get(&window, "setTimeout").dyn_into::<Function>() {
            drop(later.call2(&window, &done, &JsValue::from(PAUSE_MS)));
        }
    });
    drop(awaited(timer.into()).await);
}
