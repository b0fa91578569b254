//! One's passkeys on the page of the second factor.

use domain::passkey::Passkey;
use domain::time::Timestamp;
use leptos::prelude::*;

use crate::call::Call;
use crate::forms::endpoint;
use crate::pages::Asked;
use crate::ui::{moment, passkey};

pub(super) fn section(call: &Call, keys: &[Passkey], must: bool, asked: &Asked) -> AnyView {
    let now = call.now();
    let factor = call.viewer().person.second_factor;
    let last = keys.len() < 2 && factor.is_none_or(|factor| !factor.authenticator);
    let rows: Vec<_> = keys.iter().map(|key| row(key, must && last, now)).collect();
    let list = (!rows.is_empty()).then(|| view! { <ul class="card rows" role="list">{rows}</ul> });
    let add = if call.panel().passkeys.possible() {
        passkey::made(asked)
    } else {
        view! {
            <p class="hint">
                "Browsers make no passkeys for this panel's address: they need a host name and https in "
                <code>"public_url"</code>"."
            </p>
        }
        .into_any()
    };
    view! {
        <h2>"Passkeys"</h2>
        <div class="stack">
            {list}
        <section class="card pad stack">
            <p>
                "A passkey is a key that your phone, your computer or a security key keeps and unlocks for you alone, by "
                "finger, face or PIN. It signs you in without a password, and cannot be typed into a wrong page."
            </p>
            {add}
        </section>
        </div>
    }
    .into_any()
}

fn row(key: &Passkey, must_stay: bool, now: Timestamp) -> impl IntoView + use<> {
    let used = match key.last_used_at {
        Some(at) => view! { "last used "{moment::clock(at, now)} }.into_any(),
        None => "never used".into_any(),
    };
    let remove = if must_stay {
        view! { <span class="chip">"your last one: it stays"</span> }.into_any()
    } else {
        let label = format!("Remove {}", key.name);
        let hint_id = format!("remove-{}", key.id);
        view! {
            <form method="post" action=endpoint::REMOVE_PASSKEY>
                <input type="hidden" name="id" value=key.id.to_string()/>
                <button class="btn quiet" aria-label=label aria-describedby=hint_id.clone()>"Remove"</button>
                <span class="sr" id=hint_id>
                    "At once: it opens nothing more, and your other devices are signed out."
                </span>
            </form>
        }
        .into_any()
    };
    view! {
        <li>
            <b>{key.name.clone()}</b>
            <small>"since "{moment::clock(key.made_at, now)}" · "{used}</small>
            <div class="end">{remove}</div>
        </li>
    }
}
