//! What a page does for whoever holds a phone to it: the screen stays on while a code is shown, and success is felt
//! and heard where the browser allows it.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Document, VisibilityState};

/// A code that can be scanned.
const CODE: &str = ".scan .code:not(.is-empty)";
/// How it ended well.
const DONE: &str = ".verdict.is-done";
/// Short, pause, short; in milliseconds.
const FELT: [u32; 3] = [80, 60, 80];
/// Two tones, upwards: hertz, and seconds from now.
const HEARD: [(f64, f64); 2] = [(660.0, 0.0), (880.0, 0.16)];

/// The screen of one page.
#[derive(Default)]
pub(super) struct Screen {
    /// The browser's promise to keep it on.
    lock: RefCell<Option<JsValue>>,
    asking: Cell<bool>,
    /// A code was shown here, and its end is awaited.
    scanning: Cell<bool>,
}

impl Screen {
    /// To be called whenever the page may have changed, or is looked at again.
    pub(super) fn look(self: &Rc<Self>, document: &Document) {
        let is_there = |selector| matches!(document.query_selector(selector), Ok(Some(_)));
        let shows = is_there(CODE);
        if shows {
            self.scanning.set(true);
        } else if self.scanning.get() && is_there(DONE) {
            self.scanning.set(false);
            feel();
            hear();
        }
        let seen = document.visibility_state() == VisibilityState::Visible;
        if shows && seen {
            self.stay_on();
        } else if !shows && let Some(lock) = self.lock.take() {
            call(&lock, "release", &[]);
        }
    }

    /// Browsers let the screen sleep again when the page was hidden; a refusal (battery saver) is asked again later.
    fn stay_on(self: &Rc<Self>) {
        let held = self.lock.borrow().as_ref().is_some_and(|lock| {
            let released = get(lock, "released");
            released.is_falsy()
        });
        if held || self.asking.replace(true) {
            return;
        }
        let Some(asked) = navigator().and_then(|navigator| {
            let kind = JsValue::from_str("screen");
            call(&get(&navigator, "wakeLock"), "request", &[kind])
        }) else {
            // This browser has none, and never will: it is not asked again.
            return;
        };
        let Ok(asked) = asked.dyn_into::<Promise>() else {
            return;
        };
        let (granted, refused) = (Rc::clone(self), Rc::clone(self));
        let granted = Closure::once_into_js(move |lock: JsValue| {
            granted.asking.set(false);
            granted.lock.replace(Some(lock));
        });
        let refused = Closure::once_into_js(move |_: JsValue| refused.asking.set(false));
        call(&asked, "then", &[granted, refused]);
    }
}

fn feel() {
    let pattern: Array = FELT.iter().map(|span| JsValue::from(*span)).collect();
    if let Some(navigator) = navigator() {
        call(&navigator, "vibrate", &[pattern.into()]);
    }
}

/// A page that nobody has touched may make no sound; then the context stays suspended, and nothing is heard.
fn hear() {
    let Some(window) = web_sys::window() else {
        return;
    };
    let Ok(make) = get(&window, "AudioContext").dyn_into::<Function>() else {
        return;
    };
    let Ok(context) = Reflect::construct(&make, &Array::new()) else {
        return;
    };
    let now = get(&context, "currentTime").as_f64().unwrap_or_default();
    for (pitch, after) in HEARD {
        let (Some(tone), Some(volume)) = (
            call(&context, "createOscillator", &[]),
            call(&context, "createGain", &[]),
        ) else {
            return;
        };
        set(&get(&tone, "frequency"), "value", pitch);
        set(&get(&volume, "gain"), "value", 0.08);
        call(&tone, "connect", std::slice::from_ref(&volume));
        call(&volume, "connect", &[get(&context, "destination")]);
        call(&tone, "start", &[JsValue::from(now + after)]);
        call(&tone, "stop", &[JsValue::from(now + after + 0.14)]);
    }
}

/// Buttons that copy or share a text of the page; of no use without this, so they show themselves now.
pub(super) fn offer_texts(document: &Document) {
    for (attribute, takes) in [("data-copy", COPY), ("data-share", SHARE)] {
        let Ok(Some(button)) = document.query_selector(&("[".to_owned() + attribute + "]")) else {
            continue;
        };
        let text = button
            .get_attribute(attribute)
            .and_then(|id| document.get_element_by_id(&id))
            .and_then(|element| element.text_content());
        let (Some(text), Some(navigator)) = (text, navigator()) else {
            continue;
        };
        let Some((of, method)) = takes.within(&navigator) else {
            continue;
        };
        drop(button.remove_attribute("hidden"));
        let pressed = button.clone();
        let press = Closure::<dyn FnMut()>::new(move || {
            let given = if takes.wants_url {
                let url = js_sys::Object::new();
                set(&url, "url", text.as_str());
                url.into()
            } else {
                JsValue::from_str(&text)
            };
            call(&of, method, &[given]);
            if let Some(said) = takes.said {
                super::times::write(&pressed, said);
            }
        });
        let function = press.as_ref().unchecked_ref();
        if button
            .add_event_listener_with_callback("click", function)
            .is_ok()
        {
            press.forget();
        }
    }
}

/// One of the browser's ways to take a text.
#[derive(Clone, Copy)]
struct Takes {
    /// The property of the navigator that has the method; the navigator itself when there is none.
    of: Option<&'static str>,
    method: &'static str,
    wants_url: bool,
    /// What the button says afterwards.
    said: Option<&'static str>,
}

const COPY: Takes = Takes {
    of: Some("clipboard"),
    method: "writeText",
    wants_url: false,
    said: Some("Copied"),
};
const SHARE: Takes = Takes {
    of: None,
    method: "share",
    wants_url: true,
    said: None,
};

impl Takes {
    /// The object and the method's name; `None` where the browser has neither.
    fn within(self, navigator: &JsValue) -> Option<(JsValue, &'static str)> {
        let of = self.of.map_or(navigator.clone(), |of| get(navigator, of));
        get(&of, self.method)
            .is_function()
            .then_some((of, self.method))
    }
}

pub(super) fn navigator() -> Option<JsValue> {
    let window = web_sys::window()?;
    Some(get(&window, "navigator")).filter(JsValue::is_object)
}

pub(super) fn get(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

fn set(of: &JsValue, name: &str, value: impl Into<JsValue>) {
    // What the browser does not have stays as it is.
    drop(Reflect::set(of, &JsValue::from_str(name), &value.into()));
}

/// Calls a method; `None` when there is none, or it throws.
pub(super) fn call(of: &JsValue, name: &str, with: &[JsValue]) -> Option<JsValue> {
    let method: Function = get(of, name).dyn_into().ok()?;
    let with: Array = with.iter().collect();
    method.apply(of, &with).ok()
}
