//! Linking an account by a scan: the code that a phone must see now, and how far it is.
//!
//! A code is a secret: whoever scans it gets the link. It lives in memory only, never in the journal, a
//! log, the audit trail or a URL, and its types do not print it.

use core::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use crate::time::Timestamp;

/// A code as the gateway gave it, and as it is drawn.
#[derive(Clone)]
pub struct Code {
    /// The gateway's own image (a `data:` URL): named again while waiting, so that the gateway can tell
    /// whether it has a newer one.
    image: Arc<SecretString>,
    picture: Arc<Picture>,
}

impl Code {
    /// A code.
    pub fn new(image: SecretString, picture: Picture) -> Self {
        Self {
            image: Arc::new(image),
            picture: Arc::new(picture),
        }
    }

    /// The gateway's own image, for the gateway only.
    pub fn image(&self) -> &str {
        self.image.expose_secret()
    }

    /// What is drawn, for a person who may see it only.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code([hidden])")
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.image() == other.image()
    }
}

impl Eq for Code {}

/// How a code is drawn.
pub enum Picture {
    /// Drawn anew from what it says: sharp at any size.
    Modules {
        /// Modules on each side, without the quiet zone.
        side: usize,
        /// Line by line, which of them are dark: `side * side` of them.
        dark: Vec<bool>,
        /// What it says: a `https://wa.me/` link, for the phone that shows this very page.
        link: SecretString,
    },
    /// The gateway's own image, when what it says could not be read.
    Image,
}

/// A login of an account in the gateway, as far as the panel knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// When it began.
    pub began: Timestamp,
    /// A phone has scanned its code, which cannot be scanned twice.
    pub spent: bool,
}

/// How far a scan is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan {
    /// The gateway is asked for a code.
    Preparing,
    /// A phone may scan it now.
    Showing {
        /// The code.
        code: Code,
        /// From then on a scan of it fails, though it may still be on display elsewhere.
        good_until: Timestamp,
        /// Which attempt this is, from 1.
        attempt: u32,
        /// How many there are.
        attempts: u32,
    },
    /// The last code is too old to be scanned; the next one comes.
    Renewing,
    /// The gateway still holds a code that a phone has scanned before, and gives no other one meanwhile.
    Spent {
        /// Then it does.
        until: Timestamp,
    },
    /// A phone has scanned it; WhatsApp and the gateway finish the link.
    Scanned,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_does_not_print() {
        let code = Code::new("data:image/png;base64,SECRET".into(), Picture::Image);
        let scan = Scan::Showing {
            code,
            good_until: Timestamp::from_millis(0),
            attempt: 1,
            attempts: 5,
        };
        assert!(!format!("{scan:?}").contains("SECRET"));
    }
}
