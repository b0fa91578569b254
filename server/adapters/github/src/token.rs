//! The token: from a file that is read anew each time, or as it was given in the environment.

use std::path::PathBuf;

use domain::fault::{Fault, FaultKind};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use crate::fault;

/// From where the token is.
#[derive(Clone, Debug)]
pub enum Token {
    /// A file with one line. It should be readable by the panel alone (mode 0600).
    File(PathBuf),
    /// As `PANEL_GITHUB_TOKEN` held it when the panel was started.
    Given(SecretString),
}

impl Token {
    /// Where a person puts another one.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Given(_) => "PANEL_GITHUB_TOKEN".to_owned(),
        }
    }

    /// The header's value, which does not print.
    pub(crate) async fn bearer(&self) -> Result<HeaderValue, Fault> {
        let token = match self {
            Self::File(path) => {
                let read = tokio::fs::read_to_string(path).await;
                SecretString::from(read.map_err(|error| {
                    let path = path.display();
                    // What is no text is no token, and the error of that does not quote it.
                    let why = format!("The token for GitHub cannot be read from {path}: {error}.");
                    fault(FaultKind::Invalid, why)
                })?)
            }
            Self::Given(token) => token.clone(),
        };
        let token = token.expose_secret().trim();
        let fits = (1..=1024).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
        let value = fits.then(|| HeaderValue::from_str(&format!("Bearer {token}")));
        let Some(Ok(mut value)) = value else {
            let place = self.place();
            let why = format!("{place} must hold the token for GitHub, and nothing else.");
            return Err(fault(FaultKind::Invalid, why));
        };
        value.set_sensitive(true);
        Ok(value)
    }
}
