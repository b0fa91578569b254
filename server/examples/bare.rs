//! The measure of the dashboard's speed: axum alone, answering with a string of a given size.
//!
//! `bare PORT BYTES` listens on loopback until it is killed; `end2end/bench` starts it beside the panel.

use axum::Router;
use axum::http::header;
use axum::routing::get;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut given = std::env::args().skip(1);
    let mut number = |name: &str| -> anyhow::Result<usize> {
        let text = given.next();
        let text = text.ok_or_else(|| anyhow::anyhow!("{name} is missing: bare PORT BYTES"))?;
        text.parse()
            .map_err(|_| anyhow::anyhow!("{name} must be a number, not {text:?}"))
    };
    let port = u16::try_from(number("PORT")?)?;
    let page = "x".repeat(number("BYTES")?);
    let answer = move || {
        let page = page.clone();
        async move { ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page) }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, Router::new().route("/", get(answer))).await?;
    Ok(())
}
