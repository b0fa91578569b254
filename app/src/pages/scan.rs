//! The code on the page of an operation that links, as large as the screen allows, with what to do on the phone.

use domain::action::Action;
use domain::can;
use domain::operation::OperationView;
use domain::path;
use domain::person::Role;
use domain::scan::{Code, Picture, Scan};
use leptos::prelude::*;
use secrecy::ExposeSecret as _;

use crate::ui::{code, moment};

/// How long a code is shown, for the ring that empties.
const GOOD_FOR_MS: u32 = 175_000;

/// Where a code is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    /// On the operation's page.
    Panel,
    /// On a screen that it was handed off to.
    OtherScreen,
}

/// Nothing, unless a scan is due. Its place keeps its size from the first question to the scan, so that
/// nothing moves under a phone that is being held up.
pub(crate) fn card(role: Role, view: &OperationView, scan: Option<&Scan>, at: Where) -> String {
    let may_show = view.operation.command.shows_code() && view.operation.outcome.is_none();
    let Some(scan) = scan.filter(|_| may_show) else {
        return view! { <div id="scan"></div> }.to_html();
    };
    if let Err(denied) = can::role_may(Some(role), Action::ViewCode) {
        return view! { <p class="card note" id="scan">{denied.why}</p> }.to_html();
    }
    match scan {
        Scan::Preparing => place(
            "Asking the gateway for a code",
            view! { <p>"It takes a second or two. Have the phone at hand that holds the number."</p> }
                .into_any(),
        ),
        Scan::Renewing => place(
            "A new code comes in a few seconds",
            view! { <p>"The last one is too old: a scan of it would fail."</p> }.into_any(),
        ),
        Scan::Spent { until } => place(
            "A new code comes by itself",
            view! {
                <p>
                    "A phone has scanned the last one, and the link was not finished; no code can be scanned twice. The \
                     gateway makes a new one within "<b>{moment::left(*until)}</b>"."
                </p>
            }
            .into_any(),
        ),
        Scan::Scanned => place(
            "Scanned, finishing",
            view! { <p>"WhatsApp and the gateway finish the link. Keep the phone online; it takes a few seconds."</p> }
                .into_any(),
        ),
        Scan::Showing {
            code,
            good_until,
            attempt,
            attempts,
        } => {
            let elsewhere = (at == Where::Panel).then(|| path::hand_offs(&view.operation.id));
            showing(code, *good_until, (*attempt, *attempts), elsewhere)
        }
    }
}

fn place(title: &'static str, said: AnyView) -> String {
    view! {
        <section class="card scan" id="scan" aria-labelledby="scan-said">
            <h2 id="scan-said" aria-live="polite">{title}</h2>
            <div class="code is-empty" aria-hidden="true"></div>
            <div class="beside">{said}</div>
        </section>
    }
    .to_html()
}

fn showing(
    code: &Code,
    good_until: domain::time::Timestamp,
    (attempt, attempts): (u32, u32),
    elsewhere: Option<String>,
) -> String {
    let elsewhere = elsewhere.map(|href| {
        view! { <p><a class="btn" href=href>"Show on another screen"</a></p> }
    });
    let here = match code.picture() {
        Picture::Modules { link, .. } => {
            let link = link.expose_secret().to_owned();
            Some(view! {
                <p>
                    <a class="btn" href=link rel="noreferrer">"WhatsApp is on this very phone"</a>
                </p>
                <p class="hint">
                    "Opens the code's own link in WhatsApp. Not every version takes it; if nothing happens, show this \
                     page on another screen and scan it there."
                </p>
            })
        }
        Picture::Image => None,
    };
    view! {
        <section class="card scan" id="scan" aria-labelledby="scan-said">
            <h2 id="scan-said" aria-live="polite">"Scan this code with WhatsApp"</h2>
            <div class="code">{code::code(code)}</div>
            <div class="beside">
                <p class="countdown">
                    <svg viewBox="0 0 36 36" aria-hidden="true">
                        <circle cx="18" cy="18" r="15"></circle>
                        <circle cx="18" cy="18" r="15" pathLength="100" stroke-dasharray="100 100"
                            data-ends=good_until.as_millis() data-whole=GOOD_FOR_MS></circle>
                    </svg>
                    <span>"Good for another "<b>{moment::left(good_until)}</b>", attempt "{attempt}" of "{attempts}
                    ". A newer code takes its place by itself."</span>
                </p>
                <ol>
                    <li>"Open WhatsApp on the phone that holds the number."</li>
                    <li>"Android: three dots, then Linked devices. iPhone: Settings, then Linked devices."</li>
                    <li>"Tap Link a device and hold the phone to this code."</li>
                </ol>
                {elsewhere}
                {here}
            </div>
        </section>
    }
    .to_html()
}
