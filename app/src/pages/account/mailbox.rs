//! Where one gets mail about one's own account.

use domain::mailbox::OwnMailbox;
use domain::path;
use leptos::prelude::*;

use crate::call::{Call, Confirmed};
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::pages::Asked;

/// The form; nothing where the panel sends no mail and nobody has said anything.
pub(super) async fn card(call: &Call, asked: &Asked) -> Result<Option<AnyView>, PanelError> {
    let own = call.panel().mailboxes.of(call.viewer().person.id).await;
    let own = own.or_say(|| call.error_id())?;
    if call.panel().mail.is_none() && own.is_none() {
        return Ok(None);
    }
    let failed = own.as_ref().and_then(|own| own.failed.clone());
    let failed = failed.map(|why| {
        view! { <p class="error">"The last mail did not go out, and is tried again: "{why}</p> }
    });
    let body = match call.confirmed(Confirmed::ToAsk) {
        Ok(()) => form(asked, own.as_ref()),
        Err(_) => as_it_is(own.as_ref()),
    };
    let card = view! {
        <h2>"Mail about your account"</h2>
        <div class="card pad stack">
            {failed}
            <p class="hint">
                "You are told there when somebody signs in as you with a new browser, when the password, the second \
                 factor or the role of your account changes, and when a token is made for it."
            </p>
            {body}
        </div>
    };
    Ok(Some(card.into_any()))
}

/// Whoever has not confirmed lately who they are changes nothing.
fn as_it_is(own: Option<&OwnMailbox>) -> AnyView {
    let (to, way) = match own {
        Some(own) => (format!("It goes to {}. ", own.address), "Change it"),
        None => ("It goes nowhere yet. ".to_owned(), "Say where"),
    };
    let confirm = format!("{}?next={}", path::CONFIRM_IDENTITY, path::ACCOUNT);
    view! { <p>{to}<a href=confirm>{way}</a></p> }.into_any()
}

fn form(asked: &Asked, own: Option<&OwnMailbox>) -> AnyView {
    let wrong = asked.problem_with("mail");
    let typed = match (&wrong, own) {
        (None, Some(own)) => own.address.to_string(),
        _ => asked.get("mail").to_owned(),
    };
    let invalid = wrong.as_ref().map(|_| "true");
    let described = if wrong.is_some() {
        "mail-error mail-hint"
    } else {
        "mail-hint"
    };
    let wrong = wrong.map(|why| view! { <p class="error" id="mail-error" role="alert">{why}</p> });
    view! {
        <form class="form" method="post" action=endpoint::SET_MAIL>
            <div class="field">
                <label for="mail">"Your mail address"</label>
                <input id="mail" name="mail" type="text" inputmode="email" autocomplete="email" autocapitalize="none"
                    spellcheck="false" maxlength="254" value=typed aria-invalid=invalid aria-describedby=described/>
                {wrong}
                <p class="hint" id="mail-hint">"Empty: no mail. A new address gets one at once, and so does the old one."</p>
            </div>
            <div class="actions"><button class="btn">"Save"</button></div>
        </form>
    }
    .into_any()
}
