//! The gateway's key: rotate it, show it once, and tick off who has it.

use domain::action::Action;
use domain::credential::Cause;
use domain::fault::Fault;
use domain::key_rotation::{self, KeyRotation, NewConsumer, Task};
use domain::operation::Command;
use domain::path;
use leptos::prelude::*;

use crate::call::{Call, Went, redirect_back, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::panel::Reveal;

use super::operations::{key_of, sentence};
use super::proposals::propose;

/// Starts a rotation, and goes to the operation's page.
///
/// # Errors
/// Not allowed, not confirmed, busy.
#[server(prefix = "/api", endpoint = "keys/rotate")]
pub async fn rotate_key(
    gateway: String,
    #[server(default)] cause: String,
    #[server(default)] puts_back: String,
    #[server(default)] skip_secret: bool,
    #[server(default)] reason: String,
    key: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gateway = call.gateway(&gateway).await?.id;
    let permit = call.permit(Action::RotateKey, Some(&gateway)).await?;
    let key = key_of(key)?;
    let puts_back = match puts_back.as_str() {
        "" => None,
        _ => Some(call.rotation(&gateway, &puts_back).await?.operation),
    };
    let cause = match puts_back {
        Some(_) => Some(Cause::PutBack),
        None => Cause::parse_offered(&cause),
    };
    let cause = cause.ok_or_else(|| PanelError::invalid("cause", "Say why the key is rotated."))?;
    let command = Command::RotateKey {
        gateway,
        cause,
        skip_secret,
        puts_back,
    };
    let reason = sentence(&reason, 200);
    if call.panel().second_person.contains(command.gateway()) {
        return propose(&call, permit, command, reason).await;
    }
    let operations = &call.panel().operations;
    let started = operations.start(permit, command, key, reason).await;
    let id = started.or_say(|| call.error_id())?;
    Ok(redirect_to(&path::operation(&id)))
}

/// Shows the new key on its page, once.
///
/// # Errors
/// Not allowed, not confirmed, shown before, or replaced since.
#[server(prefix = "/api", endpoint = "keys/reveal")]
pub async fn reveal_key(gateway: String, operation: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gateway = call.gateway(&gateway).await?.id;
    let permit = call.permit(Action::RotateKey, Some(&gateway)).await?;
    let rotation = call.rotation(&gateway, &operation).await?;
    let panel = call.panel();
    let refused = |why: String| PanelError::Refused { why };
    // First read, then noted as shown: a file that cannot be read must not use the one time up.
    let secret = panel.keys.read(&gateway, &rotation.fingerprint).await;
    let secret = secret.map_err(|fault| refused(fault.message))?;
    let first = panel.rotations.reveal(permit, rotation.operation).await;
    if !first.or_say(|| call.error_id())? {
        let why =
            "The key was shown before, and it is shown once. If it was lost, rotate once more.";
        return Err(refused(why.to_owned()));
    }
    let reveal = Reveal {
        name: gateway.to_string(),
        secret,
    };
    panel.new_keys.put(call.viewer().person.id, reveal);
    Ok(redirect_to(&path::new_key(&gateway, &rotation.operation)))
}

/// Notes that a consumer, or the workstation, has the new key.
///
/// # Errors
/// Not allowed, or there is no such thing to do.
#[server(prefix = "/api", endpoint = "keys/finish")]
pub async fn finish_key_task(
    gateway: String,
    operation: String,
    task: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gateway = call.gateway(&gateway).await?.id;
    let permit = call.permit(Action::HandOverKey, Some(&gateway)).await?;
    let rotation = call.rotation(&gateway, &operation).await?;
    let rotations = &call.panel().rotations;
    let gone = || PanelError::gone("There is no such thing to do with this key.");
    let task = Task::parse(&task).ok_or_else(gone)?;
    if let Task::Consumer(id) = task {
        let known = rotations.consumers(&gateway).await;
        let known = known.or_say(|| call.error_id())?;
        known
            .iter()
            .find(|consumer| consumer.id == id)
            .ok_or_else(gone)?;
    }
    let noted = rotations
        .finish(permit.actor(), rotation.operation, task, None)
        .await;
    noted.or_say(|| call.error_id())?;
    forget_if_handed_over(&call, &rotation).await?;
    Ok(redirect_to(&path::new_key(&gateway, &rotation.operation)))
}

/// Once everybody has the new key, the old one need not come back.
async fn forget_if_handed_over(call: &Call, before: &KeyRotation) -> Result<(), PanelError> {
    let panel = call.panel();
    let rotation = panel.rotations.of(before.operation).await;
    let consumers = panel.rotations.consumers(&before.gateway).await;
    let rotation = rotation.or_say(|| call.error_id())?;
    let consumers = consumers.or_say(|| call.error_id())?;
    let has_secret = panel.secrets.by_hand(&before.gateway).is_some();
    if rotation.is_some_and(|rotation| rotation.is_handed_over(&consumers, has_secret))
        && let Err(fault) = panel.keys.forget(&before.gateway, before.operation).await
    {
        tracing::warn!(
            gateway.id = %before.gateway, operation.id = %before.operation, %fault,
            "The sealed copy of the old key could not be removed yet"
        );
    }
    Ok(())
}

/// Tries again what the operation could not do: the repository's secret, the rotation log.
///
/// # Errors
/// Not allowed, or why it does not work this time.
#[server(prefix = "/api", endpoint = "keys/retry")]
pub async fn retry_key_task(
    gateway: String,
    operation: String,
    task: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gateway = call.gateway(&gateway).await?.id;
    let permit = call.permit(Action::HandOverKey, Some(&gateway)).await?;
    let rotation = call.rotation(&gateway, &operation).await?;
    let panel = call.panel();
    let refused = |fault: Fault| PanelError::Refused { why: fault.message };
    let (task, said) = match Task::parse(&task) {
        Some(Task::Secret) => {
            let key = panel.keys.read(&gateway, &rotation.fingerprint).await;
            let key = key.map_err(refused)?;
            let at = panel.secrets.put(&gateway, &key).await.map_err(refused)?;
            (Task::Secret, key_rotation::written(at))
        }
        Some(Task::Log) => {
            let view = panel.operations.view(rotation.operation).await;
            let view = view.or_say(|| call.error_id())?;
            let who = view.map_or_else(String::new, |view| {
                view.operation.asked_by.name().to_owned()
            });
            let line = rotation.log_line(who);
            let logged = panel.rotation_log.append(&gateway, line).await;
            let logged = logged.map_err(refused)?;
            (Task::Log, key_rotation::committed(&logged))
        }
        _ => return Err(PanelError::gone("There is no such thing to try again.")),
    };
    let noted = panel
        .rotations
        .finish(permit.actor(), rotation.operation, task, Some(said))
        .await;
    noted.or_say(|| call.error_id())?;
    forget_if_handed_over(&call, &rotation).await?;
    Ok(redirect_to(&path::new_key(&gateway, &rotation.operation)))
}

/// Adds somebody who uses the key to the register.
///
/// # Errors
/// Not allowed, or it has no name.
#[server(prefix = "/api", endpoint = "keys/add-consumer")]
pub async fn add_consumer(
    gateway: String,
    operation: String,
    #[server(default)] name: String,
    #[server(default)] owner: String,
    #[server(default)] how: String,
    #[server(default)] seen_as: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gateway = call.gateway(&gateway).await?.id;
    let permit = call.permit(Action::HandOverKey, Some(&gateway)).await?;
    let rotation = call.rotation(&gateway, &operation).await?;
    let page = path::new_key(&gateway, &rotation.operation);
    let said = |text: &str, longest| sentence(text, longest).unwrap_or_default();
    let new = NewConsumer {
        name: said(&name, 80),
        owner: said(&owner, 80),
        how: said(&how, 400),
        seen_as: said(&seen_as, 80),
    };
    if new.name.is_empty() {
        let typed = [
            ("owner", new.owner.as_str()),
            ("how", new.how.as_str()),
            ("seen_as", new.seen_as.as_str()),
        ];
        let why = "Say what it is, so that others know it.";
        return Ok(redirect_back(
            &page,
            &typed,
            &PanelError::invalid("name", why),
        ));
    }
    let added = call.panel().rotations.add_consumer(permit, new).await;
    added.or_say(|| call.error_id())?;
    Ok(redirect_to(&page))
}

/// Removes somebody from the register.
///
/// # Errors
/// Not allowed, or nobody of that id is in it.
#[server(prefix = "/api", endpoint = "keys/remove-consumer")]
pub async fn remove_consumer(
    gateway: String,
    operation: String,
    id: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gateway = call.gateway(&gateway).await?.id;
    let permit = call.permit(Action::HandOverKey, Some(&gateway)).await?;
    let rotation = call.rotation(&gateway, &operation).await?;
    let gone = || PanelError::gone("Nobody of that name is in the register any more.");
    let id = id.parse().map_err(|_| gone())?;
    let removed = call.panel().rotations.remove_consumer(permit, id).await;
    if removed.or_say(|| call.error_id())? {
        forget_if_handed_over(&call, &rotation).await?;
        Ok(redirect_to(&path::new_key(&gateway, &rotation.operation)))
    } else {
        Err(gone())
    }
}
