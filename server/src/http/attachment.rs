//! Files that a browser saves.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

/// A file under this name; one that cannot stand in a header is left out, and the browser takes the URL's.
pub(super) fn attachment(kind: &'static str, name: &str, content: impl Into<Body>) -> Response {
    let mut response = ([(header::CONTENT_TYPE, kind)], content.into()).into_response();
    if let Ok(named) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_DISPOSITION, named);
    }
    response
}
