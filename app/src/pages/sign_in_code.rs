//! The second step of a sign-in: the code. The form is answered by the server, which knows about sessions.

use domain::path;
use leptos::prelude::*;

use super::{Asked, Page, own_page, sign_in};

pub(crate) fn page(asked: &Asked) -> Page {
    let next = own_page(asked.get("next"));
    let next = next.map(|next| view! { <input type="hidden" name="next" value=next.to_owned()/> });
    let wrong = (!asked.get("failed").is_empty()).then(|| {
        view! {
            <p class="error" role="alert" id="code-error">
                "The code is not right, or was used before. Type the one that is shown now; after several tries there is a pause."
            </p>
        }
    });
    let invalid = wrong.as_ref().map(|_| "true");
    let described = wrong
        .as_ref()
        .map_or("code-hint", |_| "code-error code-hint");
    let content = view! {
        <p class="brand">"OpenClaw Panel"</p>
        <div class="card">
            <h1>"Your code"</h1>
            <form class="form" method="post" action=path::SIGN_IN_CODE>
                {sign_in::throttled(asked)}
                {next}
                <div class="field">
                    <label for="code">"Code of your authenticator"</label>
                    <input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false"
                        required=true maxlength="40" autofocus=true aria-invalid=invalid aria-describedby=described/>
                    {wrong}
                    <p class="hint" id="code-hint">"Six digits. Without the phone: one of your recovery codes."</p>
                </div>
                <button class="btn primary">"Sign in"</button>
                <p class="hint">
                    <a href=path::SIGN_IN>"Begin again"</a>
                    ". With neither phone nor codes, an admin can remove the second factor."
                </p>
            </form>
        </div>
    }
    .to_html();
    Page::new("Your code", content)
}
