//! The pages. Each is a function from a call to a [`Page`]: complete markup, whatever the browser can do.

pub(crate) mod account;
pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod backups;
pub(crate) mod confirm;
pub(crate) mod gateway;
pub(crate) mod logs;
pub(crate) mod operation;
pub(crate) mod operations;
pub(crate) mod people;
pub(crate) mod relink;
pub(crate) mod scan;
pub(crate) mod sign_in;

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
    /// The event stream that appends lines to it.
    pub(crate) follows: Option<String>,
    pub(crate) status: StatusCode,
}

impl Page {
    pub(crate) fn new(title: impl Into<String>, content: String) -> Self {
        Self {
            title: title.into(),
            content,
            place: "",
            gateway: None,
            events: None,
            follows: None,
            status: StatusCode::OK,
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
}

impl Asked {
    /// The last value of a name, and the empty text when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut pairs = self.pairs.iter().rev();
        pairs
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// What went wrong with a form that came back to this page.
    pub(crate) fn problem(&self) -> Option<PanelError> {
        let error = self.get("__err");
        (!error.is_empty())
            .then(|| leptos::server_fn::error::ServerFnUrlError::<PanelError>::decode_err(error))
    }

    /// What is wrong with the field `name`.
    pub(crate) fn problem_with(&self, name: &str) -> Option<String> {
        match self.problem()? {
            PanelError::Invalid { field, why } if field == name => Some(why),
            _ => None,
        }
    }
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
