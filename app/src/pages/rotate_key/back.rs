//! The old key once more: only what the latest rotation replaced, and only while it is kept.

use domain::credential::Fingerprint;
use domain::gateway::GatewayId;
use domain::key_rotation::KeyRotation;
use domain::operation::OperationId;
use leptos::prelude::*;

use super::super::Asked;
use super::checks::{Check, State};
use crate::call::Call;

/// The name of the rotation in the URL and in the form.
pub(crate) const PUTS_BACK: &str = "puts_back";

/// What is asked to come back.
pub(super) struct Back {
    rotation: String,
    /// Its fingerprint, or why not.
    key: Result<Fingerprint, String>,
}

impl Back {
    /// As the URL asks for it; `None` when a new key is asked for.
    pub(super) async fn of(
        call: &Call,
        gateway: &GatewayId,
        latest: Option<&KeyRotation>,
        asked: &Asked,
    ) -> Option<Self> {
        let rotation = asked.get(PUTS_BACK);
        if rotation.is_empty() {
            return None;
        }
        let operation = rotation.parse().ok().map(OperationId);
        let last = latest.map(|latest| latest.operation);
        let key = match operation.filter(|operation| last == Some(*operation)) {
            None => Err(
                "The key was rotated again since, so the one before that does not come back."
                    .to_owned(),
            ),
            Some(operation) => match call.panel().keys.kept(gateway, operation).await {
                Ok(Some(fingerprint)) => Ok(fingerprint),
                Ok(None) => Err(
                    "It is not kept any more: it goes once everybody has the new one, and after 7 days."
                        .to_owned(),
                ),
                Err(fault) => Err(fault.message),
            },
        };
        Some(Self {
            rotation: rotation.to_owned(),
            key,
        })
    }

    pub(super) fn check(&self) -> Check {
        let what = "The old key";
        match &self.key {
            Ok(fingerprint) => Check::new(
                what,
                State::Fine,
                format!("It is kept, fingerprint {fingerprint}."),
            ),
            Err(why) => Check::new(what, State::Against, why),
        }
    }

    pub(super) fn field(&self) -> impl IntoView + use<> {
        view! { <input type="hidden" name=PUTS_BACK value=self.rotation.clone()/> }
    }
}

/// What it does and interrupts.
pub(super) fn plan(gap: &str) -> impl IntoView + use<> {
    let gap = gap.to_owned();
    view! {
        <p>
            "The old key is written into .env again, the container is recreated with it, and it is proved that it is \
             taken and the new one refused. In the register the rotation counts as not done."
        </p>
        <p>
            <b>"What is interrupted. "</b>
            "No messages get through for "{gap}". Whoever has the new key by now fails from the moment that the \
             container answers until they have the old one again; whoever kept the old one works again."
        </p>
    }
}
