//! Add, disable, enable, re-role and reset people.

use domain::action::Action;
use domain::path;
use domain::person::Role;
use domain::ports::Disabled;
use leptos::prelude::*;
use uuid::Uuid;

use crate::call::{Call, Went, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::panel::Reveal;

/// Adds a person; the page then shows the one-time password once.
///
/// # Errors
/// Not allowed, or the name cannot be used.
#[server(prefix = "/api", endpoint = "people/add")]
pub async fn add_person(name: String, role: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManagePeople, None).await?;
    let role = known_role(&role)?;
    let added = call.panel().people.add(permit, name.trim(), role).await;
    let (person, password) = added.or_say(|| call.error_id())?;
    let reveal = Reveal {
        name: person.name,
        secret: password,
    };
    call.panel().reveals.put(call.viewer().person.id, reveal);
    Ok(redirect_to(path::PEOPLE))
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

/// Changes a role.
///
/// # Errors
/// Not allowed, or the last admin.
#[server(prefix = "/api", endpoint = "people/role")]
pub async fn set_role(id: String, role: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManagePeople, None).await?;
    let role = known_role(&role)?;
    let changed = call
        .panel()
        .people
        .set_role(permit, known_id(&id)?, role)
        .await;
    changed.or_say(|| call.error_id())?;
    Ok(redirect_to(path::PEOPLE))
}

/// Gives a new one-time password, shown once, and ends their sessions.
///
/// # Errors
/// Not allowed, or nobody of that id.
#[server(prefix = "/api", endpoint = "people/reset")]
pub async fn reset_password(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManagePeople, None).await?;
    let id = known_id(&id)?;
    let people = &call.panel().people;
    let person = people.find(id).await.or_say(|| call.error_id())?;
    let person = person.ok_or_else(|| PanelError::gone("There is nobody of that name."))?;
    let password = people.reset_password(permit, id).await;
    let reveal = Reveal {
        name: person.name,
        secret: password.or_say(|| call.error_id())?,
    };
    call.panel().reveals.put(call.viewer().person.id, reveal);
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

fn known_role(word: &str) -> Result<Role, PanelError> {
    Role::parse(word).ok_or_else(|| PanelError::invalid("role", "Choose one of the roles."))
}

fn known_id(id: &str) -> Result<Uuid, PanelError> {
    id.parse()
        .map_err(|_| PanelError::gone("There is nobody of that name."))
}
