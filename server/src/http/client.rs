//! Where a request comes from: the peer's address, or what a trusted proxy says.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};
use tower_sessions::cookie::Cookie;

/// The address of the person's side of the connection. `X-Forwarded-For` is believed only when the peer
/// is a trusted proxy, and only its last entry that is not such a proxy itself.
pub(crate) fn address(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let peer = peer.ip().to_canonical();
    if !trusted.contains(&peer) {
        return peer;
    }
    headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|part| part.trim().parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .rfind(|address| !trusted.contains(address))
        .unwrap_or(peer)
}

/// The value of a cookie.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .flatten()
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

/// A short name of the browser: `Firefox on Android`. Never the whole header: it is kept in the audit.
pub(crate) fn browser(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let first = |pairs: &[(&str, &'static str)]| {
        pairs
            .iter()
            .find(|(mark, _)| agent.contains(mark))
            .map(|(_, name)| *name)
    };
    let program = first(&[
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ])?;
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    Some(system.map_or_else(
        || program.to_owned(),
        |system| format!("{program} on {system}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let proxy: IpAddr = "127.0.0.1".parse().unwrap();
        let from = |peer: &str, value, trusted: &[IpAddr]| {
            address(
                format!("{peer}:5000").parse().unwrap(),
                &forwarded(value),
                trusted,
            )
            .to_string()
        };
        assert_eq!(from("127.0.0.1", "203.0.113.9", &[proxy]), "203.0.113.9");
        assert_eq!(
            from("127.0.0.1", "6.6.6.6, 203.0.113.9, 127.0.0.1", &[proxy]),
            "203.0.113.9"
        );
        assert_eq!(from("203.0.113.7", "6.6.6.6", &[proxy]), "203.0.113.7");
        assert_eq!(from("127.0.0.1", "nonsense", &[proxy]), "127.0.0.1");
    }

    #[test]
    fn the_browser_is_named_shortly() {
        let agent = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Mobile Safari/537.36";
        let headers = HeaderMap::from_iter([(header::USER_AGENT, agent.parse().unwrap())]);
        assert_eq!(browser(&headers).as_deref(), Some("Chrome on Android"));
    }
}
