//! Times on a page: a clock time that the browser turns into the viewer's zone, and ages that count on.
//!
//! An age is left open in rendered markup (a token between two private-use characters) and written in
//! when it is sent: so markup changes only when the panel's knowledge does, and can be kept and compared.

use std::time::Duration;

use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;

const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

fn token(kind: char, at: Timestamp) -> String {
    format!("{OPEN}{kind}{}{CLOSE}", at.as_millis())
}

/// How long ago `at` is, counting.
pub(crate) fn age(at: Timestamp) -> impl IntoView {
    view! { <span data-at=at.as_millis()>{token('a', at)}</span> }
}

/// How long it is until `at`, counting down.
pub(crate) fn left(at: Timestamp) -> impl IntoView {
    view! { <span data-until=at.as_millis()>{token('l', at)}</span> }
}

/// The seconds since `at`, for the value of a progress bar.
pub(crate) fn seconds_since(at: Timestamp) -> String {
    token('s', at)
}

/// `02:14 UTC`, or with its day when that is not today. The island shows it in the viewer's zone.
pub(crate) fn clock(at: Timestamp, now: Timestamp) -> impl IntoView {
    view! {
        <time datetime=at.rfc3339() title=at.utc_text() data-local="">
            {clock_text(at, now)}
        </time>
    }
}

/// `02:14:05 UTC`, for lines of output. The island shows it in the viewer's zone.
pub(crate) fn clock_to_the_second(at: Timestamp) -> impl IntoView {
    let machine = at.rfc3339();
    let text = format!("{} UTC", machine.get(11..19).unwrap_or_default());
    view! { <time datetime=machine title=at.utc_text() data-local="seconds">{text}</time> }
}

/// The words of [`clock`].
pub(crate) fn clock_text(at: Timestamp, now: Timestamp) -> String {
    let (text, today) = (at.utc_text(), now.utc_text());
    if text.get(..10) == today.get(..10) {
        format!("{} UTC", at.utc_clock())
    } else {
        format!("{} UTC", text.get(..16).unwrap_or(&text))
    }
}

/// Writes the open ages into markup.
pub(crate) fn fill(markup: &str, now: Timestamp) -> String {
    let mut filled = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some((before, after)) = rest.split_once(OPEN) {
        filled.push_str(before);
        let Some((token, after)) = after.split_once(CLOSE) else {
            return filled;
        };
        filled.push_str(&written(token, now));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn written(token: &str, now: Timestamp) -> String {
    let mut characters = token.chars();
    let kind = characters.next();
    let Ok(at) = characters.as_str().parse().map(Timestamp::from_millis) else {
        return String::new();
    };
    match kind {
        Some('a') => words::age(now.since(at)),
        Some('l') => words::duration(whole_seconds(at.since(now))),
        Some('s') => now.since(at).as_secs().to_string(),
        _ => String::new(),
    }
}

fn whole_seconds(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_age_is_written_when_it_is_sent() {
        let at = Timestamp::from_millis(10_000);
        let markup = format!("<b>{}</b> <i>{}</i>", token('a', at), token('l', at));
        let later = fill(&markup, at.plus(Duration::from_secs(8)));
        assert_eq!(later, "<b>8 s</b> <i>1 s</i>");
        let before = fill(&markup, at.minus(Duration::from_secs(90)));
        assert_eq!(before, "<b>now</b> <i>1 min 30 s</i>");
    }

    #[test]
    fn another_day_is_named() {
        let now = Timestamp::parse_rfc3339("2026-11-22T02:14:05Z").unwrap();
        assert_eq!(clock_text(now, now), "02:14 UTC");
        let yesterday = now.minus(Duration::from_secs(86_400));
        assert_eq!(clock_text(yesterday, now), "2026-11-21 02:14 UTC");
    }
}
