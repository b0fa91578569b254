//! The second step of a sign-in: the code. The form is answered by the server, which knows about sessions.

use domain::path;
use leptos::prelude::*;

use super::{Asked, Page, own_page, sign_in};
use crate::ui::passkey::{self, Use};

/// `with` says what somebody has besides the password: `passkey`, `both`, or nothing for an authenticator.
pub(crate) fn page(asked: &Asked) -> Page {
    let next = own_page(asked.get("next"));
    let with = asked.get("with");
    let passkey = matches!(with, "passkey" | "both").then(|| {
        let next = next.map(|next| ("next", next.to_owned()));
        passkey::answered(Use {
            action: path::SIGN_IN_CODE_PASSKEY,
            question: path::SIGN_IN_CODE_PASSKEY,
            button: "Use your passkey",
            kept: next
                .into_iter()
                .chain([("with", with.to_owned())])
                .collect(),
            wrong: sign_in::refused(asked),
        })
    });
    let (label, hint) = match with {
        "passkey" => (
            "A recovery code",
            "Without a device that has your passkey: one of your recovery codes.",
        ),
        _ => (
            "Code of your authenticator",
            "Six digits. Without the phone: one of your recovery codes.",
        ),
    };
    let with = (!with.is_empty())
        .then(|| view! { <input type="hidden" name="with" value=with.to_owned()/> });
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
            <h1>"Your second factor"</h1>
            {passkey}
            <form class="form" method="post" action=path::SIGN_IN_CODE>
                {sign_in::throttled(asked)}
                {next}{with}
                <div class="field">
                    <label for="code">{label}</label>
                    <input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false"
                        required=true maxlength="40" autofocus=true aria-invalid=invalid aria-describedby=described/>
                    {wrong}
                    <p class="hint" id="code-hint">{hint}</p>
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
    Page::new("Your second factor", content).awake()
}
