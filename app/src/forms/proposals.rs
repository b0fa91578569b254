//! Two pairs of eyes: a second person agrees to what the first asked for, and then it begins.

use domain::can;
use domain::gateway::GatewayId;
use domain::operation::Command;
use domain::path;
use domain::person::Actor;
use domain::ports::ProposalError;
use domain::proposal::{Decision, Proposal, Standing};
use leptos::prelude::*;

use crate::call::{Call, Went, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::second;

use super::operations::sentence;

/// Asks for a second person; whoever asks for what waits already is led to it.
pub(super) async fn propose(
    call: &Call,
    permit: can::Permit,
    command: Command,
    reason: Option<String>,
) -> Result<Went, PanelError> {
    let gateway = command.gateway().clone();
    let asked = call
        .panel()
        .proposals
        .propose(permit, command, reason)
        .await;
    second::forget(call.panel(), &gateway);
    match asked {
        Ok(proposal) => Ok(redirect_to(&path::proposal(proposal.id))),
        Err(ProposalError::Waits(waiting)) => Ok(redirect_to(&path::proposal(waiting.id))),
        Err(error) => Err(said(call, error)),
    }
}

/// Agrees to what waits for a second person, and begins it; or does not, or takes it back.
///
/// # Errors
/// Not allowed, not a second person, too late, or it cannot begin now.
#[server(prefix = "/api", endpoint = "proposals/decide")]
pub async fn decide_proposal(
    id: String,
    decision: String,
    #[server(default)] note: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let proposal = call.proposal(&id).await?;
    let gateway = proposal.command.gateway().clone();
    let action = proposal.command.action();
    let permit = call.permit(action, Some(&gateway)).await?;
    let decision =
        Decision::parse(&decision).ok_or_else(|| PanelError::gone("There is no such answer."))?;
    let decided = call
        .panel()
        .proposals
        .decide(permit, proposal.id, decision, sentence(&note, 200))
        .await;
    second::forget(call.panel(), &gateway);
    let proposal = decided.map_err(|error| said(&call, error))?;
    if decision == Decision::Approved {
        return begin(&call, proposal).await;
    }
    Ok(redirect_to(&path::proposal(proposal.id)))
}

/// Begins what a second person agreed to, when it could not begin at once.
///
/// # Errors
/// Not allowed, not agreed to, too late, or it cannot begin now.
#[server(prefix = "/api", endpoint = "proposals/begin")]
pub async fn begin_proposal(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let proposal = call.proposal(&id).await?;
    let gateway = proposal.command.gateway().clone();
    call.permit(proposal.command.action(), Some(&gateway))
        .await?;
    begin(&call, proposal).await
}

/// In the name of whoever asked, if both may still do it.
async fn begin(call: &Call, proposal: Proposal) -> Result<Went, PanelError> {
    let over = || PanelError::Refused {
        why: ProposalError::Over.to_string(),
    };
    let decided = match proposal.standing(call.now()) {
        Standing::Ready => proposal.decided.as_ref().ok_or_else(over)?,
        _ => return Err(over()),
    };
    let command = proposal.command.clone();
    let gateway = command.gateway().clone();
    let permit_of = async |actor: &Actor| {
        let actor = as_now(call, actor, &gateway).await?;
        let permit = can::permit(&actor, command.action(), Some(&gateway));
        permit.map_err(|_| no_longer(&actor))
    };
    let first = permit_of(&proposal.asked_by).await?;
    let second = permit_of(&decided.by).await?;
    let agreed = first
        .agreed_by(&second)
        .map_err(|denied| PanelError::Refused {
            why: denied.why.to_owned(),
        })?;
    let panel = call.panel();
    // Asked for twice, it is one operation.
    let key = proposal.id.to_string();
    let started = panel
        .operations
        .start(agreed, command, key, proposal.reason.clone())
        .await;
    let id = started.or_say(|| call.error_id())?;
    let noted = panel.proposals.begun(proposal.id, id).await;
    second::forget(panel, &gateway);
    noted.or_say(|| call.error_id())?;
    Ok(redirect_to(&path::operation(&id)))
}

/// The person of then with the role of now.
async fn as_now(call: &Call, actor: &Actor, gateway: &GatewayId) -> Result<Actor, PanelError> {
    let Actor::Person {
        id,
        address,
        browser,
        ..
    } = actor
    else {
        return Err(no_longer(actor));
    };
    let person = call.panel().people.find(*id).await;
    let person = person.or_say(|| call.error_id())?;
    let person = person.filter(|person| person.disabled_at.is_none());
    let person = person.ok_or_else(|| no_longer(actor))?;
    Ok(Actor::Person {
        id: person.id,
        role: person.roles.on(Some(gateway)),
        name: person.name,
        address: address.clone(),
        browser: browser.clone(),
        session: None,
        token: None,
    })
}

fn no_longer(actor: &Actor) -> PanelError {
    PanelError::Refused {
        why: format!(
            "{} may not do this any more, so it does not begin. Ask anew.",
            actor.name()
        ),
    }
}

fn said(call: &Call, error: ProposalError) -> PanelError {
    match error {
        ProposalError::Database(error) => match Err::<(), _>(error).or_say(|| call.error_id()) {
            Err(said) => said,
            Ok(()) => PanelError::gone("Nothing was done."),
        },
        ProposalError::Unknown => PanelError::gone(ProposalError::Unknown.to_string()),
        other => PanelError::Refused {
            why: other.to_string(),
        },
    }
}
