//! Only the panel's own pages may change something: every request that is not a mere look must come
//! from the panel's own origin.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::sorry;

/// The panel's own origin: `https://panel.example.org`.
#[derive(Clone, Debug)]
pub(crate) struct OwnOrigin(pub(crate) std::sync::Arc<str>);

/// Refuses changes from elsewhere. Browsers send `Origin` with every POST; one without it (or `null`)
/// is let through only when `Sec-Fetch-Site` says `same-origin`.
pub(crate) fn is_own(headers: &HeaderMap, own: &str) -> bool {
    let fetch_site = headers
        .get("sec-fetch-site")
        .map(axum::http::HeaderValue::as_bytes);
    match headers
        .get(header::ORIGIN)
        .map(axum::http::HeaderValue::as_bytes)
    {
        Some(origin) if origin == own.as_bytes() => {
            !matches!(fetch_site, Some(b"cross-site" | b"same-site"))
        }
        Some(_) => false,
        None => fetch_site == Some(b"same-origin"),
    }
}

pub(crate) async fn check(State(own): State<OwnOrigin>, request: Request, next: Next) -> Response {
    let looks = matches!(*request.method(), Method::GET | Method::HEAD);
    if looks || is_own(request.headers(), &own.0) {
        return next.run(request).await;
    }
    tracing::warn!(
        path = super::without_secrets(request.uri().path()),
        origin = ?request.headers().get(header::ORIGIN),
        "Refused a change that did not come from the panel's own pages"
    );
    let text = format!(
        "This change was refused: it did not come from the panel's own pages. Open {} and try again there.",
        own.0
    );
    sorry::say(StatusCode::FORBIDDEN, "Refused", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_the_own_origin_may_change_things() {
        let own = "https://panel.example.org";
        for (allowed, given) in [
            (true, headers(&[("origin", own)])),
            (
                true,
                headers(&[("origin", own), ("sec-fetch-site", "same-origin")]),
            ),
            (true, headers(&[("sec-fetch-site", "same-origin")])),
            (false, headers(&[])),
            (false, headers(&[("origin", "null")])),
            (false, headers(&[("origin", "https://evil.example")])),
            (
                false,
                headers(&[("origin", "https://panel.example.org.evil.example")]),
            ),
            (false, headers(&[("origin", "http://panel.example.org")])),
            (
                false,
                headers(&[("origin", own), ("sec-fetch-site", "same-site")]),
            ),
            (false, headers(&[("sec-fetch-site", "cross-site")])),
        ] {
            assert_eq!(is_own(&given, own), allowed, "{given:?}");
        }
    }
}
