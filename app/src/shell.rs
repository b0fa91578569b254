//! The document around every page.

use leptos::prelude::*;

use crate::call::Call;
use crate::islands::{Follow, Live};
use crate::pages::{Asked, Page};
use crate::panel::SiteFiles;
use crate::ui::frame;

/// A page within the frame: navigation, who is signed in, and what went wrong with a form.
pub(crate) fn in_frame(call: &Call, page: Page, asked: &Asked, here: &str) -> String {
    let top = frame::top(call, &page);
    let content = frame::notices(call, &page, asked, here) + &page.content;
    let island = match (&page.events, &page.follows) {
        (None, Some(_)) => Island::Follow,
        // Without a stream it only writes times in the viewer's zone.
        _ => Island::Live,
    };
    let body = view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <div class="app">
            <header class="top" inner_html=top></header>
            <main id="main" tabindex="-1" data-events=page.events data-follows=page.follows inner_html=content></main>
        </div>
    };
    document(&call.panel().site, &page.title, body, Some(island))
}

/// A page that stands alone: for whoever is not signed in.
pub(crate) fn alone(site: &SiteFiles, page: Page) -> String {
    let awake = page.events.is_some() || page.wakes;
    let island = awake.then_some(Island::Live);
    let body = view! { <main class="alone" id="main" data-events=page.events inner_html=page.content></main> };
    document(site, &page.title, body, island)
}

/// Which island wakes the page.
enum Island {
    Live,
    Follow,
}

/// No script and no style is written into it: the Content-Security-Policy refuses both.
fn document(site: &SiteFiles, title: &str, body: impl IntoView, island: Option<Island>) -> String {
    let title = format!("{title} · OpenClaw Panel");
    // Islands are rendered within an owner.
    let owner = Owner::new();
    owner.with(|| {
        let island = island.map(|island| match island {
            Island::Live => view! { <Live/> }.into_any(),
            Island::Follow => view! { <Follow/> }.into_any(),
        });
        view! {
            <!DOCTYPE html>
            <html lang="en">
                <head>
                    <meta charset="utf-8"/>
                    <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                    <meta name="color-scheme" content="light dark"/>
                    <meta name="theme-color" content="#f6f7f8" media="(prefers-color-scheme: light)"/>
                    <meta name="theme-color" content="#0f1214" media="(prefers-color-scheme: dark)"/>
                    <title>{title}</title>
                    {files(site)}
                </head>
                <body>{body}{island}</body>
            </html>
        }
        .to_html()
    })
}

/// What the page fetches.
fn files(site: &SiteFiles) -> impl IntoView + use<> {
    let at = |name: &String| format!("/assets/{name}");
    let icon = site.icon.as_ref().map(at);
    let icon = icon.map(|icon| view! { <link rel="icon" href=icon type="image/svg+xml"/> });
    let touch_icon = site.touch_icon.as_ref().map(at);
    let touch_icon = touch_icon.map(|icon| view! { <link rel="apple-touch-icon" href=icon/> });
    let manifest = site.manifest.as_ref().map(at);
    let manifest = manifest.map(|manifest| view! { <link rel="manifest" href=manifest/> });
    let boot = site.boot.as_ref().map(at);
    let boot = boot.map(|boot| view! { <script type="module" src=boot></script> });
    // Three fetches at once instead of one after the other.
    let module = site.module.as_ref().map(at);
    let module = module.map(|module| view! { <link rel="modulepreload" href=module/> });
    let wasm = site.wasm.as_ref().map(at);
    let wasm = wasm.map(|wasm| {
        view! { <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" fetchpriority="low"/> }
    });
    view! {
        {icon}
        {touch_icon}
        {manifest}
        <link rel="stylesheet" href=at(&site.css)/>
        {boot}
        {module}
        {wasm}
    }
}
