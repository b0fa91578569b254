//! Takes a credential out of the register.

use domain::action::Action;
use domain::path;
use leptos::prelude::*;

use crate::call::Call;
use crate::error::PanelError;
use crate::forms::endpoint;
use crate::pages::{Asked, Page};
use crate::ui::ask;

pub(crate) async fn page(call: &Call, id: &str, asked: &Asked) -> Result<Page, PanelError> {
    let listed = super::one::listed(call, id).await?;
    call.permit_to_ask(Action::RetireCredential, None).await?;
    let credential = &listed.credential;
    let home = path::credential(credential.id);
    let against = (!credential.kind.may_be_retired()).then(|| {
        "This one is there whether or not the register lists it. Snooze it instead.".to_owned()
    });
    let button = ask::submit("Take it out", "btn danger", against.as_ref());
    let content = view! {
        <div class="crumb"><h1><a href=home.clone()>{credential.title.clone()}</a>" / Take out"</h1></div>
        <form class="card confirm" method="post" action=endpoint::RETIRE_CREDENTIAL autocomplete="off">
            <input type="hidden" name="id" value=credential.id.to_string()/>
            <div class="body">
                <h2>"Take "{credential.title.clone()}" out of the register?"</h2>
                <p>
                    "Nobody is reminded of it any more, and it is listed nowhere. Its rotations stay in the database and in \
                     the audit trail. The credential itself is not touched: if it still opens something, end it there first."
                </p>
                {ask::reason(asked.get("reason"))}
                {ask::against(against)}
            </div>
            <div class="actions"><a class="btn" href=home>"Not now"</a>{button}</div>
        </form>
    }
    .to_html();
    Ok(Page::new("Take out a credential", content).at("credentials"))
}
