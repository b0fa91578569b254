//! What a one-time link opens: the page where a person chooses their password. The form is answered by the server, which
//! knows about sessions.

use domain::invitation::Wrong;
use domain::path;
use leptos::prelude::*;

use super::{Asked, Page};
use crate::panel::Panel;
use crate::ui::strength;

pub(crate) async fn page(panel: &Panel, token: &str, asked: &Asked) -> Page {
    let now = panel.clock.now();
    let (against, name) = match panel.invitations.invitation(token).await {
        Ok(Some(found)) => (found.against(now), found.name),
        Ok(None) => (
            Some(
                "There is no such link. It may be cut off: copy the whole of it. A newer link makes it void, too.",
            ),
            None,
        ),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn core::error::Error,
                "A one-time link could not be read"
            );
            let why = "The panel's database does not answer. Try again in a moment; the link is not used up.";
            (Some(why), None)
        }
    };
    let title = if name.is_none() && against.is_none() {
        "Become the first admin"
    } else {
        "Welcome"
    };
    let body = match against {
        Some(why) => view! {
            <p class="error" role="alert">{why}</p>
            <p class="hint"><a href=path::SIGN_IN>"Sign in"</a></p>
        }
        .into_any(),
        None => form(token, name, asked),
    };
    let content = view! {
        <p class="brand">"OpenClaw Panel"</p>
        <div class="card"><h1>{title}</h1>{body}</div>
    }
    .to_html();
    Page::new(title, content).awake()
}

fn form(token: &str, name: Option<String>, asked: &Asked) -> AnyView {
    let found = Wrong::parse(asked.get("wrong"));
    let wrong = |field: &str| {
        found.filter(|found| found.field() == field).map(|found| {
            let id = format!("{field}-error");
            view! { <p class="error" id=id role="alert">{found.sentence()}</p> }
        })
    };
    let invalid = |field: &str| found.filter(|found| found.field() == field).map(|_| "true");
    let (invalid_name, invalid_password, invalid_again) =
        (invalid("name"), invalid("password"), invalid("again"));
    let who = match name {
        Some(name) => view! {
            <p>"You sign in as "<b>{name.clone()}</b>". Choose your password."</p>
            // Password managers want to know whose password it is.
            <input type="hidden" name="username" autocomplete="username" value=name/>
        }
        .into_any(),
        None => view! {
            <p>"Nobody can sign in yet. Choose your name and password."</p>
            <div class="field">
                <label for="name">"Name"</label>
                <input id="name" name="name" value=asked.get("name").to_owned() autocomplete="username"
                    autocapitalize="none" spellcheck="false" required=true maxlength="40"
                    aria-invalid=invalid_name aria-describedby=invalid_name.map(|_| "name-error")/>
                {wrong("name")}
            </div>
        }
        .into_any(),
    };
    let described = match invalid_password {
        Some(_) => "password-error password-hint",
        None => "password-hint",
    };
    view! {
        <form class="form" method="post" action=path::welcome(token)>
            {who}
            <div class="field">
                <label for="password">"Password"</label>
                <input id="password" name="password" type="password" autocomplete="new-password" required=true
                    aria-invalid=invalid_password aria-describedby=described/>
                {strength::meter("password", Some(token))}
                {wrong("password")}
                <p class="hint" id="password-hint">
                    "At least 12 characters, and nothing that is easy to guess. A password manager makes a good one."
                </p>
            </div>
            <div class="field">
                <label for="again">"Password once more"</label>
                <input id="again" name="again" type="password" autocomplete="new-password" required=true
                    aria-invalid=invalid_again aria-describedby=invalid_again.map(|_| "again-error")/>
                {wrong("again")}
            </div>
            <button class="btn primary">"Choose and sign in"</button>
        </form>
    }
    .into_any()
}
