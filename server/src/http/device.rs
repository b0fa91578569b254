//! A browser is known again by a cookie of its own, which opens nothing.

use axum::http::{HeaderMap, HeaderValue};
use domain::session::KNOWN_FOR;
use rand::distr::{Alphanumeric, SampleString as _};
use secrecy::{ExposeSecret as _, SecretString};
use tower_sessions::cookie::{Cookie, SameSite};

use super::client;

/// How long its value is.
const LENGTH: usize = 32;

/// How browsers are known again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeviceCookie {
    pub(crate) https: bool,
}

impl DeviceCookie {
    /// `__Host-` binds the cookie to this host and to HTTPS.
    fn name(self) -> &'static str {
        if self.https {
            "__Host-device"
        } else {
            "device"
        }
    }

    /// What the browser is known by; a new value for one that brings none, or one that was not made here.
    pub(super) fn secret(self, headers: &HeaderMap) -> SecretString {
        let known = client::cookie(headers, self.name());
        known
            .filter(|value| {
                value.len() == LENGTH && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
            .unwrap_or_else(|| Alphanumeric.sample_string(&mut rand::rng(), LENGTH))
            .into()
    }

    /// The cookie, for the answer to a sign-in.
    pub(super) fn cookie(self, secret: &SecretString) -> anyhow::Result<HeaderValue> {
        let age = time::Duration::try_from(KNOWN_FOR)?;
        let cookie = Cookie::build((self.name(), secret.expose_secret().to_owned()))
            .path("/")
            .http_only(true)
            .secure(self.https)
            .same_site(SameSite::Lax)
            .max_age(age)
            .build();
        Ok(HeaderValue::from_str(&cookie.to_string())?)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn brings(cookies: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static(cookies));
        headers
    }

    #[test]
    fn a_browser_is_known_by_what_was_given_to_it_and_by_nothing_else() {
        let device = DeviceCookie { https: true };
        let given = device.secret(&HeaderMap::new());
        let cookie = device.cookie(&given).unwrap();
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-device="), "{cookie}");
        for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let known = device.secret(&brings(
            "a=b; __Host-device=0123456789abcdefghijABCDEFGHIJxy",
        ));
        assert_eq!(known.expose_secret(), "0123456789abcdefghijABCDEFGHIJxy");
        for other in [
            "__Host-device=short",
            "device=0123456789abcdefghijABCDEFGHIJxy",
            "__Host-device=0123456789abcdefghijABCDEFGHIJ-y",
        ] {
            let value = device.secret(&brings(other));
            assert_eq!(value.expose_secret().len(), LENGTH);
            assert!(!other.contains(value.expose_secret()), "{other}");
        }
    }
}
