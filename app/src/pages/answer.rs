//! Pages that say no: not found, not allowed, not possible now.

use axum::http::StatusCode;
use domain::path;
use leptos::prelude::*;

use super::Page;
use crate::call::Call;
use crate::error::PanelError;
use crate::panel::SiteFiles;
use crate::ui::escape;

/// The page for an error, within the frame.
pub(crate) fn page(error: &PanelError, call: &Call) -> Page {
    let viewer = call.viewer();
    let (title, status, more) = match error {
        PanelError::NotAllowed { .. } => (
            "Not allowed",
            StatusCode::FORBIDDEN,
            format!(
                "You are signed in as {}; your role is {}. Tries like this one are written to the audit trail.",
                viewer.person.name, viewer.person.roles
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

/// The start page of somebody who may look at none of the gateways. Not an error: what else they may do, the menu has.
pub(crate) fn no_gateway(call: &Call) -> Page {
    let title = "No gateway is open to you";
    let said = format!(
        "You are signed in as {}, and have no role on any gateway yet. Ask an admin for one: they give it on the page \
         of people.",
        call.viewer().person.name,
    );
    let content = view! {
        <div class="crumb"><h1>{title}</h1></div>
        <section class="card answer">
            <p class="big">{said}</p>
            <div class="actions"><a class="btn primary" href=path::HOME>"Look again"</a></div>
        </section>
    }
    .to_html();
    Page::new(title, content)
}

/// A whole document for the server's own answers, when no page could be asked: no script, nothing to
/// read, nothing that can fail.
pub fn sorry(site: &SiteFiles, title: &str, said: &str) -> String {
    let css = escape(&site.css);
    let icon = site.icon.as_ref().map_or(String::new(), |icon| {
        let icon = escape(icon);
        format!(r#"<link rel="icon" href="/assets/{icon}" type="image/svg+xml">"#)
    });
    format!(
        r#"<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"><meta name="color-scheme" content="light dark">{icon}<link rel="stylesheet" href="/assets/{css}"><title>{} · OpenClaw Panel</title></head><body><main class="alone">{}</main></body></html>"#,
        escape(title),
        card(title, said),
    )
}

fn card(title: &str, said: &str) -> String {
    view! {
        <p class="brand">"OpenClaw Panel"</p>
        <div class="card">
            <h1>{title.to_owned()}</h1>
            <p class="muted">{said.to_owned()}</p>
            <p class="actions"><a class="btn primary" href=path::HOME>"To the gateway"</a></p>
        </div>
    }
    .to_html()
}
