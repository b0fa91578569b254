//! The one way out over HTTP: trust, time limits, no redirects, no proxies of the environment.

mod reach;
mod resolve;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind};

pub use reach::{Unreached, why, why_io};
pub use resolve::{ResolveError, resolve};
pub use trust::{Trust, TrustError};

/// How long one request may take, from the name look-up to the last byte.
pub const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// How long the connection alone may take.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How much of an answer to a probe is read; the real ones are under 2 kB.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A client that opens a new connection for every request, so that a probe measures the whole door
/// and sees a renewed certificate; follows no redirect and asks no proxy.
pub fn client(trust: &Trust) -> Result<reqwest::Client, Fault> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(trust.config())
        .tls_info(true)
        .dns_resolver(Arc::new(resolve::Loopback))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_LIMIT)
        .timeout(REQUEST_LIMIT)
        .user_agent(concat!("openclaw-panel/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| {
            Fault::new(
                FaultKind::Unexpected,
                Boundary::Panel,
                format!("The panel's HTTP client could not be made: {error}."),
            )
        })
}
