//! The sign-in page. The form is answered by the server, which knows about sessions.

use core::time::Duration;

use domain::identity::Refusal;
use domain::path;
use domain::words;
use leptos::prelude::*;

use super::{Asked, Page, encoded, own_page};
use crate::ui::passkey::{self, Use};

/// With `passkeys` there is a way in without a password, and with a `provider` there is another one.
pub(crate) fn page(asked: &Asked, passkeys: bool, provider: Option<&str>) -> Page {
    let next = own_page(asked.get("next"));
    let said = by_provider(asked, provider).or_else(|| said(asked));
    let provider = provider.map(|name| {
        // A link and no form: browsers would not follow a form to another site.
        let way = way_to_provider(path::SIGN_IN_PROVIDER, next);
        let button = format!("Sign in with {name}");
        view! { <div class="actions"><a class="btn" href=way>{button}</a></div> }
    });
    let passkey = passkeys.then(|| {
        passkey::answered(Use {
            action: path::SIGN_IN_PASSKEY,
            question: path::SIGN_IN_PASSKEY,
            button: "Sign in with a passkey",
            kept: next
                .map(|next| ("next", next.to_owned()))
                .into_iter()
                .collect(),
            wrong: refused(asked),
        })
    });
    let next = next.map(|next| view! { <input type="hidden" name="next" value=next.to_owned()/> });
    let content = view! {
        <p class="brand">"OpenClaw Panel"</p>
        <div class="card">
            <h1>"Sign in"</h1>
            <form class="form" method="post" action=path::SIGN_IN>
                {said}
                {next}
                <div class="field">
                    <label for="name">"Name"</label>
                    <input id="name" name="name" autocomplete="username" autocapitalize="none"
                        spellcheck="false" required=true maxlength="40"/>
                </div>
                <div class="field">
                    <label for="password">"Password"</label>
                    <input id="password" name="password" type="password"
                        autocomplete="current-password" required=true maxlength="200"/>
                </div>
                <button class="btn primary">"Sign in"</button>
            </form>
            {provider}
            {passkey}
        </div>
    }
    .to_html();
    Page::new("Sign in", content).awake()
}

/// The way to the identity provider, and where it leads on to.
pub(super) fn way_to_provider(way: &str, next: Option<&str>) -> String {
    match next {
        Some(next) => format!("{way}?next={}", encoded(next)),
        None => way.to_owned(),
    }
}

/// Why the identity provider opened nothing.
pub(super) fn by_provider(asked: &Asked, provider: Option<&str>) -> Option<AnyView> {
    let said = Refusal::parse(asked.get("oidc"))?.sentence(provider?);
    Some(view! { <p class="error" role="alert">{said}</p> }.into_any())
}

/// That a passkey opened nothing.
pub(super) fn refused(asked: &Asked) -> Option<String> {
    let refused = !asked.get("refused").is_empty();
    refused.then(|| {
        "The passkey was not accepted: it is not known here, or it took too long. Try again, or use the password.".to_owned()
    })
}

/// How long to wait, after too many tries.
pub(super) fn throttled(asked: &Asked) -> Option<AnyView> {
    let seconds = asked.get("throttled").parse::<u64>().ok()?;
    let wait = words::duration(Duration::from_secs(seconds.clamp(1, 86_400)));
    let said = format!("Too many tries. Wait {wait}, then try again.");
    Some(view! { <p class="error" role="alert">{said}</p> }.into_any())
}

/// What happened before; never which of name and password was wrong.
fn said(asked: &Asked) -> Option<AnyView> {
    if let Some(throttled) = throttled(asked) {
        return Some(throttled);
    }
    if !asked.get("late").is_empty() {
        return Some(
            view! { <p class="hint" role="status">"The code came too late. Begin again with name and password."</p> }
                .into_any(),
        );
    }
    if !asked.get("failed").is_empty() {
        return Some(
            view! { <p class="error" role="alert">"Name or password is not right. After several tries there is a pause."</p> }
                .into_any(),
        );
    }
    if !asked.get("ended").is_empty() {
        return Some(
            view! { <p class="hint" role="status">"Your session has ended. Sign in again."</p> }
                .into_any(),
        );
    }
    None
}
