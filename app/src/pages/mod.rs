//! The pages. Each is a function from a call to a [`Page`]: complete markup, whatever the browser can do.

pub(crate) mod account;
pub(crate) mod accounts;
pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod backups;
pub(crate) mod confirm;
pub(crate) mod confirm_identity;
pub(crate) mod credentials;
pub(crate) mod gateway;
pub(crate) mod hand_off;
pub(crate) mod logs;
pub(crate) mod new_key;
pub(crate) mod operation;
pub(crate) mod operations;
pub(crate) mod people;
pub(crate) mod proposal;
pub(crate) mod relink;
pub(crate) mod restore;
pub(crate) mod rotate_key;
pub(crate) mod scan;
pub(crate) mod second_factor;
pub(crate) mod sign_in;
pub(crate) mod sign_in_code;
pub(crate) mod tokens;
pub(crate) mod welcome;
pub(crate) mod wipe;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use domain::gateway::GatewayId;

use crate::error::PanelError;

/// What a page says of itself; the frame does the rest.
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) content: String,
    /// Which entry of the navigation it belongs to.
    pub(crate) place: &'static str,
    /// Which gateway it is about.
    pub(crate) gateway: Option<GatewayId>,
    /// The event stream that keeps it live.
    pub(crate) events: Option<String>,
    /// It has something that a page without a stream wakes up for, like forms that a passkey answers.
    pub(crate) wakes: bool,
    /// The event stream that appends lines to it.
    pub(crate) follows: Option<String>,
    pub(crate) status: StatusCode,
    /// Where the browser is sent instead.
    pub(crate) elsewhere: Option<String>,
}

impl Page {
    pub(crate) fn new(title: impl Into<String>, content: String) -> Self {
        Self {
            title: title.into(),
            content,
            place: "",
            gateway: None,
            events: None,
            wakes: false,
            follows: None,
            status: StatusCode::OK,
            elsewhere: None,
        }
    }

    /// Sends the browser to another page of ours.
    pub(crate) fn redirect(to: String) -> Self {
        Self {
            elsewhere: Some(to),
            ..Self::new("", String::new())
        }
    }

    pub(crate) fn at(mut self, place: &'static str) -> Self {
        self.place = place;
        self
    }

    pub(crate) fn of(mut self, gateway: GatewayId) -> Self {
        self.gateway = Some(gateway);
        self
    }

    pub(crate) fn live(mut self, events: String) -> Self {
        self.events = Some(events);
        self
    }

    /// Wakes a page that stands alone.
    pub(crate) fn awake(mut self) -> Self {
        self.wakes = true;
        self
    }

    pub(crate) fn follow(mut self, events: String) -> Self {
        self.follows = Some(events);
        self
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

/// What the URL says besides its path.
#[derive(Clone, Default)]
pub(crate) struct Asked {
    pub(crate) pairs: Vec<(String, String)>,
    /// What is wrong was said beside its field.
    said: Arc<AtomicBool>,
}

impl Asked {
    /// What a query says.
    pub(crate) fn of(query: Option<&str>) -> Self {
        let query = query.unwrap_or_default().as_bytes();
        Self {
            pairs: url::form_urlencoded::parse(query).into_owned().collect(),
            said: Arc::default(),
        }
    }

    /// The last value of a name, and the empty text when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut pairs = self.pairs.iter().rev();
        pairs
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// Whether there is a value of that name, be it empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == name)
    }

    /// This page again, without what went wrong with a form.
    pub(crate) fn url(&self, path: &str) -> String {
        let mut url = path.to_owned();
        let own = self
            .pairs
            .iter()
            .filter(|(name, _)| !name.starts_with("__"));
        for (name, value) in own {
            let before = if url.contains('?') { "&" } else { "?" };
            url.extend([before, &encoded(name), "=", &encoded(value)]);
        }
        url
    }

    /// What went wrong with a form that came back to this page.
    fn problem(&self) -> Option<PanelError> {
        let error = self.get("__err");
        (!error.is_empty())
            .then(|| leptos::server_fn::error::ServerFnUrlError::<PanelError>::decode_err(error))
    }

    /// What is wrong with the field `name`, to be said beside it.
    pub(crate) fn problem_with(&self, name: &str) -> Option<String> {
        match self.problem()? {
            PanelError::Invalid { field, why } if field == name => {
                self.said.store(true, Ordering::Relaxed);
                Some(why)
            }
            _ => None,
        }
    }

    /// What went wrong and no field of the page has said: asked when the page is made.
    pub(crate) fn unsaid_problem(&self) -> Option<PanelError> {
        self.problem()
            .filter(|_| !self.said.load(Ordering::Relaxed))
    }
}

/// A path to go on to, when it is one of this panel and nothing that a browser could read as another host.
pub(crate) fn own_page(next: &str) -> Option<&str> {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && next.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    ours.then_some(next)
}

/// Text as a value in a URL.
pub(crate) fn encoded(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            safe.push(char::from(byte));
        } else {
            safe.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(digit.into(), 16).unwrap_or('0');
                safe.push(digit.to_ascii_uppercase());
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_panel_are_gone_on_to() {
        assert!(own_page("/gateways/openclaw?x=1").is_some());
        for foreign in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "",
            "/a b",
        ] {
            assert_eq!(own_page(foreign), None, "{foreign}");
        }
    }
}
