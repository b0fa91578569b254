//! What the panel has to remember between a question to a device and its answer goes along with the question, sealed:
//! so asking costs nothing that a flood could use up, and any panel of several takes the answer.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::passkey::{CEREMONY, Question};
use domain::person::Person;
use domain::ports::PeopleError;
use domain::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{CredentialID, WebauthnError};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use crate::rows::column;
use crate::store::Store;

/// Whom devices make keys for: the panel's host name. Keys of one host are of no use to another.
pub struct RelyingParty(Arc<Webauthn>);

impl RelyingParty {
    /// `None` where browsers would refuse: without a host name, and without https but on `localhost`.
    pub fn of(public_url: &Url) -> Option<Self> {
        let host = public_url.domain()?;
        let local = host == "localhost" || host.ends_with(".localhost");
        if public_url.scheme() != "https" && !local {
            return None;
        }
        let party = WebauthnBuilder::new(host, public_url).ok()?;
        let party = party.rp_name("OpenClaw Panel").timeout(CEREMONY);
        Some(Self(Arc::new(party.build().ok()?)))
    }

    pub(crate) fn into_inner(self) -> Arc<Webauthn> {
        self.0
    }
}

/// What a question is for: no answer to one is an answer to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Purpose {
    Add,
    SignIn,
    Prove,
}

/// Why an answer opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It came too late, or to another question.
    Late,
    /// It was taken before.
    Taken,
    /// The passkey is not, or no longer, here.
    Unknown,
    /// The device did not make sure that it is its owner.
    Unverified,
    /// Its counter went back: there may be a copy of it.
    Copied,
    /// Its owner is kept out.
    KeptOut,
    /// Anything else.
    Wrong,
}

impl Refusal {
    pub(super) fn of(error: &WebauthnError) -> Self {
        match error {
            WebauthnError::UserNotVerified => Self::Unverified,
            WebauthnError::CredentialPossibleCompromise => Self::Copied,
            _ => Self::Wrong,
        }
    }

    /// What stands in the audit trail.
    pub(super) fn note(self) -> &'static str {
        match self {
            Self::Late => "The passkey's answer came too late, or to another question.",
            Self::Taken => "The passkey's answer was used before.",
            Self::Unknown => "The passkey is not known here.",
            Self::Unverified => "The device did not make sure that it is its owner.",
            Self::Copied => "The passkey counts backwards: there may be a copy of it.",
            Self::KeptOut => "This person is kept out.",
            Self::Wrong => "The passkey's answer was not right.",
        }
    }
}

impl From<Refusal> for PeopleError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Late | Refusal::Taken => Self::PasskeyLate,
            Refusal::Unknown => Self::NoSuchPasskey,
            Refusal::Unverified => Self::PasskeyUnverified,
            Refusal::Copied | Refusal::KeptOut | Refusal::Wrong => Self::PasskeyRefused,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Remembered<T> {
    purpose: Purpose,
    asked_at: Timestamp,
    state: T,
}

impl Store {
    pub(super) fn party(&self) -> Result<&Webauthn, PeopleError> {
        self.relying_party
            .as_deref()
            .ok_or(PeopleError::PasskeysImpossible)
    }

    pub(super) fn ask_new(
        &self,
        person: &Person,
        known: Vec<CredentialID>,
    ) -> Result<Question, PeopleError> {
        let asked = self.party()?.start_passkey_registration(
            person.id,
            &person.name,
            &person.name,
            Some(known),
        );
        let (options, state) = asked.map_err(|error| Refusal::of(&error))?;
        let sealed = self.sealed(&state, Purpose::Add, person.id)?;
        let mut question = question(&options.public_key, sealed)?;
        // One that its device lists itself signs in without a name; a device that cannot do so makes one all the same.
        if let Some(selection) = question.options.get_mut("authenticatorSelection") {
            selection["residentKey"] = "preferred".into();
        }
        Ok(question)
    }

    pub(super) fn sealed(
        &self,
        state: &impl Serialize,
        purpose: Purpose,
        owner: Uuid,
    ) -> Result<String, PeopleError> {
        let key = self
            .sealing
            .as_ref()
            .ok_or(PeopleError::PasskeysImpossible)?;
        let asked_at = self.clock.now();
        let remembered = Remembered {
            purpose,
            asked_at,
            state,
        };
        let text = serde_json::to_vec(&remembered).map_err(|_| PeopleError::PasskeyRefused)?;
        let sealed = key
            .seal(owner, &text)
            .map_err(|_| PeopleError::PasskeyRefused)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What was remembered of a question, and when it was asked.
    pub(super) fn opened<T: DeserializeOwned>(
        &self,
        sealed: &str,
        purpose: Purpose,
        owner: Uuid,
    ) -> Result<(T, OffsetDateTime), Refusal> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Refusal::Late)?;
        let key = self.sealing.as_ref().ok_or(Refusal::Late)?;
        let text = key.open(owner, &sealed).ok_or(Refusal::Late)?;
        let remembered: Remembered<T> = serde_json::from_slice(&text).map_err(|_| Refusal::Late)?;
        let age = self.clock.now().since(remembered.asked_at);
        if remembered.purpose != purpose || age > CEREMONY {
            return Err(Refusal::Late);
        }
        Ok((remembered.state, column(remembered.asked_at)))
    }
}

pub(super) fn question(
    options: &impl Serialize,
    ceremony: String,
) -> Result<Question, PeopleError> {
    let options = serde_json::to_value(options).map_err(|_| PeopleError::PasskeyRefused)?;
    Ok(Question { options, ceremony })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_need_a_host_name_and_a_safe_way() {
        for (url, possible) in [
            ("https://panel.example.org", true),
            ("https://panel.localhost:8443", true),
            ("http://localhost:8700", true),
            ("http://panel.example.org", false),
            ("https://192.0.2.7", false),
            ("http://127.0.0.1:8700", false),
        ] {
            let party = RelyingParty::of(&url.parse().unwrap());
            assert_eq!(party.is_some(), possible, "{url}");
        }
    }
}
