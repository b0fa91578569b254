//! States as classes, words as words, and what may be shown to whom.

use domain::action::Action;
use domain::can;
use domain::fact::State;
use domain::logs;
use domain::person::Role;
use domain::words;

/// The class that gives a state its shape and colour; the word stands beside it.
pub(crate) const fn class_of(state: State) -> &'static str {
    match state {
        State::Ok => "is-ok",
        State::Warn => "is-warn",
        State::Down => "is-down",
        State::Unknown => "is-unknown",
    }
}

/// A phone number as this role may see it.
pub(crate) fn phone(number: &str, role: Role) -> String {
    if can::role_may(Some(role), Action::ViewPhoneNumbers).is_ok() {
        number.to_owned()
    } else {
        words::masked_phone(number)
    }
}

/// A line of a log as this role may see it.
pub(crate) fn phones(text: &str, role: Role) -> String {
    if can::role_may(Some(role), Action::ViewPhoneNumbers).is_ok() {
        text.to_owned()
    } else {
        logs::without_numbers(text)
    }
}

/// A network address as this role may see it: what tells addresses apart stays.
pub(crate) fn address(address: &str, role: Role) -> String {
    if can::role_may(Some(role), Action::ViewPhoneNumbers).is_ok() {
        address.to_owned()
    } else {
        words::masked_address(address)
    }
}

/// Text for markup that is put together by hand.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Text within a text area: the one element whose text Leptos does not escape. A browser drops a line break that comes
/// first, so one is put before it.
pub(crate) fn in_text_area(text: &str) -> String {
    format!("\n{}", escape(text))
}

/// The first letter large, for sentences made of clauses.
pub(crate) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(characters).collect()
    })
}
