//! People: who may sign in, and as what.

use domain::action::Action;
use domain::gateway::Gateway;
use domain::path;
use domain::person::{Person, Role, Roles};
use domain::time::Timestamp;
use leptos::prelude::*;
use secrecy::ExposeSecret as _;

use super::{Asked, Page};
use crate::call::{Call, Confirmed};
use crate::error::{OrSay as _, PanelError, counted};
use crate::forms::endpoint;
use crate::panel::Reveal;
use crate::ui::moment;

/// What it is called where the configuration has none any more.
const PROVIDER: &str = "an identity provider";

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    call.permit(Action::ViewPeople, None).await?;
    let people = call.panel().people.list().await;
    let people = people.or_say(|| call.error_id())?;
    let connected = call.panel().identities.all().await;
    let connected = connected.or_say(|| call.error_id())?;
    let provider = call.panel().provider_name().unwrap_or(PROVIDER);
    let own = call.viewer().person.id;
    let reveal = call.panel().reveals.take(own).map(revealed);
    let now = call.now();
    let count = counted(people.len(), "person", "people");
    let problem = asked.problem_with("person").map(|why| {
        view! { <p class="error" role="alert">{why}</p> }
    });
    let may_change = call.confirmed(Confirmed::ToAsk).is_ok();
    let confirm = (!may_change).then(|| {
        let way = format!("{}?next={}", path::CONFIRM_IDENTITY, path::PEOPLE);
        view! {
            <p class="card note">
                "To add or change people, "<a href=way>"confirm that it is you"</a>"."
            </p>
        }
    });
    let gateways = call.panel().observations.gateways();
    let rows: Vec<_> = people
        .iter()
        .map(|person| {
            let is_connected = connected.iter().any(|(id, _)| *id == person.id);
            let by = is_connected.then_some(provider);
            row(person, by, (person.id == own, may_change), &gateways, now)
        })
        .collect();
    let add = may_change.then(|| view! { <h2>"Invite a person"</h2>{add(asked, &gateways)} });
    let content = view! {
        <div class="crumb"><h1>"People"</h1><p class="live">{count}</p></div>
        {reveal}{problem}{confirm}
        <ul class="card rows" role="list">{rows}</ul>
        {add}
    }
    .to_html();
    Ok(Page::new("People", moment::fill(&content, now)).at("people"))
}

/// The one time that a person's link is shown.
fn revealed(reveal: Reveal) -> AnyView {
    view! {
        <section class="card pad stack" role="status">
            <p><b>"The one-time link of "{reveal.name}</b></p>
            <p><code class="long" id="link-text">{reveal.secret.expose_secret().to_owned()}</code></p>
            <div class="actions">
                <button class="btn" type="button" hidden=true data-copy="link-text">"Copy"</button>
                <button class="btn" type="button" hidden=true data-share="link-text">"Share"</button>
            </div>
            <p class="hint">
                "Shown now and never again. It opens once, within 24 hours, and lets whoever opens it choose the password: \
                 send it to nobody else."
            </p>
        </section>
    }
    .into_any()
}

fn row(
    person: &Person,
    by: Option<&str>,
    (own, may_change): (bool, bool),
    gateways: &[Gateway],
    now: Timestamp,
) -> impl IntoView + use<> {
    let id = person.id.to_string();
    let seen = match (person.invited_until, person.last_seen_at) {
        // Also while a link is open: by an identity provider they come in without it.
        (Some(until), Some(at)) if until > now => view! {
            "last seen "{moment::clock(at, now)}" · a one-time link opens until "{moment::clock(until, now)}
        }
        .into_any(),
        (Some(until), None) if until > now => {
            view! { "invited; the link opens until "{moment::clock(until, now)} }.into_any()
        }
        (Some(_), None) => "invited; the link was not used and opens no more".into_any(),
        (_, Some(at)) => view! { "last seen "{moment::clock(at, now)} }.into_any(),
        (None, None) => "never signed in".into_any(),
    };
    let one_time = person
        .password_is_one_time
        .then_some(" · password not changed yet");
    let factor = match &person.second_factor {
        Some(_) => " · second factor in use",
        None => " · no second factor",
    };
    let out = person
        .disabled_at
        .map(|_| view! { <span class="chip is-unknown">"kept out"</span> });
    let on = person.roles.on.iter();
    let on: Vec<_> = on
        .map(|(gateway, role)| format!("{} on {gateway}", role.as_str()))
        .map(|said| view! { <span class="chip">{said}</span> })
        .collect();
    let change = if own {
        view! { <span>"you"</span> }.into_any()
    } else {
        may_change
            .then(|| change(person, by, &id, gateways))
            .into_any()
    };
    let by = by.map(|provider| format!(" · signs in by {provider}"));
    view! {
        <li>
            <b>{person.name.clone()}</b>
            <small>{seen}{one_time}{by}{factor}</small>
            <div class="end"><span class="chip">{person.roles.everywhere.as_str()}</span>{on}{out}{change}</div>
        </li>
    }
}

fn change(person: &Person, by: Option<&str>, id: &str, gateways: &[Gateway]) -> AnyView {
    let name = &person.name;
    let (to, word, access) = if person.disabled_at.is_some() {
        (
            endpoint::ENABLE_PERSON,
            "Let in again",
            format!("At once: {name} can sign in again, with the password of before."),
        )
    } else {
        (
            endpoint::DISABLE_PERSON,
            "Keep out",
            format!(
                "At once: {name} is signed out everywhere and cannot sign in until you let them in again here."
            ),
        )
    };
    let role = match by {
        None => format!(
            "At once: {name} is signed out everywhere and signs in again with the new role. Set it back here."
        ),
        Some(provider) => format!(
            "At once: {name} is signed out everywhere. When they sign in by {provider}, their groups there decide the role everywhere again, unless they are admin; roles on single gateways stay as they are set here. To hold {name} back for good, change the groups at {provider}, or keep them out."
        ),
    };
    let password = format!(
        "At once: the present password of {name} ends, and with it every session. A one-time link is shown here once, for you to hand over: {name} chooses another password by it. There is no way back to the old one. Passkeys and tokens stay: where somebody else may have been in the account, take those away below, too."
    );
    let role_hint = format!("role-hint-{id}");
    let factor = person.second_factor.map(|_| {
        let hint = format!(
            "For a lost phone. At once: {name} is signed out everywhere, and the password alone opens the account until they set up another one. Be sure that it is {name} who asks."
        );
        act(endpoint::RESET_SECOND_FACTOR, (id, "factor"), "Remove second factor".to_owned(), hint)
    });
    let provider = by.map(|provider| {
        let hint = format!(
            "At once: {name} is signed out everywhere and signs in by {provider} no more. Who has no password here then needs a one-time link. Connect them again with panel user connect."
        );
        let word = format!("Disconnect from {provider}");
        act(endpoint::DISCONNECT_PERSON, (id, "provider"), word, hint)
    });
    let sessions =
        format!("At once: {name} is signed out on every device and signs in again as before.");
    let tokens =
        format!("At once: no program acts for {name} any more, until they make new tokens.");
    let label = format!("Change {}", person.name);
    let role_label = format!("Role of {}", person.name);
    view! {
        <details>
            <summary class="btn quiet" aria-label=label>"Change"</summary>
            <form class="form" method="post" action=endpoint::SET_ROLE>
                <input type="hidden" name="id" value=id.to_owned()/>
                {role_fields((id, role_label), &person.roles, gateways)}
                <button class="btn quiet" aria-describedby=role_hint.clone()>"Set role"</button>
                <p class="hint" id=role_hint>{role}</p>
            </form>
            {act(to, (id, "access"), word.to_owned(), access)}
            {act(endpoint::RESET_PASSWORD, (id, "password"), "New one-time link".to_owned(), password)}
            {factor}
            {provider}
            {act(endpoint::REVOKE_TOKENS_OF, (id, "tokens"), "Take back all tokens".to_owned(), tokens)}
            {act(endpoint::END_SESSIONS_OF, (id, "sessions"), "Sign out everywhere".to_owned(), sessions)}
        </details>
    }
    .into_any()
}

/// One act on a person, with what it does.
fn act(to: &'static str, (id, name): (&str, &str), word: String, hint: String) -> AnyView {
    let hint_id = format!("{name}-hint-{id}");
    view! {
        <form method="post" action=to>
            <input type="hidden" name="id" value=id.to_owned()/>
            <button class="btn quiet" aria-describedby=hint_id.clone()>{word}</button>
            <p class="hint" id=hint_id>{hint}</p>
        </form>
    }
    .into_any()
}

/// The role everywhere, and the one on each gateway, which is the same unless something is chosen.
fn role_fields((of, label): (&str, String), chosen: &Roles, gateways: &[Gateway]) -> AnyView {
    // One that is not in the configuration any more may come back to it.
    let gone = chosen.on.keys();
    let gone = gone.filter(|id| gateways.iter().all(|gateway| gateway.id != **id));
    let names = gateways.iter().map(|known| (&known.id, known.name.clone()));
    let exceptions: Vec<_> = names
        .chain(gone.map(|id| (id, format!("{id} (not configured)"))))
        .map(|(gateway, name)| {
            let field = format!("on-{gateway}-{of}");
            let own = chosen.on.get(gateway).copied();
            view! {
                <div class="field">
                    <label for=field.clone()>"On "{name}</label>
                    <select id=field name=format!("on[{gateway}]")>
                        <option value="" selected=own.is_none()>"the same"</option>
                        {roles(own)}
                    </select>
                </div>
            }
        })
        .collect();
    let field = format!("role-{of}");
    view! {
        <div class="field">
            <label for=field.clone()>{label}</label>
            <select id=field name="role">{roles(Some(chosen.everywhere))}</select>
        </div>
        {exceptions}
    }
    .into_any()
}

fn roles(chosen: Option<Role>) -> impl IntoView {
    let roles = Role::ALL.into_iter().map(|role| {
        view! { <option value=role.as_str() selected=Some(role) == chosen>{role.as_str()}</option> }
    });
    roles.collect::<Vec<_>>()
}

fn add(asked: &Asked, gateways: &[Gateway]) -> impl IntoView + use<> {
    let wrong = asked.problem_with("name");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = wrong.as_ref().map(|_| "name-error");
    let wrong = wrong.map(|why| view! { <p class="error" id="name-error" role="alert">{why}</p> });
    // What was typed before comes back with what is wrong with it.
    let mut chosen = Roles::from(Role::parse(asked.get("role")).unwrap_or(Role::Viewer));
    for gateway in gateways {
        let word = asked.get(&format!("on-{}", gateway.id));
        chosen
            .on
            .extend(Role::parse(word).map(|role| (gateway.id.clone(), role)));
    }
    view! {
        <form class="card pad form" method="post" action=endpoint::ADD_PERSON>
            <div class="field">
                <label for="name">"Name"</label>
                <input id="name" name="name" autocomplete="off" autocapitalize="none" spellcheck="false"
                    required=true maxlength="40" value=asked.get("name").to_owned() aria-invalid=invalid aria-describedby=described/>
                {wrong}
            </div>
            {role_fields(("new", "Role".to_owned()), &chosen, gateways)}
            <p class="hint">
                "An operator acts on gateways. A manager reads the audit trail. A viewer looks and changes nothing. None: \
                 nothing, but for the gateways where another role is chosen."
            </p>
            <div class="actions"><button class="btn primary">"Invite"</button></div>
        </form>
    }
}
