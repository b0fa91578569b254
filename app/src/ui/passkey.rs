//! Forms that a passkey answers. They are hidden until the page is awake and the browser can do it.

use domain::passkey::NAME;
use leptos::prelude::*;

use crate::forms::endpoint;
use crate::pages::Asked;

/// What a form asks of a device.
pub(crate) struct Use {
    /// Where the form posts to.
    pub(crate) action: &'static str,
    /// Where the question is.
    pub(crate) question: &'static str,
    pub(crate) button: &'static str,
    /// What goes along unseen: where to go on to, and what the page knows.
    pub(crate) kept: Vec<(&'static str, String)>,
    /// What happened before.
    pub(crate) wrong: Option<String>,
}

/// A form that is answered by one of the passkeys that somebody has.
pub(crate) fn answered(of: Use) -> AnyView {
    let kept: Vec<_> = of
        .kept
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect();
    let wrong = of
        .wrong
        .map(|why| view! { <p class="error" role="alert">{why}</p> });
    view! {
        <form class="form passkey" method="post" action=of.action hidden=true data-passkey=of.question
            data-waiting="Waiting for your device. It may ask for a finger, a face or a PIN."
            data-sending="Checking …"
            data-cancelled="Nothing was chosen, or it took too long. Try again."
            data-failed="This browser could not use a passkey here. Use the password.">
            {kept}
            <input type="hidden" name="ceremony"/>
            <input type="hidden" name="credential"/>
            {wrong}
            <div class="actions"><button class="btn">{of.button}</button></div>
            <p class="hint" role="status"></p>
        </form>
    }
    .into_any()
}

/// A form that is answered by a passkey that is made.
pub(crate) fn made(asked: &Asked) -> AnyView {
    let wrong = asked.problem_with("passkey");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = if wrong.is_some() {
        "passkey-error passkey-hint"
    } else {
        "passkey-hint"
    };
    let wrong =
        wrong.map(|why| view! { <p class="error" id="passkey-error" role="alert">{why}</p> });
    view! {
        <form class="form passkey" method="post" action=endpoint::ADD_PASSKEY hidden=true
            data-passkey=domain::path::NEW_PASSKEY data-makes=""
            data-waiting="Waiting for your device. It may ask for a finger, a face or a PIN."
            data-sending="Keeping it …"
            data-cancelled="No passkey was made, or it took too long. Try again."
            data-known="This device has a passkey for this panel already."
            data-failed="This browser could not make a passkey here. Try another browser or device.">
            <div class="field">
                <label for="passkey">"Name of the new passkey"</label>
                <input id="passkey" name="name" required=true maxlength=NAME.to_string() autocomplete="off"
                    placeholder="phone" aria-invalid=invalid aria-describedby=described/>
                {wrong}
                <p class="hint" id="passkey-hint">"Which device, or which password manager, so that you know it again."</p>
            </div>
            <input type="hidden" name="ceremony"/>
            <input type="hidden" name="credential"/>
            <div class="actions"><button class="btn">"Add a passkey"</button></div>
            <p class="hint" role="status"></p>
        </form>
        <noscript><p class="hint">"Making a passkey needs JavaScript. An authenticator does not."</p></noscript>
    }
    .into_any()
}
