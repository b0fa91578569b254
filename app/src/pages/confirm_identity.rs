//! Asks who it is once more before an act that a borrowed session must not do: by the password, by a passkey, or by the
//! identity provider; the first and the last together with the second factor's code.

use domain::action::STEP_UP;
use domain::path;
use domain::ports::Proofs;
use domain::second_factor::SecondFactor;
use domain::words;
use leptos::prelude::*;

use super::sign_in::{by_provider, throttled, way_to_provider};
use super::{Asked, Page, own_page};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::ui::passkey::{self, Use};

const TITLE: &str = "Confirm that it is you";
const NO_WAY: &str = "You have no password here, and nothing else that confirms it is you. Ask an admin for a one-time link: \
                      by that you choose a password. A passkey confirms, too.";

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    let next = own_page(asked.get("next")).map(str::to_owned);
    let factor = call.viewer().person.second_factor;
    if let Some(factor) = factor.filter(|_| !asked.get("half").is_empty()) {
        let content = by_code(call, asked, next, factor);
        return Ok(Page::new(TITLE, content).at("account"));
    }
    let back = kept(next.clone());
    let wrong = asked.problem_with("password");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = wrong.as_ref().map(|_| "password-error");
    let wrong =
        wrong.map(|why| view! { <p class="error" id="password-error" role="alert">{why}</p> });
    let long = words::duration(STEP_UP);
    let passkey = factor.is_some_and(|factor| factor.passkeys > 0).then(|| {
        let form = passkey::answered(Use {
            action: endpoint::CONFIRM_BY_PASSKEY,
            question: path::OWN_PASSKEY,
            button: "Use your passkey",
            kept: next
                .clone()
                .map(|next| ("next", next))
                .into_iter()
                .collect(),
            wrong: asked.problem_with("passkey"),
        });
        view! { <div class="card pad">{form}</div> }
    });
    let proofs = call.panel().identities.of(call.viewer().person.id).await;
    let proofs = proofs.or_say(|| call.error_id())?;
    let provider = provider(call, asked, next.as_deref(), &proofs);
    let no_way = !proofs.has_password && provider.is_none() && passkey.is_none();
    let code = factor.map(|factor| code(asked, factor.authenticator));
    let password = proofs.has_password.then(|| view! {
        <form class="card pad form" method="post" action=endpoint::CONFIRM_IDENTITY>
            <p class="hint">
                "What comes next can lose a link or reveal a key, so the panel asks for your password again. It does \
                 not ask again for "{long}"."
            </p>
            // Password managers want to know whose password it is.
            <input type="hidden" name="username" autocomplete="username" value=call.viewer().person.name.clone()/>
            {back}
            <div class="field">
                <label for="password">"Your password"</label>
                <input id="password" name="password" type="password" autocomplete="current-password" required=true
                    maxlength="200" aria-invalid=invalid aria-describedby=described/>
                {wrong}
            </div>
            {code}
            <div class="actions">
                <a class="btn" href=path::HOME>"Not now"</a>
                <button class="btn primary">"Go on"</button>
            </div>
        </form>
    });
    let without = (!proofs.has_password).then(|| {
        view! {
            <p class="hint">
                "What comes next can lose a link or reveal a key. Once you have confirmed, the panel does not ask again \
                 for "{words::duration(STEP_UP)}"."
            </p>
            <div class="actions"><a class="btn" href=path::HOME>"Not now"</a></div>
        }
    });
    let no_way = no_way.then(|| view! { <p class="card note">{NO_WAY}</p> });
    let content = view! {
        <div class="crumb"><h1>{TITLE}</h1></div>
        <div class="stack">
            {passkey}
            {provider}
            {password}{no_way}{without}
        </div>
    }
    .to_html();
    Ok(Page::new(TITLE, content).at("account"))
}

/// Where to go on to.
fn kept(next: Option<String>) -> Option<impl IntoView + use<>> {
    next.map(|next| view! { <input type="hidden" name="next" value=next/> })
}

/// The second half, after the identity provider has said who it is.
fn by_code(call: &Call, asked: &Asked, next: Option<String>, factor: SecondFactor) -> String {
    let provider = call
        .panel()
        .provider_name()
        .unwrap_or("The identity provider");
    let said = format!(
        "{provider} says that it is you. The code of your second factor is the other half."
    );
    let again = way_to_provider(path::CONFIRM_IDENTITY, next.as_deref());
    let late = asked.problem_with("half").map(|why| {
        view! { <p class="error" role="alert">{why}</p> }
    });
    let code = code(asked, factor.authenticator);
    view! {
        <div class="crumb"><h1>{TITLE}</h1></div>
        <div class="stack">
            <form class="card pad form" method="post" action=endpoint::CONFIRM_BY_CODE>
                {late}
                <p class="hint">{said}</p>
                {kept(next)}
                {code}
                <div class="actions">
                    <a class="btn" href=again>"Begin again"</a>
                    <button class="btn primary">"Go on"</button>
                </div>
            </form>
        </div>
    }
    .to_html()
}

/// The way by the identity provider, for whoever it knows.
fn provider(call: &Call, asked: &Asked, next: Option<&str>, proofs: &Proofs) -> Option<AnyView> {
    let name = call.panel().provider_name()?;
    if proofs.subjects.is_empty() {
        return None;
    }
    let wrong = by_provider(asked, Some(name)).or_else(|| throttled(asked));
    let way = way_to_provider(path::CONFIRM_BY_PROVIDER, next);
    let hint = match call.viewer().person.second_factor {
        None => format!("{name} asks you once more who you are, and sends you back here."),
        Some(_) => format!(
            "{name} asks you once more who you are, and sends you back here for the code of your second factor."
        ),
    };
    let button = format!("Confirm with {name}");
    Some(
        view! {
            <div class="card pad form">
                {wrong}
                <p class="hint">{hint}</p>
                <div class="actions"><a class="btn" href=way>{button}</a></div>
            </div>
        }
        .into_any(),
    )
}

fn code(asked: &Asked, authenticator: bool) -> impl IntoView + use<> {
    let label = if authenticator {
        "Code of your authenticator, or a recovery code"
    } else {
        "A recovery code"
    };
    let wrong = asked.problem_with("code");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = wrong.as_ref().map(|_| "code-error");
    let wrong = wrong.map(|why| view! { <p class="error" id="code-error" role="alert">{why}</p> });
    view! {
        <div class="field">
            <label for="code">{label}</label>
            <input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false"
                required=true maxlength="40" aria-invalid=invalid aria-describedby=described/>
            {wrong}
        </div>
    }
}
