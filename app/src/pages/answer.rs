//! Pages that say no: not found, not allowed, not possible now.

use axum::http::StatusCode;
use domain::path;
use leptos::prelude::*;

use super::Page;
use crate::call::Call;
use crate::error::PanelError;

/// The page for an error, within the frame.
pub(crate) fn page(error: &PanelError, call: &Call) -> Page {
    let viewer = call.viewer();
    let (title, status, more) = match error {
        PanelError::NotAllowed { .. } => (
            "Not allowed",
            StatusCode::FORBIDDEN,
            format!(
                "You are signed in as {} ({}). That you tried was written to the audit trail.",
                viewer.person.name,
                viewer.person.role.as_str()
            ),
        ),
        PanelError::Gone { .. } => (
            "Not found",
            StatusCode::NOT_FOUND,
            "The link may be old, or mistyped.".to_owned(),
        ),
        PanelError::Unavailable { .. } => (
            "The panel could not answer",
            StatusCode::SERVICE_UNAVAILABLE,
            "The gateway is not touched by this.".to_owned(),
        ),
        _ => ("Not possible", StatusCode::CONFLICT, String::new()),
    };
    let said = error.sentence();
    let content = view! {
        <div class="crumb"><h1>{title}</h1></div>
        <section class="card answer">
            <p class="big">{said}</p>
            <p>{more}</p>
            <div class="actions"><a class="btn primary" href=path::HOME>"To the gateway"</a></div>
        </section>
    }
    .to_html();
    Page::new(title, content).status(status)
}

/// The page for an error when nobody is known or nothing can be asked.
pub(crate) fn alone(error: &PanelError) -> Page {
    let content = view! {
        <p class="brand">"OpenClaw Panel"</p>
        <div class="card">
            <h1>"The panel could not answer"</h1>
            <p class="muted">{error.sentence()}</p>
            <p class="actions"><a class="btn primary" href=path::HOME>"Try again"</a></p>
        </div>
    }
    .to_html();
    Page::new("The panel could not answer", content).status(StatusCode::SERVICE_UNAVAILABLE)
}
