//! Have the chain of the audit trail checked.

use domain::action::Action;
use domain::path;
use domain::ports::Verified;
use leptos::prelude::*;

use crate::call::{Call, Went, redirect_to};
use crate::error::{OrSay as _, PanelError};

/// Checks the whole chain; the page then tells what was found.
///
/// # Errors
/// Not allowed, or the database does not answer.
#[server(prefix = "/api", endpoint = "audit/verify")]
pub async fn verify_audit() -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::VerifyAudit, None).await?;
    let verified = call.panel().chain.verify(permit).await;
    let to = match verified.or_say(|| call.error_id())? {
        Verified::Done(_) => path::AUDIT.to_owned(),
        Verified::GoesOn => format!("{}?checking=1", path::AUDIT),
    };
    Ok(redirect_to(&to))
}
