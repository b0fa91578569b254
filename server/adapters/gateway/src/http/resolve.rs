//! Names to addresses. `localhost` and everything under it is this machine (RFC 6761, 6.3), whatever
//! the resolver of the system says: Caddy's internal names in tests and demos rest on it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A name has no address.
#[derive(Debug, thiserror::Error)]
#[error("the name {host} cannot be found")]
pub struct ResolveError {
    /// The name.
    pub host: String,
    /// What the system's resolver said.
    #[source]
    pub source: Option<std::io::Error>,
}

/// The addresses of `host`, each with `port`; never an empty list.
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if is_localhost(bare) {
        return Ok([
            IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ]
        .map(|ip| SocketAddr::new(ip, port))
        .to_vec());
    }
    let error = |source| ResolveError {
        host: bare.to_owned(),
        source,
    };
    let found: Vec<SocketAddr> = tokio::net::lookup_host((bare, port))
        .await
        .map_err(|cause| error(Some(cause)))?
        .collect();
    if found.is_empty() {
        return Err(error(None));
    }
    Ok(found)
}

fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// [`resolve`] for the HTTP client.
pub(super) struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = resolve(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everything_under_localhost_is_this_machine() {
        for host in ["localhost", "openclaw.localhost", "Panel.LocalHost."] {
            let found = resolve(host, 443).await.unwrap();
            assert!(found.iter().all(|at| at.ip().is_loopback()), "{host}");
        }
        assert!(!is_localhost("localhost.example.org"));
        assert!(!is_localhost("notlocalhost"));
        assert_eq!(
            resolve("[::1]", 1).await.unwrap(),
            ["[::1]:1".parse().unwrap()]
        );
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_named() {
        let error = resolve("no-such-name.invalid", 80).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the name no-such-name.invalid cannot be found"
        );
    }
}
