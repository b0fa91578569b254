//! Where one is signed in.

use domain::session::PersonSession;
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;

use crate::call::Call;
use crate::forms::endpoint;
use crate::ui::moment;

/// The list, this session first.
pub(super) fn card(call: &Call) -> AnyView {
    let viewer = call.viewer();
    let (now, limits) = (call.now(), call.panel().session_limits);
    let mut open: Vec<&PersonSession> = viewer
        .sessions
        .iter()
        .filter(|session| session.is_open(&viewer.person, limits, now))
        .collect();
    open.sort_by_key(|session| Some(session.id) != viewer.session);
    let others = open
        .iter()
        .filter(|session| Some(session.id) != viewer.session)
        .count();
    let rows: Vec<_> = open
        .iter()
        .map(|session| row(session, Some(session.id) == viewer.session, now))
        .collect();
    let all = (others > 1).then(|| {
        view! {
            <form class="card pad form" method="post" action=endpoint::END_OTHER_SESSIONS>
                <p class="hint" id="others-hint">"At once, on every device but this one."</p>
                <div class="actions">
                    <button class="btn" aria-describedby="others-hint">"Sign out everywhere else"</button>
                </div>
            </form>
        }
    });
    view! {
        <h2>"Where you are signed in"</h2>
        <ul class="card rows" role="list">{rows}</ul>
        <p class="hint">
            "Each session ends after "{words::duration(limits.idle)}" without use, and "{words::duration(limits.absolute)}
            " after its sign-in in any case."
        </p>
        {all}
    }
    .into_any()
}

fn row(session: &PersonSession, own: bool, now: Timestamp) -> impl IntoView + use<> {
    let browser = session.browser.clone();
    let browser = browser.unwrap_or_else(|| "A browser that does not say its name".to_owned());
    let from = session
        .address
        .as_ref()
        .map(|address| format!("from {address} · "));
    let new = (session.is_new && !own).then(|| view! { <span class="chip is-warn">"new"</span> });
    let end = if own {
        view! { <span class="chip is-done">"this one"</span> }.into_any()
    } else {
        let label = format!("Sign out {browser}");
        view! {
            <form method="post" action=endpoint::END_SESSION>
                <input type="hidden" name="id" value=session.id.to_string()/>
                <button class="btn quiet" aria-label=label>"Sign out"</button>
            </form>
        }
        .into_any()
    };
    view! {
        <li>
            <b>{browser}</b>
            <small>
                {from}"since "{moment::clock(session.begun_at, now)}" · last used "{moment::clock(session.seen_at, now)}
            </small>
            <div class="end">{new}{end}</div>
        </li>
    }
}

/// Above every page, until it is answered: somebody signed in with a browser that was not known.
pub(crate) fn new_device(call: &Call) -> Option<AnyView> {
    let viewer = call.viewer();
    let (now, limits) = (call.now(), call.panel().session_limits);
    let found = viewer.sessions.iter().find(|session| {
        session.is_new
            && Some(session.id) != viewer.session
            && session.is_open(&viewer.person, limits, now)
    })?;
    let browser = found.browser.clone();
    let browser = browser.unwrap_or_else(|| "an unknown browser".to_owned());
    let from = found.address.clone().unwrap_or_default();
    let id = found.id.to_string();
    Some(
        view! {
            <div class="banner is-warn no-print" role="status">
                <p>
                    "Somebody signed in as you with "{browser}" from "{from}" at "{moment::clock(found.begun_at, now)}
                    ", a browser that you had not used here before. Was it you?"
                </p>
                <form method="post" action=endpoint::ACKNOWLEDGE_SESSION>
                    <input type="hidden" name="id" value=id.clone()/>
                    <button class="btn">"Yes"</button>
                </form>
                <form method="post" action=endpoint::END_SESSION>
                    <input type="hidden" name="id" value=id/>
                    <button class="btn">"No, sign it out"</button>
                </form>
            </div>
        }
        .into_any(),
    )
}
