//! Whom to trust over TLS: the machine's authorities and one file of extra ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// The extra authorities could not be read; says which file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be opened or read.
    #[error("the file with extra certificate authorities, {}, cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no certificate.
    #[error("{} holds no certificate: it must be PEM, `-----BEGIN CERTIFICATE-----`", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A certificate in it is no authority's.
    #[error("{} holds something that is no certificate authority: {source}", .path.display())]
    NoAuthority {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// The TLS library refuses its own defaults: a build mistake.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[source] rustls::Error),
}

/// A TLS configuration, shared by probes and sockets.
#[derive(Clone, Debug)]
pub struct Trust {
    config: ClientConfig,
}

impl Trust {
    /// The machine's authorities, and those in `extra` (PEM) when given.
    pub fn load(extra: Option<&Path>) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        // A machine without authorities can still talk to a gateway over plain HTTP.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = extra {
            add_extra(&mut roots, path)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Setup)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config })
    }

    pub(super) fn config(&self) -> ClientConfig {
        self.config.clone()
    }

    /// The same for a WebSocket.
    pub(crate) fn shared(&self) -> Arc<ClientConfig> {
        Arc::new(self.config.clone())
    }
}

fn add_extra(roots: &mut RootCertStore, path: &Path) -> Result<(), TrustError> {
    let unreadable = |source| TrustError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let pem = std::fs::read(path).map_err(unreadable)?;
    let mut found = 0;
    for certificate in rustls_pemfile::certs(&mut pem.as_slice()) {
        let certificate = certificate.map_err(unreadable)?;
        roots
            .add(certificate)
            .map_err(|source| TrustError::NoAuthority {
                path: path.to_owned(),
                source,
            })?;
        found += 1;
    }
    if found == 0 {
        return Err(TrustError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "hello").unwrap();
        let error = Trust::load(Some(&file)).unwrap_err().to_string();
        assert!(error.contains("ca.pem holds no certificate"), "{error}");
        let missing = Trust::load(Some(&folder.path().join("none.pem"))).unwrap_err();
        assert!(missing.to_string().contains("cannot be read"), "{missing}");
    }
}
