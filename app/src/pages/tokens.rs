//! Tokens by which programs act for oneself.

use domain::api_token::{ApiToken, may_give};
use domain::person::Role;
use domain::time::Timestamp;
use leptos::prelude::*;
use secrecy::ExposeSecret as _;

use super::{Asked, Page};
use crate::call::{Call, Confirmed};
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::panel::Reveal;
use crate::ui::moment;

/// How many days are offered at first.
const DAYS: &str = "90";

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    call.confirmed(Confirmed::ToAsk)?;
    let own = call.viewer().person.id;
    let tokens = call.panel().tokens.of(own).await;
    let tokens = tokens.or_say(|| call.error_id())?;
    // Last: what is taken is shown.
    let reveal = call.panel().new_tokens.take(own);
    let now = call.now();
    let rows: Vec<_> = tokens.iter().map(|token| row(token, call, now)).collect();
    let list = if rows.is_empty() {
        view! {
            <div class="card empty">
                <h2>"No program acts for you"</h2>
                <p>"A token lets a script or another system see and do what your role may, without your password."</p>
            </div>
        }
        .into_any()
    } else {
        view! { <ul class="card rows" role="list">{rows}</ul> }.into_any()
    };
    let content = view! {
        <div class="crumb"><h1>"Your tokens"</h1><p class="live"><a href="/api/v1/openapi.json">"The API's document"</a></p></div>
        {reveal.map(revealed)}
        {list}
        <h2>"Make a token"</h2>
        {make(call, asked)}
    }
    .to_html();
    Ok(Page::new("Your tokens", moment::fill(&content, now)).at("account"))
}

/// The one time that a token is shown.
fn revealed(reveal: Reveal) -> AnyView {
    view! {
        <section class="card pad stack" role="status">
            <p><b>"The token for "{reveal.name}</b></p>
            <p><code class="long" id="token-text">{reveal.secret.expose_secret().to_owned()}</code></p>
            <div class="actions">
                <button class="btn" type="button" hidden=true data-copy="token-text">"Copy"</button>
            </div>
            <p class="hint">"Shown now and never again: it is kept nowhere. Whoever has it acts as you."</p>
        </section>
    }
    .into_any()
}

fn row(token: &ApiToken, call: &Call, now: Timestamp) -> impl IntoView + use<> {
    let opens = token.roles_of(&call.viewer().person, now).is_some();
    let (class, word) = match (token.revoked_at, opens) {
        (Some(_), _) => ("chip is-unknown", "taken back"),
        (None, _) if token.expires_at <= now => ("chip is-unknown", "over"),
        (None, true) => ("chip is-done", "in use"),
        (None, false) => ("chip is-warn", "opens nothing: your role changed"),
    };
    let used = match token.last_used_at {
        Some(at) => view! { "last used "{moment::clock(at, now)} }.into_any(),
        None => "never used".into_any(),
    };
    let only = token.gateway.as_ref();
    let only = only.map_or(" on every gateway".to_owned(), |only| format!(" on {only}"));
    let revoke = token.revoked_at.is_none().then(|| {
        let label = format!("Take back {}", token.name);
        view! {
            <form method="post" action=endpoint::REVOKE_TOKEN>
                <input type="hidden" name="id" value=token.id.to_string()/>
                <button class="btn quiet" aria-label=label>"Take back"</button>
            </form>
        }
    });
    view! {
        <li>
            <b>{token.name.clone()}</b>
            <small>
                {token.role.as_str()}{only}" · "{used}" · until "{moment::clock(token.expires_at, now)}
            </small>
            <div class="end"><span class=class>{word}</span>{revoke}</div>
        </li>
    }
}

fn make(call: &Call, asked: &Asked) -> impl IntoView + use<> {
    let own = &call.viewer().person.roles;
    let wrong = |field: &str| {
        asked.problem_with(field).map(|why| {
            let id = format!("{field}-error");
            view! { <p class="error" id=id role="alert">{why}</p> }
        })
    };
    let name_wrong = wrong("name");
    let days_wrong = wrong("days");
    let role_wrong = wrong("role");
    let invalid_name = name_wrong.as_ref().map(|_| "true");
    let invalid_days = days_wrong.as_ref().map(|_| "true");
    let chosen = Role::parse(asked.get("role")).unwrap_or(Role::Viewer);
    let roles: Vec<_> = Role::ALL
        .into_iter()
        .filter(|role| own.all().any(|own| may_give(own, *role)))
        .map(|role| view! { <option value=role.as_str() selected=role == chosen>{role.as_str()}</option> })
        .collect();
    let only = asked.get("gateway").to_owned();
    let gateways: Vec<_> = call
        .gateways()
        .into_iter()
        .map(|gateway| {
            let id = gateway.id.to_string();
            view! { <option value=id.clone() selected=id == only>{gateway.name}</option> }
        })
        .collect();
    let days = match asked.get("days") {
        "" => DAYS.to_owned(),
        days => days.to_owned(),
    };
    view! {
        <form class="card pad form" method="post" action=endpoint::MAKE_TOKEN>
            <div class="field">
                <label for="name">"What it is for"</label>
                <input id="name" name="name" value=asked.get("name").to_owned() required=true maxlength="60"
                    autocomplete="off" placeholder="deploy script" aria-invalid=invalid_name
                    aria-describedby=invalid_name.map(|_| "name-error")/>
                {name_wrong}
            </div>
            <div class="field">
                <label for="role">"As"</label>
                <select id="role" name="role">{roles}</select>
                {role_wrong}
                <p class="hint">"The least that does it. What asks for your password again a token can never do."</p>
            </div>
            <div class="field">
                <label for="gateway">"On"</label>
                <select id="gateway" name="gateway"><option value="">"every gateway"</option>{gateways}</select>
            </div>
            <div class="field">
                <label for="days">"For how many days"</label>
                <input id="days" name="days" inputmode="numeric" value=days required=true maxlength="3"
                    aria-invalid=invalid_days aria-describedby=invalid_days.map(|_| "days-error")/>
                {days_wrong}
            </div>
            <div class="actions"><button class="btn primary">"Make"</button></div>
        </form>
    }
}
