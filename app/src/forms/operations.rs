//! Start, stop and free operations.

use domain::action::Action;
use domain::credential::Cause;
use domain::gateway::{AccountId, GatewayId};
use domain::operation::{Command, OperationId};
use domain::path;
use leptos::prelude::*;

use crate::call::{Call, Went, redirect_to};
use crate::error::{OrSay as _, PanelError};

/// Starts an operation and goes to its page.
///
/// # Errors
/// Not allowed, busy, refused, or the form was wrong.
#[server(prefix = "/api", endpoint = "operations/start")]
pub async fn start_operation(
    gateway: String,
    kind: String,
    #[server(default)] account: String,
    #[server(default)] seen: String,
    #[server(default)] cause: String,
    #[server(default)] reason: String,
    key: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gateway = call.gateway(&gateway).await?.id;
    let command = command(&kind, gateway, &account, seen, &cause)?;
    let id = begin(&call, command, key_of(key)?, &reason).await?;
    Ok(redirect_to(&path::operation(&id)))
}

/// Starts an operation for a program: what is asked for in the same words as by a form.
///
/// # Errors
/// As [`start_operation`].
pub async fn start(
    call: &Call,
    gateway: GatewayId,
    kind: &str,
    account: &str,
    reason: &str,
    key: String,
) -> Result<OperationId, PanelError> {
    let command = command(kind, gateway, account, String::new(), "")?;
    begin(call, command, key, reason).await
}

async fn begin(
    call: &Call,
    command: Command,
    key: String,
    reason: &str,
) -> Result<OperationId, PanelError> {
    let permit = call
        .permit(command.action(), Some(command.gateway()))
        .await?;
    let operations = &call.panel().operations;
    let started = operations
        .start(permit, command, key, sentence(reason, 200))
        .await;
    started.or_say(|| call.error_id())
}

/// The command that a form's words ask for.
pub(crate) fn command(
    kind: &str,
    gateway: GatewayId,
    account: &str,
    seen: String,
    cause: &str,
) -> Result<Command, PanelError> {
    Ok(match kind {
        "reconnect" => Command::Reconnect {
            gateway,
            account: account
                .parse::<AccountId>()
                .map_err(|_| PanelError::invalid("account", "Say which account to reconnect."))?,
        },
        "relink" => Command::Relink {
            gateway,
            account: account
                .parse::<AccountId>()
                .map_err(|_| PanelError::invalid("account", "Say which account to link."))?,
        },
        "unlink" => Command::Unlink {
            gateway,
            account: account
                .parse::<AccountId>()
                .map_err(|_| PanelError::invalid("account", "Say which account to unlink."))?,
        },
        "replace-link" => Command::ReplaceLink {
            gateway,
            account: account.parse::<AccountId>().map_err(|_| {
                PanelError::invalid("account", "Say which account's link to replace.")
            })?,
        },
        "restart" => Command::Restart { gateway },
        "recreate" => Command::Recreate {
            gateway,
            seen: (!seen.is_empty()).then_some(seen),
        },
        "install" => Command::Install { gateway },
        "install-plugin" => Command::InstallPlugin { gateway },
        "stop" => Command::Stop { gateway },
        "start" => Command::Start { gateway },
        "backup" => Command::Backup { gateway },
        "rotate-device" => Command::RotateDevice {
            gateway,
            cause: Cause::parse_offered(cause)
                .ok_or_else(|| PanelError::invalid("cause", "Say why it is renewed."))?,
        },
        "recover" => Command::Recover {
            gateway,
            account: account
                .parse::<AccountId>()
                .map_err(|_| PanelError::invalid("account", "Say which account to fix."))?,
        },
        _ => return Err(PanelError::gone("There is no such operation.")),
    })
}

/// Asks an operation to stop and put back.
///
/// # Errors
/// Not allowed, or it cannot be stopped any more.
#[server(prefix = "/api", endpoint = "operations/cancel")]
pub async fn cancel_operation(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let id = cancel(&call, &id).await?;
    Ok(redirect_to(&path::operation(&id)))
}

/// The same for a program.
///
/// # Errors
/// As [`cancel_operation`].
pub async fn cancel(call: &Call, id: &str) -> Result<OperationId, PanelError> {
    let view = call.operation(id).await?;
    let gateway = view.operation.command.gateway();
    let permit = call.permit(Action::CancelOperation, Some(gateway)).await?;
    view.can_cancel().map_err(|why| PanelError::Refused {
        why: why.to_owned(),
    })?;
    let id = view.operation.id;
    let asked = call.panel().operations.cancel(permit, id).await;
    if asked.or_say(|| call.error_id())? {
        Ok(id)
    } else {
        Err(PanelError::Refused {
            why: "It has ended.".to_owned(),
        })
    }
}

/// Asks an operation to go on without waiting for the step that the person saw.
///
/// # Errors
/// Not allowed, or that step cannot be skipped now.
#[server(prefix = "/api", endpoint = "operations/skip")]
pub async fn skip_step(id: String, #[server(default)] step: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let view = call.operation(&id).await?;
    let gateway = view.operation.command.gateway();
    let permit = call.permit(Action::CancelOperation, Some(gateway)).await?;
    let refused = |why: &str| PanelError::Refused {
        why: why.to_owned(),
    };
    let current = view.can_skip().map_err(refused)?;
    if current.outline.name != step {
        return Err(refused("That step has ended already."));
    }
    let id = view.operation.id;
    let asked = call.panel().operations.skip(permit, id, &step).await;
    if asked.or_say(|| call.error_id())? {
        Ok(redirect_to(&path::operation(&id)))
    } else {
        Err(refused("It has ended."))
    }
}

/// Frees the gateway of a stuck operation, after a person looked.
///
/// # Errors
/// Not allowed, not stuck, or without a comment.
#[server(prefix = "/api", endpoint = "operations/abandon")]
pub async fn abandon_operation(
    id: String,
    #[server(default)] comment: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let view = call.operation(&id).await?;
    let gateway = view.operation.command.gateway();
    let permit = call.permit(Action::AbandonOperation, Some(gateway)).await?;
    let comment = sentence(&comment, 500).ok_or_else(|| {
        PanelError::invalid(
            "comment",
            "Write what you found and did; the audit keeps it.",
        )
    })?;
    let id = view.operation.id;
    let freed = call.panel().operations.abandon(permit, id, comment).await;
    if freed.or_say(|| call.error_id())? {
        Ok(redirect_to(&path::operation(&id)))
    } else {
        Err(PanelError::Refused {
            why: "It is not stuck any more.".to_owned(),
        })
    }
}

/// The key that tells a repeated form from a second wish.
pub(super) fn key_of(given: String) -> Result<String, PanelError> {
    if given.is_empty() || given.len() > 64 {
        return Err(PanelError::invalid(
            "key",
            "The form was not complete. Load the page again.",
        ));
    }
    Ok(given)
}

/// What a person wrote, trimmed and cut; `None` when nothing.
pub(super) fn sentence(text: &str, longest: usize) -> Option<String> {
    let text: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(longest)
        .collect();
    (!text.is_empty()).then_some(text)
}
