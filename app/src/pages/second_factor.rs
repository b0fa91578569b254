//! One's second factor: passkeys, an authenticator, the recovery codes, and taking them away.

mod passkeys;

use domain::person::Person;
use domain::second_factor::{RECOVERY_CODES, SecondFactor, SetUp};
use leptos::prelude::*;
use secrecy::ExposeSecret as _;

use super::{Asked, Page, encoded};
use crate::call::{Call, Confirmed};
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::panel::Reveal;
use crate::ui::{code, moment};

/// Who issues the codes, as authenticators list it.
const ISSUER: &str = "OpenClaw Panel";

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    call.confirmed(Confirmed::ToAsk)?;
    let person = &call.viewer().person;
    let begun = call.panel().second_factors.begun(person.id).await;
    let begun = begun.or_say(|| call.error_id())?;
    let now = call.now();
    let must = call.panel().must_have_second_factor(person);
    let lead = (must && person.second_factor.is_none()).then(|| {
        view! {
            <div class="banner is-warn">
                <p>"Your role needs a second factor. Set it up, and the panel is open to you again."</p>
            </div>
        }
    });
    let keys = call.panel().passkeys.of(person.id).await;
    let keys = keys.or_say(|| call.error_id())?;
    // Last: what is taken is shown.
    let reveal = call.panel().factor_codes.take(person.id);
    let factor = person.second_factor;
    let authenticator = match (&begun, factor) {
        (Some(set_up), _) => finish(call, person, set_up, asked),
        (None, Some(factor)) if factor.authenticator => {
            authenticator_in_use(must && factor.passkeys == 0)
        }
        (None, _) => begin(factor.is_some()),
    };
    let passkeys = passkeys::section(call, &keys, must, asked);
    let recovery = factor.map(recovery);
    let since = person.second_factor.map(|factor| {
        view! { <p class="live">"in use since "{moment::clock(factor.since, now)}</p> }
    });
    let content = view! {
        <div class="crumb"><h1>"Your second factor"</h1>{since}</div>
        {lead}{reveal.map(codes)}{recovery}{passkeys}
        <h2>"Authenticator"</h2>
        {authenticator}
    }
    .to_html();
    Ok(Page::new("Your second factor", moment::fill(&content, now)).at("account"))
}

fn begin(has_other: bool) -> AnyView {
    let class = if has_other { "btn" } else { "btn primary" };
    view! {
        <form class="card pad form" method="post" action=endpoint::BEGIN_SECOND_FACTOR>
            <p>
                "With it, whoever learns your password still cannot sign in: the panel asks for a code that only your "
                "phone knows, at each sign-in and before what is dangerous."
            </p>
            <p class="hint">
                "You need an app that makes such codes, an authenticator: Aegis, Google Authenticator, 1Password, the "
                "passwords of an iPhone, and many more. It takes a minute. Your other devices are then signed out."
            </p>
            <div class="actions"><button class=class>"Set up an authenticator"</button></div>
        </form>
    }
    .into_any()
}

fn finish(call: &Call, person: &Person, set_up: &SetUp, asked: &Asked) -> AnyView {
    let secret = set_up.secret.expose_secret();
    let host = call
        .panel()
        .public_url
        .split("://")
        .nth(1)
        .unwrap_or_default();
    let link = format!(
        "otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}",
        issuer = encoded(ISSUER),
        name = encoded(&format!("{}@{host}", person.name)),
    );
    let drawn = code::of_link(&link, "The code to scan with your authenticator");
    let grouped: Vec<String> = secret
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    let wrong = asked.problem_with("code");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = wrong.as_ref().map(|_| "code-error");
    let wrong = wrong.map(|why| view! { <p class="error" id="code-error" role="alert">{why}</p> });
    let left = moment::left(set_up.until);
    let stays = person.second_factor.map(|_| {
        view! { <p class="hint">"Until then the authenticator of before stays the one that counts."</p> }
    });
    view! {
        <section class="card scan is-small" aria-labelledby="scan-title">
            <h2 id="scan-title">"Scan this with your authenticator"</h2>
            <div class="code">{drawn}</div>
            <div class="beside">
                <p>
                    "On this phone itself: "<a href=link>"open it in the authenticator"</a>", or type the key by hand:"
                </p>
                <p><code class="long" id="secret-text">{grouped.join(" ")}</code></p>
                <p>"Then type the six digits that it shows. There are "<b>{left}</b>" left."</p>
                <form class="form" method="post" action=endpoint::FINISH_SECOND_FACTOR>
                    <div class="field">
                        <label for="code">"Code"</label>
                        <input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required=true
                            maxlength="20" aria-invalid=invalid aria-describedby=described/>
                        {wrong}
                    </div>
                    {stays}
                    <div class="actions"><button class="btn primary">"Turn on"</button></div>
                </form>
                <form method="post" action=endpoint::BEGIN_SECOND_FACTOR>
                    <button class="btn quiet">"Show another code"</button>
                </form>
            </div>
        </section>
    }
    .into_any()
}

/// What is left of the recovery codes.
fn recovery(factor: SecondFactor) -> AnyView {
    let left = factor.codes_left;
    let codes = match left {
        0 => "None of your recovery codes is left. Make new ones now: without them a lost device keeps you out."
            .to_owned(),
        1 => "One of your recovery codes is left. Make new ones soon.".to_owned(),
        left => format!("{left} of {RECOVERY_CODES} recovery codes are left."),
    };
    let state = if left < 3 {
        "chip is-warn"
    } else {
        "chip is-done"
    };
    let word = if left < 3 { "few codes left" } else { "in use" };
    view! {
        <section class="card pad stack">
            <p><span class=state>{word}</span>" "{codes}</p>
            <form class="form" method="post" action=endpoint::RENEW_RECOVERY_CODES>
                <p class="hint" id="codes-hint">
                    "At once: ten new recovery codes, shown once. Those of before open nothing more."
                </p>
                <div class="actions">
                    <button class="btn" aria-describedby="codes-hint">"New recovery codes"</button>
                </div>
            </form>
        </section>
    }
    .into_any()
}

fn authenticator_in_use(must_stay: bool) -> AnyView {
    let off = if must_stay {
        view! { <p class="hint">"It cannot be turned off: your role needs a second factor."</p> }
            .into_any()
    } else {
        view! {
            <form class="form" method="post" action=endpoint::REMOVE_SECOND_FACTOR>
                <p class="hint" id="off-hint">
                    "At once: its codes open nothing more, and your other devices are signed out. Without a passkey the "
                    "password alone then opens your account. Set one up here again at any time."
                </p>
                <div class="actions">
                    <button class="btn danger" aria-describedby="off-hint">"Turn off"</button>
                </div>
            </form>
        }
        .into_any()
    };
    view! {
        <section class="card pad stack">
            <form class="form" method="post" action=endpoint::BEGIN_SECOND_FACTOR>
                <p class="hint" id="phone-hint">
                    "For a new phone: shows a new code to scan. Nothing changes until the new phone's first code is typed."
                </p>
                <div class="actions">
                    <button class="btn" aria-describedby="phone-hint">"Use another authenticator"</button>
                </div>
            </form>
            {off}
        </section>
    }
    .into_any()
}

/// The one time that recovery codes are shown.
fn codes(reveal: Reveal) -> AnyView {
    let codes = reveal.secret.expose_secret().to_owned();
    view! {
        <section class="card pad stack" role="status" aria-labelledby="codes-title">
            <h2 id="codes-title">"Your recovery codes, shown once"</h2>
            <p>
                "Each opens the door once, in place of your second factor: for the day that the device is lost. Keep them "
                "in your password manager or on paper, not on that device."
            </p>
            <pre class="codes" id="recovery-codes" tabindex="0" aria-label="Recovery codes">{codes}</pre>
            <div class="actions">
                <button class="btn" type="button" hidden=true data-copy="recovery-codes">"Copy"</button>
            </div>
        </section>
    }
    .into_any()
}
