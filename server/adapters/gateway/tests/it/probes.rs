//! Probes against servers that answer well, wrongly or not at all.

use std::sync::Arc;
use std::time::Duration;

use adapter_gateway::device::DeviceIdentity;
use adapter_gateway::http::Trust;
use adapter_gateway::link::{LinkConfig, LinkState};
use adapter_gateway::probe::Prober;
use domain::fact::State;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::support::{RealClock, Remembering, TestKey, link_with, quick, until_failing};

/// Answers every request with these bytes, by path.
async fn serve(pages: Vec<(&'static str, Vec<u8>)>, tls: Option<TlsAcceptor>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let pages = Arc::new(pages);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (pages, tls) = (Arc::clone(&pages), tls.clone());
            tokio::spawn(async move {
                match tls {
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            answer(stream, &pages).await;
                        }
                    }
                    None => answer(stream, &pages).await,
                }
            });
        }
    });
    port
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    pages: &[(&'static str, Vec<u8>)],
) {
    let mut request = vec![0; 4096];
    let read = stream.read(&mut request).await.unwrap_or(0);
    let request = String::from_utf8_lossy(&request[..read]).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let page = pages
        .iter()
        .find(|(known, _)| *known == path || *known == "*");
    if let Some((_, bytes)) = page {
        stream.write_all(bytes).await.ok();
        stream.shutdown().await.ok();
    } else {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

fn page(status: u16, kind: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn json(status: u16, body: &str) -> Vec<u8> {
    page(status, "application/json", body)
}

const LIVE: &str = r#"{"ok":true,"status":"live"}"#;

fn prober(internal: &str, public: &str, trust: &Trust) -> Prober {
    Prober::new(
        internal.parse().unwrap(),
        public.parse().unwrap(),
        trust,
        Arc::new(RealClock),
    )
    .unwrap()
}

fn plain(url: &str) -> Prober {
    prober(url, url, &Trust::load(None).unwrap())
}

#[tokio::test]
async fn the_edge_is_good_through_a_localhost_name() {
    let port = serve(vec![("/healthz", json(200, LIVE))], None).await;
    let look = plain(&format!("http://openclaw.localhost:{port}"))
        .edge()
        .await;
    assert_eq!(look.state, State::Ok, "{look:?}");
    assert_eq!(look.detail.unwrap().status, Some(200));
}

#[tokio::test]
async fn every_way_to_fail_at_the_edge_has_its_sentence() {
    let html = serve(
        vec![("*", page(200, "text/html", "<!doctype html>hi"))],
        None,
    )
    .await;
    let proxy = serve(vec![("*", page(502, "text/html", ""))], None).await;
    let flood = serve(
        vec![("*", json(200, &format!("[{}1]", "1,".repeat(2_000_000))))],
        None,
    )
    .await;
    let noise = serve(vec![("*", b"\x00\xff\xfe no http\r\n\r\n".to_vec())], None).await;
    let half = serve(
        vec![(
            "*",
            b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"ok\"".to_vec(),
        )],
        None,
    )
    .await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = free.local_addr().unwrap().port();
    drop(free);
    for (url, headline, part) in [
        (format!("http://127.0.0.1:{html}"), "200 in", "web page"),
        (
            format!("http://127.0.0.1:{proxy}"),
            "502 in",
            "does not reach the gateway",
        ),
        (
            format!("http://127.0.0.1:{flood}"),
            "200 in",
            "not the gateway's health",
        ),
        (
            format!("http://127.0.0.1:{noise}"),
            "Not reachable",
            "127.0.0.1",
        ),
        (
            format!("http://127.0.0.1:{half}"),
            "Not reachable",
            "127.0.0.1",
        ),
        (
            format!("http://127.0.0.1:{nobody}"),
            "Connection refused",
            "Nothing listens at",
        ),
        (
            format!("https://127.0.0.1:{html}"),
            "TLS failed",
            "does not speak TLS",
        ),
        (
            "http://no-such-name.invalid".to_owned(),
            "Name not found",
            "cannot be found",
        ),
    ] {
        let look = plain(&url).edge().await;
        assert_eq!(look.state, State::Down, "{url}: {look:?}");
        assert!(look.headline.starts_with(headline), "{url}: {look:?}");
        assert!(look.reason.contains(part), "{url}: {look:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_times_out() {
    let silent = serve(Vec::new(), None).await;
    let look = plain(&format!("http://127.0.0.1:{silent}")).edge().await;
    assert_eq!(look.headline, "Timed out", "{look:?}");
}

#[tokio::test]
async fn tls_tells_when_the_certificate_ends_and_who_is_not_trusted() {
    let made = rcgen::generate_simple_self_signed(vec!["claw.localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![made.cert.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der())),
        )
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    let port = serve(vec![("/healthz", json(200, LIVE))], Some(tls)).await;
    let url = format!("https://claw.localhost:{port}");

    let look = plain(&url).edge().await;
    assert_eq!(look.headline, "TLS failed", "{look:?}");
    assert!(look.reason.contains("does not trust"), "{look:?}");

    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).unwrap();
    let trust = Trust::load(Some(&ca)).unwrap();
    let look = prober(&url, &url, &trust).edge().await;
    assert_eq!(look.state, State::Ok, "{look:?}");
    assert!(look.detail.unwrap().tls_expires_at.is_some());

    let other = format!("https://other.localhost:{port}");
    let look = prober(&other, &other, &trust).edge().await;
    assert!(look.reason.contains("for another name"), "{look:?}");

    // The socket trusts whom the probes trust: then only the server's silence is left to complain about.
    for (trust, distrusts) in [(Trust::load(None).unwrap(), true), (trust, false)] {
        let mut config = LinkConfig::new(url.parse().unwrap(), trust);
        config.limits = quick();
        let device = Arc::new(DeviceIdentity::from_secret([5; 32]));
        let linked = link_with(config, TestKey::new("k"), Remembering::unasked(), device);
        let why = until_failing(&linked.link).await;
        assert_eq!(why.contains("does not trust"), distrusts, "{why}");
    }
}

#[tokio::test]
async fn the_process_is_read_from_bodies() {
    let port = serve(
        vec![
            ("/healthz", json(200, LIVE)),
            ("/startupz", page(200, "text/html", "<!doctype html>")),
            (
                "/readyz",
                json(
                    503,
                    r#"{"ready":false,"failing":["whatsapp"],"uptimeMs":5}"#,
                ),
            ),
        ],
        None,
    )
    .await;
    let prober = plain(&format!("http://127.0.0.1:{port}"));
    let look = prober.process(None, &LinkState::default()).await;
    let process = look.detail.unwrap();
    assert_eq!(look.reason, "Failing: whatsapp.");
    assert_eq!(
        (process.live, process.started, process.ready),
        (true, None, Some(false))
    );
    let readiness = prober.readiness(None).await;
    assert!(readiness.live && !readiness.ready);
    assert_eq!(readiness.failing, ["whatsapp"]);
}

#[tokio::test]
async fn a_process_that_does_not_answer_is_not_live() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let look = plain(&url).process(None, &LinkState::default()).await;
    assert_eq!(look.state, State::Down);
    assert!(!look.detail.unwrap().live);
    assert!(!plain(&url).readiness(None).await.live);
}
