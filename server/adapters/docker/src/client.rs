//! One daemon: connecting, agreeing on a version, and a limit on every call.

use std::fs::File;
use std::future::Future;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};
use domain::fault::Fault;

use crate::fault::Failed;
use crate::names::Names;
use crate::{Endpoint, GatewayDocker};

/// For questions: Docker answers them in milliseconds, on a machine out of breath in seconds.
pub(crate) const QUICK: Duration = Duration::from_secs(10);
/// For changes that touch disk, network or processes.
pub(crate) const SLOW: Duration = Duration::from_secs(60);
/// The client's own limit, out of the way of ours.
const NEVER_FIRST: u64 = 24 * 60 * 60;

/// One gateway with its daemon.
pub(crate) struct Host {
    pub(crate) settings: GatewayDocker,
    negotiated: Mutex<Option<Docker>>,
    pub(crate) last_names: Mutex<Option<Names>>,
}

impl Host {
    pub(crate) fn new(settings: GatewayDocker) -> Self {
        Self {
            settings,
            negotiated: Mutex::new(None),
            last_names: Mutex::new(None),
        }
    }

    /// The client, in the newest version of the API that both sides speak.
    pub(crate) async fn docker(&self) -> Result<Docker, Failed> {
        let known = self
            .negotiated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(docker) = known {
            return Ok(docker);
        }
        let endpoint = &self.settings.endpoint;
        let doing = "agreeing on a version";
        let docker = connect(endpoint).map_err(|error| Failed::of(error, endpoint, doing))?;
        let docker = match tokio::time::timeout(QUICK, docker.negotiate_version()).await {
            Ok(done) => done.map_err(|error| Failed::of(error, endpoint, doing))?,
            Err(_) => return Err(Failed::timed_out(QUICK, doing)),
        };
        *self
            .negotiated
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(docker.clone());
        Ok(docker)
    }

    /// Forgets the version agreed on: the daemon may come back as another one.
    pub(crate) fn forget_version(&self) {
        *self
            .negotiated
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The version of the API that was agreed on, as in `(1, 41)`.
    pub(crate) async fn api_version(&self) -> Result<(usize, usize), Failed> {
        let version = self.docker().await?.client_version();
        Ok((version.major_version, version.minor_version))
    }

    /// One call. `doing` completes “Docker did not answer while …”.
    pub(crate) async fn call<T, F, Calling>(
        &self,
        limit: Duration,
        doing: &'static str,
        call: F,
    ) -> Result<T, Failed>
    where
        F: FnOnce(Docker) -> Calling,
        Calling: Future<Output = Result<T, bollard::errors::Error>>,
    {
        let docker = self.docker().await?;
        match tokio::time::timeout(limit, call(docker)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let failed = self.failed(error, doing);
                if failed.is_about_version() {
                    self.forget_version();
                }
                Err(failed)
            }
            Err(_) => Err(Failed::timed_out(limit, doing)),
        }
    }

    /// Words for an error of this daemon.
    pub(crate) fn failed(&self, error: bollard::errors::Error, doing: &'static str) -> Failed {
        Failed::of(error, &self.settings.endpoint, doing)
    }

    pub(crate) async fn ping(&self) -> Result<(), Fault> {
        self.call(QUICK, "answering a ping", |docker| async move {
            docker.ping().await
        })
        .await?;
        Ok(())
    }
}

fn connect(endpoint: &Endpoint) -> Result<Docker, bollard::errors::Error> {
    match endpoint {
        Endpoint::Unix(path) => {
            Docker::connect_with_unix(&path.to_string_lossy(), NEVER_FIRST, API_DEFAULT_VERSION)
        }
        Endpoint::Tcp { url, ca, cert, key } => {
            // Another part of the panel may have chosen already; the choice is the same.
            drop(rustls::crypto::ring::default_provider().install_default());
            let [key, cert, ca] = [key, cert, ca].map(|path| -> &Path { path });
            // Bollard would go without what it cannot read, and the daemon's refusal would not say why.
            for path in [ca, cert, key] {
                if File::open(path).is_err() {
                    let path = path.to_owned();
                    return Err(bollard::errors::Error::CertPathError { path });
                }
            }
            Docker::connect_with_ssl(url, key, cert, ca, NEVER_FIRST, API_DEFAULT_VERSION)
        }
    }
}
