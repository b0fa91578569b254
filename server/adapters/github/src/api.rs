//! Where the API is, and the client that speaks with it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind};
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Why a URL cannot be that of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadApi {
    /// It is no such URL, or has parts that an API's has not.
    #[error("give https://api.github.com, or https://HOST/api/v3 of your GitHub Enterprise")]
    Url,
    /// The token would be readable on the way.
    #[error("use https: the token would go over the network in the clear")]
    InTheClear,
    /// It is the site for people.
    #[error("that is the site for people; its API is https://api.github.com")]
    Site,
}

/// The API's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api(Url);

impl Api {
    /// The API of github.com.
    pub const DEFAULT: &'static str = "https://api.github.com";

    /// Reads and checks a URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(given: &str) -> Result<Self, BadApi> {
        let url = Url::parse(given).map_err(|_| BadApi::Url)?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        match (url.scheme(), url.host_str()) {
            _ if !plain => Err(BadApi::Url),
            ("https" | "http", Some("github.com" | "www.github.com")) => Err(BadApi::Site),
            ("https", Some(_)) => Ok(Self(url)),
            ("http", Some(_)) if is_loopback(&url) => Ok(Self(url)),
            ("http", _) => Err(BadApi::InTheClear),
            _ => Err(BadApi::Url),
        }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.0.as_str().trim_end_matches('/'))
    }

    /// The host, for people.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The host as `gh` names it; `None` for github.com, which needs no naming.
    pub(crate) fn host_for_gh(&self) -> Option<&str> {
        let host = self.host();
        if host == "api.github.com" || is_loopback(&self.0) {
            return None;
        }
        match host.strip_prefix("api.") {
            Some(tenant) if tenant.ends_with(".ghe.com") => Some(tenant),
            _ => Some(host),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Follows no redirect, so that the token goes to no other host, and asks no proxy of the environment.
pub(crate) fn client() -> Result<reqwest::Client, Fault> {
    let failed = |why: &dyn core::fmt::Display| {
        let why = format!("The panel's HTTP client for GitHub could not be made: {why}.");
        Fault::new(FaultKind::Unexpected, Boundary::Panel, why)
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_LIMIT)
        .user_agent(concat!("openclaw-panel/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_an_api_and_never_in_the_clear() {
        for good in [
            Api::DEFAULT,
            "https://github.example.org/api/v3",
            "https://github.example.org/api/v3/",
            "http://127.0.0.1:9",
            "http://[::1]:9",
            "http://localhost:9",
        ] {
            assert!(Api::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("api.github.com", BadApi::Url),
            ("ftp://api.github.com", BadApi::Url),
            ("https://u:p@api.github.com", BadApi::Url),
            ("https://api.github.com?x", BadApi::Url),
            ("http://api.github.com", BadApi::InTheClear),
            ("http://127.0.0.1.example.org", BadApi::InTheClear),
            ("https://github.com", BadApi::Site),
        ] {
            assert_eq!(Api::parse(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn paths_and_hosts_are_put_together_from_it() {
        let api = Api::parse("https://github.example.org/api/v3/").unwrap();
        assert_eq!(
            api.at("repos/a/b"),
            "https://github.example.org/api/v3/repos/a/b"
        );
        assert_eq!(api.host_for_gh(), Some("github.example.org"));
        let api = Api::parse("https://api.octo.ghe.com").unwrap();
        assert_eq!(api.host_for_gh(), Some("octo.ghe.com"));
        assert_eq!(Api::parse(Api::DEFAULT).unwrap().host_for_gh(), None);
    }
}
