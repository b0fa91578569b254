//! The document around every page, and the table from URLs to pages.

use std::sync::Arc;

use axum::http::StatusCode;
use domain::path;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_axum::{AxumRouteListing, ResponseOptions};
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::hooks::{use_params_map, use_query_map, use_url};
use leptos_router::{SsrMode, path};

use crate::call::{Call, redirect_to};
use crate::error::PanelError;
use crate::islands::{Follow, Live};
use crate::pages::{self, Asked, Page, encoded};
use crate::panel::SiteFiles;
use crate::ui::frame;

/// The document. No script and no style is written into it: the Content-Security-Policy refuses both.
pub fn shell(site: Arc<SiteFiles>) -> impl IntoView {
    let css = format!("/assets/{}", site.css);
    let icon = site.icon.as_ref().map(|icon| {
        let icon = format!("/assets/{icon}");
        view! { <link rel="icon" href=icon type="image/svg+xml"/> }
    });
    let touch_icon = site.touch_icon.as_ref().map(|icon| {
        let icon = format!("/assets/{icon}");
        view! { <link rel="apple-touch-icon" href=icon/> }
    });
    let manifest = site.manifest.as_ref().map(|manifest| {
        let manifest = format!("/assets/{manifest}");
        view! { <link rel="manifest" href=manifest/> }
    });
    // Three fetches at once instead of one after the other.
    let module = site.module.as_ref().map(|module| {
        let module = format!("/assets/{module}");
        view! { <link rel="modulepreload" href=module/> }
    });
    let wasm = site.wasm.as_ref().map(|wasm| {
        let wasm = format!("/assets/{wasm}");
        view! { <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" fetchpriority="low"/> }
    });
    let boot = site.boot.as_ref().map(|boot| {
        let boot = format!("/assets/{boot}");
        view! { <script type="module" src=boot nonce=use_nonce()></script> }
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
                {icon}
                {touch_icon}
                {manifest}
                <link rel="stylesheet" href=css/>
                {boot}
                {module}
                {wasm}
                <MetaTags/>
            </head>
            <body><App/></body>
        </html>
    }
}

/// The table from URLs to pages, for the server's router.
pub fn routes() -> Vec<AxumRouteListing> {
    leptos_axum::generate_route_list(App)
}

/// From URL to page.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <FlatRoutes fallback=not_found>
                <Route path=path!("/") view=home ssr=SsrMode::Async/>
                <Route path=path!("/sign-in") view=sign_in ssr=SsrMode::Async/>
                <Route path=path!("/gateways/:id") view=gateway ssr=SsrMode::Async/>
                <Route path=path!("/gateways/:id/logs") view=logs ssr=SsrMode::Async/>
                <Route path=path!("/gateways/:id/operations") view=operations ssr=SsrMode::Async/>
                <Route path=path!("/gateways/:id/operations/new/:kind") view=confirm ssr=SsrMode::Async/>
                <Route path=path!("/gateways/:id/accounts/:account/relink") view=relink ssr=SsrMode::Async/>
                <Route path=path!("/gateways/:id/backups") view=backups ssr=SsrMode::Async/>
                <Route path=path!("/operations/:id") view=operation ssr=SsrMode::Async/>
                <Route path=path!("/people") view=people ssr=SsrMode::Async/>
                <Route path=path!("/account") view=account ssr=SsrMode::Async/>
                <Route path=path!("/audit") view=audit ssr=SsrMode::Async/>
            </FlatRoutes>
        </Router>
    }
}

fn param(name: &str) -> String {
    use_params_map().with_untracked(|params| params.get(name).unwrap_or_default())
}

fn gateway() -> impl IntoView {
    let id = param("id");
    framed(|call, _| async move { pages::gateway::page(&call, &id).await })
}

fn logs() -> impl IntoView {
    let id = param("id");
    framed(|call, asked| async move { pages::logs::page(&call, &id, &asked).await })
}

fn operations() -> impl IntoView {
    let id = param("id");
    framed(|call, asked| async move { pages::operations::page(&call, &id, &asked).await })
}

fn confirm() -> impl IntoView {
    let (id, kind) = (param("id"), param("kind"));
    framed(|call, asked| async move { pages::confirm::page(&call, &id, &kind, &asked).await })
}

fn relink() -> impl IntoView {
    let (id, account) = (param("id"), param("account"));
    framed(|call, _| async move { pages::relink::page(&call, &id, &account) })
}

fn backups() -> impl IntoView {
    let id = param("id");
    framed(|call, _| async move { pages::backups::page(&call, &id).await })
}

fn operation() -> impl IntoView {
    let id = param("id");
    framed(|call, asked| async move { pages::operation::page(&call, &id, &asked).await })
}

fn people() -> impl IntoView {
    framed(|call, asked| async move { pages::people::page(&call, &asked).await })
}

fn account() -> impl IntoView {
    framed(|call, asked| async move { Ok(pages::account::page(&call, &asked)) })
}

fn audit() -> impl IntoView {
    framed(|call, asked| async move { pages::audit::page(&call, &asked).await })
}

fn not_found() -> impl IntoView {
    framed(|_, _| async { Err(PanelError::gone("There is no such page.")) })
}

/// The start page goes to the first gateway.
fn home() -> impl IntoView {
    framed(|call, _| async move {
        let first = call.panel().observations.gateways().into_iter().next();
        let first = first.ok_or_else(|| {
            PanelError::gone("No gateway is configured. Add one to the panel's configuration.")
        })?;
        redirect_to(&path::gateway(&first.id));
        Ok(Page::new("OpenClaw Panel", String::new()))
    })
}

fn sign_in() -> impl IntoView {
    alone(pages::sign_in::page(&asked()))
}

fn asked() -> Asked {
    let pairs = use_query_map().with_untracked(|query| {
        let pairs = query.clone().into_iter();
        pairs.map(|(key, value)| (key.to_string(), value)).collect()
    });
    Asked { pairs }
}

/// Waits for a page and puts it into the frame, or the answer to what went wrong.
fn framed<F>(page: impl FnOnce(Call, Asked) -> F + Send + 'static) -> AnyView
where
    F: Future<Output = Result<Page, PanelError>> + Send + 'static,
{
    let call = match Call::current() {
        Ok(call) => call,
        Err(PanelError::SignedOut) => {
            let here = use_url().with_untracked(|url| url.path().to_owned());
            redirect_to(&format!("{}?next={}", path::SIGN_IN, encoded(&here)));
            return ().into_any();
        }
        Err(error) => return alone(pages::answer::alone(&error)),
    };
    let asked = asked();
    let options = use_context::<ResponseOptions>();
    Suspend::new(async move {
        let page = page(call.clone(), asked.clone()).await;
        let page = page.unwrap_or_else(|error| pages::answer::page(&error, &call));
        set_status(options.as_ref(), page.status);
        in_frame(&call, page, &asked)
    })
    .into_any()
}

fn in_frame(call: &Call, page: Page, asked: &Asked) -> AnyView {
    let top = frame::top(call, &page);
    let content = frame::notices(call, &page, asked) + &page.content;
    let island = match (&page.events, &page.follows) {
        (None, Some(_)) => view! { <Follow/> }.into_any(),
        // Without a stream it only writes times in the viewer's zone.
        _ => view! { <Live/> }.into_any(),
    };
    view! {
        <Title text=titled(&page)/>
        <a class="skip" href="#main">"Skip to content"</a>
        <div class="app">
            <header class="top" inner_html=top></header>
            <main id="main" tabindex="-1" data-events=page.events data-follows=page.follows inner_html=content></main>
        </div>
        {island}
    }
    .into_any()
}

fn alone(page: Page) -> AnyView {
    set_status(use_context::<ResponseOptions>().as_ref(), page.status);
    view! {
        <Title text=titled(&page)/>
        <main class="alone" inner_html=page.content></main>
    }
    .into_any()
}

fn titled(page: &Page) -> String {
    format!("{} · OpenClaw Panel", page.title)
}

fn set_status(options: Option<&ResponseOptions>, status: StatusCode) {
    if status != StatusCode::OK
        && let Some(options) = options
    {
        options.set_status(status);
    }
}
