//! The secret link by which a calendar gets the register's dates.

use domain::time::Timestamp;
use leptos::prelude::*;
use secrecy::ExposeSecret as _;

use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::ui::moment;

pub(super) async fn section(call: &Call) -> Result<AnyView, PanelError> {
    let panel = call.panel();
    let now = call.now();
    let link = panel.calendars.link_of(call.actor()).await;
    let link = link.or_say(|| call.error_id())?;
    let fresh = panel.calendar_links.take(call.viewer().person.id);
    let fresh = fresh.map(|fresh| {
        shown(&format!(
            "{}{}",
            panel.public_url,
            fresh.secret.expose_secret()
        ))
    });
    let (said, make) = match link {
        Some(link) => (
            used(link.made_at, link.used_at, now).into_any(),
            "Replace it",
        ),
        None => ("You have no link yet.".into_any(), "Make a link"),
    };
    let remove = link.map(|_| {
        view! {
            <form method="post" action=endpoint::REMOVE_CALENDAR_LINK>
                <button class="btn">"Take it back"</button>
            </form>
        }
    });
    Ok(view! {
        <h2>"In your calendar"</h2>
        {fresh}
        <div class="card pad stack">
            <p>
                "A calendar that subscribes to your secret link shows when which credential is due. Whoever has the link can \
                 read titles, places, owners and dates, without a sign-in, until you replace it or take it back."
            </p>
            <p class="hint">{said}</p>
            <div class="actions">
                <form method="post" action=endpoint::MAKE_CALENDAR_LINK><button class="btn">{make}</button></form>
                {remove}
            </div>
        </div>
    }
    .into_any())
}

fn used(made_at: Timestamp, used_at: Option<Timestamp>, now: Timestamp) -> impl IntoView + use<> {
    let used = match used_at {
        Some(at) => view! { ", last used "{moment::clock(at, now)} }.into_any(),
        None => ", not used yet".into_any(),
    };
    view! { "You have a link, made "{moment::clock(made_at, now)}{used}"." }
}

/// The one time that the link is shown.
fn shown(url: &str) -> AnyView {
    view! {
        <section class="card pad stack" role="status" aria-labelledby="new-link">
            <h3 id="new-link">"Your link, shown once"</h3>
            <p><code class="long" id="link-text">{url.to_owned()}</code></p>
            <div class="actions">
                <button class="btn" type="button" hidden=true data-copy="link-text">"Copy"</button>
            </div>
            <p class="hint">
                "In the calendar, choose to subscribe to a calendar by URL. The link is kept nowhere: if it is lost, replace it."
            </p>
        </section>
    }
    .into_any()
}
