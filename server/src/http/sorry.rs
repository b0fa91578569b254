//! Answers that no page can give: a sentence for programs, and for people the same on a page of ours.

use std::sync::Arc;

use app::SiteFiles;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};

/// What such a page says.
#[derive(Clone, Debug)]
struct Said {
    title: &'static str,
    text: String,
}

/// A sentence as an answer; [`dress`] makes a page of it for whoever wants one.
pub(super) fn say(status: StatusCode, title: &'static str, text: impl Into<String>) -> Response {
    let text = text.into();
    let mut answer = (status, text.clone()).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let soon = HeaderValue::from_static("5");
        answer.headers_mut().insert(header::RETRY_AFTER, soon);
    }
    answer.extensions_mut().insert(Said { title, text });
    answer
}

/// Puts what was only said onto a page, when the browser asked for one.
pub(super) async fn dress(
    State(site): State<Arc<SiteFiles>>,
    request: Request,
    next: Next,
) -> Response {
    let wanted = wants_a_page(request.headers());
    let mut answer = next.run(request).await;
    let Some(said) = answer.extensions_mut().remove::<Said>().filter(|_| wanted) else {
        return answer;
    };
    let page = app::sorry(&site, said.title, &said.text);
    let mut page = (answer.status(), Html(page)).into_response();
    if let Some(soon) = answer.headers_mut().remove(header::RETRY_AFTER) {
        page.headers_mut().insert(header::RETRY_AFTER, soon);
    }
    page
}

fn wants_a_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT);
    accepted
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| accepted.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;
    use crate::http::{crashed, headers};

    async fn crashes() {
        panic!("secret detail")
    }

    fn router() -> Router {
        let site = Arc::new(SiteFiles {
            css: "panel-1.css".to_owned(),
            boot: None,
            module: None,
            wasm: None,
            icon: None,
            touch_icon: None,
            manifest: None,
        });
        let away = || async { say(StatusCode::SERVICE_UNAVAILABLE, "Away", "Not <now>.") };
        Router::new()
            .route("/away", get(away))
            .route("/crash", get(crashes))
            .layer(CatchPanicLayer::custom(|_| crashed()))
            .layer(from_fn_with_state(site, dress))
            .layer(from_fn_with_state(headers::Https(true), headers::add))
    }

    async fn asked(path: &str, accept: &'static str) -> (StatusCode, HeaderMap, String) {
        let request = Request::get(path).header(header::ACCEPT, accept);
        let request = request.body(Body::empty()).unwrap();
        let answer = router().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        (parts.status, parts.headers, body)
    }

    #[tokio::test]
    async fn people_get_a_page_and_programs_a_sentence() {
        let (status, headers, page) = asked("/away", "text/html,*/*").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(headers[header::RETRY_AFTER], "5");
        assert!(page.contains("<h1>Away</h1>"), "{page}");
        assert!(page.contains("Not &lt;now&gt;."), "{page}");
        assert!(page.contains("/assets/panel-1.css"), "{page}");
        let (_, _, sentence) = asked("/away", "*/*").await;
        assert_eq!(sentence, "Not <now>.");
    }

    #[tokio::test]
    async fn a_crash_is_a_page_with_every_header_and_without_detail() {
        let (status, headers, page) = asked("/crash", "text/html").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(
            page.contains("The gateway itself is not affected"),
            "{page}"
        );
        assert!(!page.contains("secret"), "{page}");
        assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY));
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
}
