//! Clock times in the viewer's zone, and ages that count on by the server's clock.

use js_sys::{Date, Object, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Document, Element};

/// Shows every `time[data-local]` in the viewer's zone.
pub(super) fn localise(document: &Document) {
    each(document, "time[data-local]", |time| {
        let Some(at) = time.get_attribute("datetime") else {
            return;
        };
        let at = Date::new(&JsValue::from_str(&at));
        if at.get_time().is_nan() {
            return;
        }
        let seconds = time.get_attribute("data-local").as_deref() == Some("seconds");
        let options = Object::new();
        set(&options, "hour", "2-digit");
        set(&options, "minute", "2-digit");
        if seconds {
            set(&options, "second", "2-digit");
        }
        let today = Date::new_0().to_date_string() == at.to_date_string();
        if !today {
            set(&options, "day", "numeric");
            set(&options, "month", "short");
        }
        let text = at.to_locale_string("en-GB", &options);
        write(time, &String::from(text));
    });
}

/// Writes every age and every wait for `now` (milliseconds since the epoch, by the server's clock).
pub(super) fn count(document: &Document, now: f64) {
    each(document, "[data-at]", |age| {
        if let Some(at) = moment(age, "data-at") {
            write(age, &said(now - at, true));
        }
    });
    each(document, "[data-until]", |wait| {
        if let Some(until) = moment(wait, "data-until") {
            write(wait, &said((until - now).max(1_000.0), false));
        }
    });
    each(document, "[data-ends]", |ring| {
        if let (Some(ends), Some(whole)) = (moment(ring, "data-ends"), moment(ring, "data-whole")) {
            let gone = 100.0 - (100.0 * (ends - now) / whole).clamp(0.0, 100.0);
            drop(ring.set_attribute("stroke-dashoffset", &gone.to_string()));
        }
    });
    each(document, "[data-from]", |bar| {
        if let Some(from) = moment(bar, "data-from") {
            let seconds = whole((now - from) / 1_000.0).to_string();
            // An attribute that cannot be set leaves the bar where it was.
            drop(bar.set_attribute("value", &seconds));
        }
    });
}

/// The same words as `domain::words`, which the browser's part does without.
fn said(millis: f64, is_age: bool) -> String {
    if is_age && millis < 1_500.0 {
        return "now".to_owned();
    }
    let seconds = whole(millis / 1_000.0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => one(seconds, " s"),
        60..600 if !seconds.is_multiple_of(60) => two(minutes, " min ", seconds % 60, " s"),
        60..3_600 => one(minutes, " min"),
        3_600..86_400 if !minutes.is_multiple_of(60) => two(hours, " h ", minutes % 60, " min"),
        3_600..86_400 => one(hours, " h"),
        86_400..172_800 => two(1, " day ", hours % 24, " h"),
        _ => one(days, " days"),
    }
}

fn one(number: u32, unit: &str) -> String {
    number.to_string() + unit
}

fn two(number: u32, unit: &str, rest: u32, rest_unit: &str) -> String {
    one(number, unit) + &one(rest, rest_unit)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float saturates, which is what a clock that is off should do"
)]
fn whole(number: f64) -> u32 {
    number as u32
}

fn moment(element: &Element, attribute: &str) -> Option<f64> {
    element.get_attribute(attribute)?.parse().ok()
}

fn set(options: &Object, name: &str, value: &str) {
    // Setting a property of a fresh object cannot fail.
    drop(Reflect::set(
        options,
        &JsValue::from_str(name),
        &JsValue::from_str(value),
    ));
}

/// Writes text only when it is another one, so that nothing else on the page hears of it.
pub(super) fn write(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

fn each(document: &Document, selector: &str, with: impl Fn(&Element)) {
    let Ok(found) = document.query_selector_all(selector) else {
        return;
    };
    for index in 0..found.length() {
        if let Some(element) = found.item(index).and_then(|node| node.dyn_into().ok()) {
            with(&element);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_says_ages_as_the_server_does() {
        for millis in [
            0_u32,
            1_499,
            1_500,
            8_000,
            61_000,
            125_000,
            600_000,
            3_600_000,
            9_060_000,
            90_000_000,
            520_000_000,
        ] {
            let span = core::time::Duration::from_millis(millis.into());
            assert_eq!(
                said(millis.into(), true),
                domain::words::age(span),
                "{millis}"
            );
        }
    }
}
