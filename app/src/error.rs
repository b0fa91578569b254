//! What went wrong, for a person. It may end up in a URL (forms work without JavaScript), so it never
//! holds a secret or a raw message from below.

use domain::can::Denied;
use domain::ports::{PeopleError, RegisterError, StartError, StoreError};
use domain::{path, words};
use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::ServerFnUrlError;
use serde::{Deserialize, Serialize};

/// Why a form or a page did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum PanelError {
    /// Nobody is signed in, or the session has ended.
    SignedOut,
    /// The capability table says no.
    NotAllowed {
        /// Its reason.
        why: String,
    },
    /// The act asks for the password again, see [`domain::action::STEP_UP`].
    Unconfirmed,
    /// Another operation holds the gateway.
    Busy {
        /// `Recreate by ben since 14:02 UTC: “updating to 2026.9.6”.`
        said: String,
        /// Its page.
        see: String,
    },
    /// A field was not filled in right.
    Invalid {
        /// Name of the field.
        field: String,
        /// What is wrong and what helps.
        why: String,
    },
    /// It cannot be done as things stand.
    Refused {
        /// Why.
        why: String,
    },
    /// What was asked for does not exist.
    Gone {
        /// What.
        what: String,
    },
    /// The panel failed; the log has the rest under `id`.
    Unavailable {
        /// Number to tell an admin.
        id: String,
    },
}

impl PanelError {
    /// A field that was not filled in right.
    pub fn invalid(field: &str, why: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.to_owned(),
            why: why.into(),
        }
    }

    /// Something that does not exist.
    pub fn gone(what: impl Into<String>) -> Self {
        Self::Gone { what: what.into() }
    }

    /// One or two sentences to show.
    pub fn sentence(&self) -> String {
        match self {
            Self::SignedOut => "Your session has ended. Sign in again.".to_owned(),
            Self::Unconfirmed => {
                "It was too long ago that you typed your password. Load the page again to confirm that it is you."
                    .to_owned()
            }
            Self::NotAllowed { why } | Self::Refused { why } | Self::Invalid { why, .. } => {
                why.clone()
            }
            Self::Busy { said, .. } => said.clone(),
            Self::Gone { what } => what.clone(),
            Self::Unavailable { id } => format!(
                "The panel could not do it, so nothing was changed. Try again; if it stays, tell an admin the number {id}."
            ),
        }
    }
}

impl PanelError {
    /// As the query of a URL, the way that a form without JavaScript is answered.
    pub(crate) fn as_query(&self) -> String {
        let error = ServerFnUrlError::new("", self.clone());
        let url = error.to_url("http://panel.invalid");
        url.ok()
            .and_then(|url| url.query().map(str::to_owned))
            .unwrap_or_default()
    }
}

impl FromServerFnError for PanelError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => {
                Self::invalid("form", "The form was not complete. Load the page again.")
            }
            _ => Self::Unavailable { id: "0".to_owned() },
        }
    }
}

impl From<Denied> for PanelError {
    fn from(denied: Denied) -> Self {
        Self::NotAllowed {
            why: denied.why.to_owned(),
        }
    }
}

/// Turns what the ports say into what a person can read. `id` correlates with the log.
pub(crate) trait OrSay<T> {
    fn or_say(self, id: impl FnOnce() -> String) -> Result<T, PanelError>;
}

impl<T> OrSay<T> for Result<T, StoreError> {
    fn or_say(self, id: impl FnOnce() -> String) -> Result<T, PanelError> {
        self.map_err(|error| unavailable(&error, id()))
    }
}

impl<T> OrSay<T> for Result<T, StartError> {
    fn or_say(self, id: impl FnOnce() -> String) -> Result<T, PanelError> {
        self.map_err(|error| match error {
            StartError::Busy { holder } => busy(&holder),
            StartError::NotPermitted => PanelError::NotAllowed {
                why: "This was permitted for something else. Load the page again.".to_owned(),
            },
            StartError::UnknownGateway(gateway) => {
                PanelError::gone(format!("There is no gateway {gateway}."))
            }
            StartError::NeedsSecondPerson => PanelError::Refused {
                why: "A second person has to agree first. Ask for it on the page of the rotation."
                    .to_owned(),
            },
            StartError::ShuttingDown => PanelError::Refused {
                why: "The panel is shutting down. Try again in a moment.".to_owned(),
            },
            StartError::Refused(fault) => PanelError::Refused { why: fault.message },
            StartError::Database(error) => unavailable(&error, id()),
        })
    }
}

impl<T> OrSay<T> for Result<T, PeopleError> {
    fn or_say(self, id: impl FnOnce() -> String) -> Result<T, PanelError> {
        self.map_err(|error| {
            let field = match &error {
                PeopleError::NameTaken(_) | PeopleError::BadName | PeopleError::BadTokenName => {
                    "name"
                }
                PeopleError::PasswordTooShort
                | PeopleError::PasswordTooLong
                | PeopleError::PasswordEasy { .. } => "new",
                PeopleError::WrongPassword
                | PeopleError::TooManyTries { .. }
                | PeopleError::Busy => "old",
                PeopleError::WrongCode | PeopleError::CodeUsed | PeopleError::SealedElsewhere => {
                    "code"
                }
                PeopleError::NoSuchPasskey
                | PeopleError::PasskeyKnown
                | PeopleError::PasskeyLate
                | PeopleError::PasskeyUnverified
                | PeopleError::PasskeyRefused
                | PeopleError::PasskeysImpossible
                | PeopleError::TooManyPasskeys
                | PeopleError::BadPasskeyName => "passkey",
                PeopleError::RoleNotYours => "role",
                PeopleError::BadTokenTime => "days",
                PeopleError::LastAdmin | PeopleError::Overtaken | PeopleError::Unknown => "person",
                PeopleError::SetUpOver
                | PeopleError::LinkOver
                | PeopleError::IdentityTaken
                | PeopleError::BadSubject
                | PeopleError::NoSecondFactor
                | PeopleError::LastSecondFactor
                | PeopleError::NotPermitted
                | PeopleError::Database(_) => "",
            };
            match error {
                PeopleError::Database(error) => unavailable(&error, id()),
                said => PanelError::invalid(field, said.to_string()),
            }
        })
    }
}

impl<T> OrSay<T> for Result<T, RegisterError> {
    fn or_say(self, id: impl FnOnce() -> String) -> Result<T, PanelError> {
        self.map_err(|error| match error {
            RegisterError::Unknown => PanelError::gone(error.to_string()),
            RegisterError::NotYet => PanelError::invalid("rotated_on", error.to_string()),
            RegisterError::Stays | RegisterError::NotPermitted => PanelError::Refused {
                why: error.to_string(),
            },
            RegisterError::Database(error) => unavailable(&error, id()),
        })
    }
}

/// Who holds the gateway, in one sentence.
pub(crate) fn busy(holder: &domain::operation::Operation) -> PanelError {
    PanelError::Busy {
        said: holder_sentence(holder),
        see: path::operation(&holder.id),
    }
}

/// `Recreate by ben since 14:02 UTC: “updating to 2026.9.6”.`
pub(crate) fn holder_sentence(holder: &domain::operation::Operation) -> String {
    let title = holder.command.title();
    let by = holder.asked_by.name();
    let since = holder.created_at.utc_clock();
    let reason = holder
        .reason
        .as_ref()
        .map_or(String::new(), |reason| format!(": “{reason}”"));
    let stuck = if holder.outcome.is_some() {
        ", and it is stuck"
    } else {
        ""
    };
    format!("{title} by {by} since {since} UTC{reason}{stuck}.")
}

fn unavailable(error: &StoreError, id: String) -> PanelError {
    let cause = error.source.to_string();
    tracing::error!(error.id = %id, error.cause = %cause, "Failed while {}", error.doing);
    PanelError::Unavailable { id }
}

/// `1 step` and the like, for sentences in pages.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    words::count(number as u64, one, many)
}
