//! Adds a credential to the register.

use domain::action::Action;
use domain::path;
use leptos::prelude::*;

use super::fields::{self, Filled};
use crate::call::Call;
use crate::error::PanelError;
use crate::forms::endpoint;
use crate::pages::{Asked, Page};

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    call.permit(Action::ManageCredentials, None).await?;
    let filled = Filled::with(None, asked);
    let content = view! {
        <div class="crumb"><h1><a href=path::CREDENTIALS>"Credentials"</a>" / Add"</h1></div>
        <form class="card pad form" method="post" action=endpoint::ADD_CREDENTIAL autocomplete="off">
            <p class="hint">
                "For what the panel does not know by itself: a password of a mail server, a token of another service, a key \
                 in somebody's hands. The register keeps when it was changed and how that is done, never the value."
            </p>
            {fields::naming(&filled, asked)}
            {fields::keeping(&filled, asked)}
            <div class="actions">
                <a class="btn" href=path::CREDENTIALS>"Not now"</a><button class="btn primary">"Add"</button>
            </div>
        </form>
    }
    .to_html();
    Ok(Page::new("Add a credential", content).at("credentials"))
}
