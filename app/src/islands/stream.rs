//! The event stream of a page: opened, watched, opened again after sleep, and its state said in words.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Date, JSON, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Document, Event, EventSource, MessageEvent, VisibilityState};

use super::screen::{self, Screen};
use super::{hold, morph, passkey, print, strength, times};

/// The server ticks every 10 seconds; two missed ones mean that nobody is there.
const SILENT_AFTER: f64 = 25_000.0;
/// On waking one missed tick is enough: the stream may only look open.
const DOUBTFUL_AFTER: f64 = 11_000.0;
/// A lost stream is opened again after this long while somebody looks (the clock that asks is not exact) …
const AGAIN_AFTER: f64 = 900.0;
/// … and after this long while nobody does.
const AGAIN_UNSEEN_AFTER: f64 = 10_000.0;
/// An attempt that neither came nor failed is given up after this long.
const PATIENCE: f64 = 10_000.0;
/// Waking says so by several events at once: one new stream answers them all.
const TOGETHER: f64 = 300.0;
/// How many lines of the log stay on the page.
const LINES_KEPT: u32 = 2_000;

/// One page's stream.
struct Stream {
    document: Document,
    url: String,
    source: RefCell<Option<EventSource>>,
    /// Server's clock minus ours, in milliseconds.
    ahead: Cell<f64>,
    /// When the stream last said anything, by our clock.
    heard: Cell<f64>,
    /// When it was last opened.
    opened: Cell<f64>,
    /// Whether the last opening has neither come nor failed yet.
    trying: Cell<bool>,
    /// Since when it is lost; 0 while it is not.
    lost: Cell<f64>,
    /// How far the log was read, in the server's words; empty on other pages.
    read: RefCell<String>,
    signed_out: Cell<bool>,
    paused: Cell<bool>,
    screen: Rc<Screen>,
}

/// Keeps the page that names a stream in `main[data-events]` live.
pub(super) fn start_live() {
    start("data-events");
}

/// Appends what the stream in `main[data-follows]` brings.
pub(super) fn start_follow() {
    start("data-follows");
}

fn start(attribute: &str) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return;
    };
    times::localise(&document);
    screen::offer_texts(&document);
    print::offer(&document);
    hold::veil(&document);
    passkey::offer(&document);
    strength::offer(&document);
    let main = document.get_element_by_id("main");
    let Some(url) = main.and_then(|main| main.get_attribute(attribute)) else {
        return;
    };
    let list = document.get_element_by_id("lines");
    let read = list.and_then(|list| list.get_attribute("data-read"));
    let read = read.unwrap_or_default();
    let stream = Rc::new(Stream {
        document,
        url,
        source: RefCell::new(None),
        ahead: Cell::new(0.0),
        heard: Cell::new(Date::now()),
        opened: Cell::new(0.0),
        trying: Cell::new(false),
        lost: Cell::new(0.0),
        read: RefCell::new(read),
        signed_out: Cell::new(false),
        paused: Cell::new(false),
        screen: Rc::default(),
    });
    stream.open();
    stream.clone().watch();
    stream.follow_button();
}

impl Stream {
    fn open(self: &Rc<Self>) {
        if self.signed_out.get() || self.paused.get() {
            return;
        }
        if let Some(old) = self.source.take() {
            old.close();
        }
        self.opened.set(Date::now());
        self.trying.set(true);
        let read = self.read.borrow();
        let url = if read.is_empty() {
            self.url.clone()
        } else {
            // What was written while nobody listened comes first.
            self.url.clone() + "&after=" + &read
        };
        drop(read);
        let Ok(source) = EventSource::new(&url) else {
            return;
        };
        self.on(&source, "open", |stream, _| {
            stream.trying.set(false);
            stream.hear();
        });
        self.on(&source, "tick", Self::tick);
        self.on(&source, "patch", Self::patch);
        self.on(&source, "lines", Self::lines);
        self.on(&source, "signed-out", |stream, _| stream.sign_out());
        self.on(&source, "error", |stream, _| {
            stream.trying.set(false);
            stream.lose();
            stream.say();
        });
        self.source.replace(Some(source));
    }

    fn on(self: &Rc<Self>, source: &EventSource, event: &str, with: fn(&Rc<Self>, &JsValue)) {
        let stream = Rc::clone(self);
        listen(source, event, move |event| {
            let data = event
                .dyn_ref::<MessageEvent>()
                .and_then(|message| message.data().as_string())
                .and_then(|text| JSON::parse(&text).ok())
                .unwrap_or(JsValue::NULL);
            with(&stream, &data);
        });
    }

    /// Every second the ages count on; on waking up, the stream is opened anew at once.
    fn watch(self: Rc<Self>) {
        let Some(window) = web_sys::window() else {
            return;
        };
        let stream = Rc::clone(&self);
        let every_second = Closure::<dyn FnMut()>::new(move || stream.second());
        let function = every_second.as_ref().unchecked_ref();
        if window
            .set_interval_with_callback_and_timeout_and_arguments_0(function, 1_000)
            .is_ok()
        {
            every_second.forget();
        }
        for (target, event, wake) in [
            (
                window.unchecked_ref::<web_sys::EventTarget>(),
                "online",
                Self::reconnect as fn(&Rc<Self>),
            ),
            (window.unchecked_ref(), "pageshow", Self::wake),
            (
                self.document.unchecked_ref(),
                "visibilitychange",
                Self::wake,
            ),
        ] {
            let stream = Rc::clone(&self);
            listen(target, event, move |_| wake(&stream));
        }
    }

    fn is_seen(&self) -> bool {
        self.document.visibility_state() == VisibilityState::Visible
    }

    /// Somebody looks again.
    fn wake(self: &Rc<Self>) {
        if !self.is_seen() {
            return;
        }
        let silent = Date::now() - self.heard.get();
        if self.lost.get() > 0.0 || silent > DOUBTFUL_AFTER {
            self.reconnect();
        }
        times::count(&self.document, Date::now() + self.ahead.get());
        self.screen.look(&self.document);
        self.say();
    }

    /// Opens the stream anew at once. The browser's own next attempt may be seconds away, and a stream
    /// from before the network went may only look open.
    fn reconnect(self: &Rc<Self>) {
        let young = Date::now() - self.opened.get() < TOGETHER;
        if !(young && self.trying.get()) {
            self.open();
        }
    }

    fn second(self: &Rc<Self>) {
        let now = Date::now();
        if now - self.heard.get() > SILENT_AFTER && !self.paused.get() {
            self.lose();
        }
        let wait = match (self.trying.get(), self.is_seen()) {
            (true, _) => PATIENCE,
            (false, true) => AGAIN_AFTER,
            (false, false) => AGAIN_UNSEEN_AFTER,
        };
        if self.lost.get() > 0.0 && now - self.opened.get() > wait {
            self.open();
        }
        times::count(&self.document, now + self.ahead.get());
        self.screen.look(&self.document);
        self.say();
    }

    fn hear(&self) {
        self.heard.set(Date::now());
        if self.lost.replace(0.0) > 0.0 {
            self.aloud("Live again.");
        }
        self.say();
    }

    fn lose(&self) {
        if self.lost.get() == 0.0 && !self.signed_out.get() {
            self.lost.set(Date::now());
            self.aloud("Connection lost. What is shown may be old.");
        }
    }

    fn tick(self: &Rc<Self>, data: &JsValue) {
        self.mark_read(data);
        if let Some(now) = get(data, "now").as_f64() {
            self.ahead.set(now - Date::now());
        }
        self.hear();
    }

    fn patch(self: &Rc<Self>, data: &JsValue) {
        let fragments = get(data, "fragments");
        for fragment in Array::from(&fragments).iter() {
            if let (Some(id), Some(html)) = (
                get(&fragment, "id").as_string(),
                get(&fragment, "html").as_string(),
            ) {
                morph::patch(&self.document, &id, &html);
            }
        }
        self.tick(data);
        times::localise(&self.document);
        times::count(&self.document, Date::now() + self.ahead.get());
        self.screen.look(&self.document);
    }

    fn mark_read(&self, data: &JsValue) {
        if let Some(read) = get(data, "read").as_string() {
            self.read.replace(read);
        }
    }

    /// Appends lines to the log, keeps the end in sight when it was, and forgets the oldest.
    fn lines(self: &Rc<Self>, data: &JsValue) {
        self.hear();
        let (Some(list), Some(html)) = (
            self.document.get_element_by_id("lines"),
            get(data, "html").as_string(),
        ) else {
            return;
        };
        let at_end = list.scroll_height() - list.scroll_top() - list.client_height() < 40;
        if list.insert_adjacent_html("beforeend", &html).is_err() {
            return;
        }
        self.mark_read(data);
        while list.child_element_count() > LINES_KEPT {
            match list.first_element_child() {
                Some(oldest) => oldest.remove(),
                None => break,
            }
        }
        if let Some(empty) = self.document.get_element_by_id("no-lines") {
            empty.remove();
        }
        times::localise(&self.document);
        if at_end {
            list.set_scroll_top(list.scroll_height());
        }
    }

    /// The button that holds the log still; it is of no use without this island, so it shows itself now.
    fn follow_button(self: &Rc<Self>) {
        if let Some(list) = self.document.get_element_by_id("lines") {
            list.set_scroll_top(list.scroll_height());
        }
        let Some(button) = self.document.get_element_by_id("follow") else {
            return;
        };
        drop(button.remove_attribute("hidden"));
        let stream = Rc::clone(self);
        let pressed = button.clone();
        listen(&button, "click", move |_| {
            let pause = !stream.paused.get();
            stream.paused.set(pause);
            drop(pressed.set_attribute("aria-pressed", if pause { "false" } else { "true" }));
            if pause {
                if let Some(source) = stream.source.take() {
                    source.close();
                }
            } else {
                stream.heard.set(Date::now());
                stream.open();
            }
            stream.say();
        });
    }

    fn sign_out(&self) {
        self.signed_out.set(true);
        if let Some(source) = self.source.take() {
            source.close();
        }
        if let Some(link) = self.document.get_element_by_id("link") {
            link.set_inner_html(r#"<a href="/sign-in?ended=1">Session ended: sign in again</a> ·"#);
        }
        self.aloud("Your session has ended. Sign in again.");
        self.mark("live is-warn");
    }

    /// `live ·`, or since when it is not.
    fn say(&self) {
        if self.signed_out.get() {
            return;
        }
        let Some(link) = self.document.get_element_by_id("link") else {
            return;
        };
        let lost = self.lost.get();
        if lost > 0.0 {
            let since = Date::new(&JsValue::from_f64(lost));
            let options = JsValue::UNDEFINED;
            let since = String::from(since.to_locale_time_string_with_options("en-GB", &options));
            let since = since.get(..5).unwrap_or_default();
            // The server may have refused it, for example because the session has ended meanwhile.
            let said = "connection lost since ".to_owned()
                + since
                + ", trying again, or <a href=\"\">load the page again</a> ·";
            if link.inner_html() != said {
                link.set_inner_html(&said);
            }
            self.mark("live is-warn");
        } else {
            times::write(
                &link,
                if self.paused.get() {
                    "paused ·"
                } else {
                    "live ·"
                },
            );
            self.mark("live");
        }
    }

    fn mark(&self, class: &str) {
        let link = self.document.get_element_by_id("link");
        if let Some(line) = link.and_then(|link| link.parent_element())
            && line.class_name() != class
        {
            line.set_class_name(class);
        }
    }

    /// Said to those who hear the page, once per change.
    fn aloud(&self, text: &str) {
        if let Some(said) = self.document.get_element_by_id("link-said") {
            times::write(&said, text);
        }
    }
}

fn get(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// Listens as long as the page lives.
fn listen(target: &web_sys::EventTarget, event: &str, with: impl Fn(&Event) + 'static) {
    let closure = Closure::<dyn FnMut(Event)>::new(move |event: Event| with(&event));
    let function = closure.as_ref().unchecked_ref();
    if target
        .add_event_listener_with_callback(event, function)
        .is_ok()
    {
        closure.forget();
    }
}
