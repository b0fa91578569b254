//! One's own account: who one is, and the password.

mod mailbox;
pub(crate) mod sessions;

use domain::path;
use domain::second_factor::SecondFactor;
use leptos::prelude::*;

use super::{Asked, Page};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::ui::{moment, strength};

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    let viewer = call.viewer();
    let now = call.now();
    let done = match asked.get("done") {
        "password" => Some("Your password is changed. Other devices are signed out."),
        "session" => Some(
            "It is signed out. If it was not you, change your password now: whoever it was knows it. Then look through your \
             passkeys and tokens: they may have added one.",
        ),
        "sessions" => Some("Every other device is signed out."),
        "mail" => Some("Mail about your account goes there from now on. One is on its way."),
        "mail-later" => Some(
            "The address is kept, but the first mail to it did not go out: an admin looks at the mail server.",
        ),
        "mail-gone" => Some("No mail about your account is sent any more."),
        _ => None,
    };
    let done = done.map(|done| {
        view! { <div class="banner is-done" role="status"><p>{done}</p></div> }
    });
    let (factor, way) = match viewer.person.second_factor {
        Some(SecondFactor {
            authenticator: true,
            passkeys: 0,
            ..
        }) => ("an authenticator", "Change it"),
        Some(SecondFactor {
            authenticator: true,
            ..
        }) => ("an authenticator and passkeys", "Change them"),
        Some(_) => ("passkeys", "Change them"),
        None => ("none", "Set one up"),
    };
    let proofs = call.panel().identities.of(viewer.person.id).await;
    let proofs = proofs.or_say(|| call.error_id())?;
    let provider = call.panel().provider_name();
    let provider = provider.filter(|_| !proofs.subjects.is_empty());
    let by = match (provider, proofs.has_password) {
        (Some(provider), true) => format!("by {provider}, or by the password"),
        (Some(provider), false) => format!("by {provider}"),
        (None, true) => "by the password".to_owned(),
        // By a passkey alone, or by a provider that the configuration names no more.
        (None, false) => "without a password".to_owned(),
    };
    let password = if proofs.has_password {
        change_password(&viewer.person.name, asked).into_any()
    } else {
        view! {
            <p class="card note">
                "You have no password here. If you want one, ask an admin for a one-time link: you choose it by that."
            </p>
        }
        .into_any()
    };
    let mail = mailbox::card(call, asked).await?;
    let content = view! {
        <div class="crumb"><h1>"Your account"</h1></div>
        {done}
        <dl class="card pairs">
            <dt>"Name"</dt><dd>{viewer.person.name.clone()}</dd>
            <dt>"Role"</dt><dd>{viewer.person.roles.to_string()}</dd>
            <dt>"Signing in"</dt><dd>{by}</dd>
            <dt>"Second factor"</dt><dd>{factor}" "<a href=path::SECOND_FACTOR>{way}</a></dd>
            <dt>"Programs"</dt><dd><a href=path::TOKENS>"Tokens for the API"</a></dd>
            <dt>"Signed in"</dt><dd>{moment::clock(viewer.signed_in_at, now)}</dd>
        </dl>
        {password}
        {mail}
        {sessions::card(call)}
        <form class="card pad actions" method="post" action=path::SIGN_OUT>
            <button class="btn quiet">"Sign out"</button>
        </form>
    }
    .to_html();
    Ok(Page::new("Your account", moment::fill(&content, now)).at("account"))
}

fn change_password(name: &str, asked: &Asked) -> impl IntoView + use<> {
    view! {
        <h2>"Change the password"</h2>
        <form class="card pad form" method="post" action=endpoint::CHANGE_PASSWORD>
            // Password managers want to know whose password it is.
            <input type="hidden" name="username" autocomplete="username" value=name.to_owned()/>
            {field("old", "Present password", "current-password", asked)}
            {field("new", "New password", "new-password", asked)}
            {field("again", "New password once more", "new-password", asked)}
            <div class="actions"><button class="btn primary">"Change"</button></div>
        </form>
    }
}

fn field(
    name: &'static str,
    label: &'static str,
    autocomplete: &'static str,
    asked: &Asked,
) -> impl IntoView + use<> {
    let wrong = asked.problem_with(name);
    let error = format!("{name}-error");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = wrong.as_ref().map(|_| error.clone());
    let hint = (name == "new").then(|| view! { <p class="hint">"At least 12 characters, and nothing that is easy to guess."</p> });
    let meter = (name == "new").then(|| strength::meter("new", None));
    let wrong = wrong.map(|why| view! { <p class="error" id=error role="alert">{why}</p> });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input id=name name=name type="password" autocomplete=autocomplete required=true
                aria-invalid=invalid aria-describedby=described/>
            {hint}{meter}{wrong}
        </div>
    }
}
