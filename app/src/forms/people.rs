//! Add, disable, enable, re-role and reset people.

use std::collections::BTreeMap;

use domain::action::Action;
use domain::path;
use domain::person::{Role, Roles};
use domain::ports::Disabled;
use leptos::prelude::*;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::call::{Call, Went, redirect_back, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::panel::Reveal;

/// Invites a person; the page then shows their one-time link once.
///
/// # Errors
/// Not allowed, or the name cannot be used.
#[server(prefix = "/api", endpoint = "people/add")]
pub async fn add_person(
    name: String,
    role: String,
    #[server(default)] on: BTreeMap<String, String>,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManagePeople, None).await?;
    let roles = known_roles(&role, &on)?;
    let invited = call
        .panel()
        .invitations
        .invite(permit, name.trim(), roles)
        .await;
    let (person, token) = match invited.or_say(|| call.error_id()) {
        Ok(invited) => invited,
        Err(wrong) => {
            let exceptions = on
                .iter()
                .map(|(gateway, word)| (format!("on-{gateway}"), word));
            let exceptions: Vec<_> = exceptions.collect();
            let mut typed = vec![("name", name.as_str()), ("role", role.as_str())];
            typed.extend(
                exceptions
                    .iter()
                    .map(|(field, word)| (field.as_str(), word.as_str())),
            );
            return Ok(redirect_back(path::PEOPLE, &typed, &wrong));
        }
    };
    show(&call, person.name, &token);
    Ok(redirect_to(path::PEOPLE))
}

fn show(call: &Call, name: String, token: &SecretString) {
    let link = path::welcome(token.expose_secret());
    let reveal = Reveal {
        name,
        secret: format!("{}{link}", call.panel().public_url).into(),
    };
    call.panel().reveals.put(call.viewer().person.id, reveal);
}

/// Keeps a person out and ends their sessions.
///
/// # Errors
/// Not allowed, or the last admin.
#[server(prefix = "/api", endpoint = "people/disable")]
pub async fn disable_person(id: String) -> Result<Went, PanelError> {
    set_disabled(&id, Disabled::Yes).await
}

/// Lets a person in again.
///
/// # Errors
/// Not allowed, or nobody of that id.
#[server(prefix = "/api", endpoint = "people/enable")]
pub async fn enable_person(id: String) -> Result<Went, PanelError> {
    set_disabled(&id, Disabled::No).await
}

async fn set_disabled(id: &str, disabled: Disabled) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManagePeople, None).await?;
    let people = &call.panel().people;
    let changed = people.set_disabled(permit, known_id(id)?, disabled).await;
    changed.or_say(|| call.error_id())?;
    Ok(redirect_to(path::PEOPLE))
}

/// Changes what a person may do: everywhere, and `on` which gateways something else. An empty word is no exception.
///
/// # Errors
/// Not allowed, or the last admin.
#[server(prefix = "/api", endpoint = "people/role")]
pub async fn set_role(
    id: String,
    role: String,
    #[server(default)] on: BTreeMap<String, String>,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManagePeople, None).await?;
    let roles = known_roles(&role, &on)?;
    let changed = call
        .panel()
        .people
        .set_roles(permit, known_id(&id)?, roles)
        .await;
    changed.or_say(|| call.error_id())?;
    Ok(redirect_to(path::PEOPLE))
}

/// Ends a person's password and sessions; the page then shows the one-time link once by which they choose another.
///
/// # Errors
/// Not allowed, or nobody of that id.
#[server(prefix = "/api", endpoint = "people/reset")]
pub async fn reset_password(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManagePeople, None).await?;
    let id = known_id(&id)?;
    let panel = call.panel();
    let person = panel.people.find(id).await.or_say(|| call.error_id())?;
    let person = person.ok_or_else(|| PanelError::gone("There is nobody of that name."))?;
    let token = panel.invitations.invite_again(permit, id).await;
    let token = token.or_say(|| call.error_id())?;
    show(&call, person.name, &token);
    Ok(redirect_to(path::PEOPLE))
}

/// Takes somebody's second factor away who lost it, and ends their sessions.
///
/// # Errors
/// Not allowed, or there is none.
#[server(prefix = "/api", endpoint = "people/second-factor")]
pub async fn reset_second_factor(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManagePeople, None).await?;
    let factors = &call.panel().second_factors;
    let reset = factors.reset(permit, known_id(&id)?).await;
    reset.or_say(|| call.error_id())?;
    Ok(redirect_to(path::PEOPLE))
}

/// Takes back who somebody is at the identity provider, and ends their sessions.
///
/// # Errors
/// Not allowed, nobody of that id, or the last admin, who has no password.
#[server(prefix = "/api", endpoint = "people/disconnect")]
pub async fn disconnect_person(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManagePeople, None).await?;
    let identities = &call.panel().identities;
    let gone = identities.disconnect(permit, known_id(&id)?).await;
    gone.or_say(|| call.error_id())?;
    Ok(redirect_to(path::PEOPLE))
}

fn known_roles(everywhere: &str, on: &BTreeMap<String, String>) -> Result<Roles, PanelError> {
    let mut roles = Roles::from(known_role(everywhere)?);
    for (gateway, word) in on.iter().filter(|(_, word)| !word.is_empty()) {
        let gateway = gateway.parse();
        let gateway = gateway
            .map_err(|_| PanelError::invalid("role", "There is no gateway of that name."))?;
        roles.on.insert(gateway, known_role(word)?);
    }
    Ok(roles)
}

fn known_role(word: &str) -> Result<Role, PanelError> {
    Role::parse(word).ok_or_else(|| PanelError::invalid("role", "Choose one of the roles."))
}

fn known_id(id: &str) -> Result<Uuid, PanelError> {
    id.parse()
        .map_err(|_| PanelError::gone("There is nobody of that name."))
}
