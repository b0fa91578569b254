//! The built site: content-hashed files, already compressed, kept for ever by browsers.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use app::SiteFiles;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

/// `site.json`, as the bundler writes it.
#[derive(Deserialize)]
struct Manifest {
    css: String,
    boot: Option<String>,
    js: Option<String>,
    wasm: Option<String>,
    #[serde(default)]
    icons: HashMap<String, String>,
}

struct Asset {
    kind: &'static str,
    plain: Bytes,
    gzip: Option<Bytes>,
    brotli: Option<Bytes>,
}

/// Every file of the site, in memory (a few hundred kilobytes).
#[derive(Clone)]
pub(crate) struct Assets(Arc<HashMap<String, Asset>>);

/// Reads the whole site once.
pub(crate) fn load(folder: &Path) -> anyhow::Result<(Assets, SiteFiles)> {
    let manifest = folder.join("site.json");
    let text =
        std::fs::read(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let names: Manifest = serde_json::from_slice(&text).with_context(|| {
        format!(
            "{} is not a manifest of this version; build the site again",
            manifest.display()
        )
    })?;
    let mut files = HashMap::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let path = entry
            .with_context(|| format!("cannot list {}", folder.display()))?
            .path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let Some(kind) = kind_of(name) else { continue };
        let read = |suffix: &str| {
            let mut full = path.clone().into_os_string();
            full.push(suffix);
            std::fs::read(full).map(Bytes::from)
        };
        let plain = read("").with_context(|| format!("cannot read {}", path.display()))?;
        let asset = Asset {
            kind,
            plain,
            gzip: read(".gz").ok(),
            brotli: read(".br").ok(),
        };
        files.insert(name.to_owned(), asset);
    }
    anyhow::ensure!(
        files.contains_key(&names.css),
        "the site folder {} lacks {}; build the site again",
        folder.display(),
        names.css
    );
    Ok((
        Assets(Arc::new(files)),
        SiteFiles {
            icon: names.icons.get("favicon.svg").cloned(),
            touch_icon: names.icons.get("apple-touch-icon.png").cloned(),
            manifest: names.icons.get("app.webmanifest").cloned(),
            css: names.css,
            boot: names.boot,
            module: names.js,
            wasm: names.wasm,
        },
    ))
}

fn kind_of(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

pub(crate) async fn serve(
    State(assets): State<Assets>,
    UrlPath(name): UrlPath<String>,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = assets.0.get(&name) else {
        return (
            StatusCode::NOT_FOUND,
            "There is no such file. Load the page again.",
        )
            .into_response();
    };
    let accepts = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let takes = |coding: &str| {
        accepts.split(',').any(|part| {
            part.split(';')
                .next()
                .is_some_and(|name| name.trim() == coding)
        })
    };
    let (body, coding) = match (&asset.brotli, &asset.gzip) {
        (Some(body), _) if takes("br") => (body, Some("br")),
        (_, Some(body)) if takes("gzip") => (body, Some("gzip")),
        _ => (&asset.plain, None),
    };
    let mut response = (
        [
            (header::CONTENT_TYPE, asset.kind),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::VARY, "accept-encoding"),
        ],
        body.clone(),
    )
        .into_response();
    if let Some(coding) = coding {
        response.headers_mut().insert(
            header::CONTENT_ENCODING,
            axum::http::HeaderValue::from_static(coding),
        );
    }
    response
}
