//! Why something was not reached, in one plain clause: `nothing listens at …`.

use std::error::Error;
use std::io;

use super::ResolveError;

/// The kind of failure, for those who decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// The name has no address.
    Name,
    /// Nobody listens.
    Refused,
    /// TLS failed.
    Tls,
    /// It took too long.
    Timeout,
    /// Anything else.
    Other,
}

/// Why a request failed; `target` is a host, with a port when that helps.
pub fn why(error: &(dyn Error + 'static), target: &str) -> (Unreached, String) {
    let mut timed_out = false;
    let mut next = Some(error);
    while let Some(link) = next {
        if let Some(answer) = recognise(link, target) {
            return answer;
        }
        timed_out |= link
            .downcast_ref::<reqwest::Error>()
            .is_some_and(reqwest::Error::is_timeout);
        next = link.source();
    }
    if timed_out {
        return (
            Unreached::Timeout,
            format!("{target} did not answer in time"),
        );
    }
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    (
        Unreached::Other,
        format!("the connection to {target} failed: {last}"),
    )
}

/// The same for an I/O error.
pub fn why_io(error: &io::Error, target: &str) -> (Unreached, String) {
    why(error, target)
}

fn recognise(link: &(dyn Error + 'static), target: &str) -> Option<(Unreached, String)> {
    if let Some(error) = link.downcast_ref::<rustls::Error>() {
        return Some((Unreached::Tls, tls(error, target)));
    }
    if let Some(error) = link.downcast_ref::<ResolveError>() {
        return Some((Unreached::Name, error.to_string()));
    }
    let error = link.downcast_ref::<io::Error>()?;
    // `source` of a wrapped error skips the error itself.
    if let Some(inner) = error.get_ref() {
        let inner: &(dyn Error + 'static) = inner;
        if let Some(answer) = recognise(inner, target) {
            return Some(answer);
        }
    }
    Some(match error.kind() {
        io::ErrorKind::ConnectionRefused => (
            Unreached::Refused,
            format!("nothing listens at {target} (connection refused)"),
        ),
        io::ErrorKind::TimedOut => (
            Unreached::Timeout,
            format!("{target} did not answer in time"),
        ),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => (
            Unreached::Other,
            format!("there is no way through the network to {target}"),
        ),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => (
            Unreached::Other,
            format!("{target} closed the connection without an answer"),
        ),
        _ => return None,
    })
}

fn tls(error: &rustls::Error, target: &str) -> String {
    use rustls::CertificateError as Bad;
    let cause = match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired".to_owned(),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "its certificate is not valid yet (is a clock wrong?)".to_owned()
            }
            Bad::UnknownIssuer => {
                "its certificate was issued by an authority that this machine does not trust"
                    .to_owned()
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "its certificate is for another name".to_owned()
            }
            other => format!("its certificate is refused ({other:?})"),
        },
        rustls::Error::InvalidMessage(_) => "it does not speak TLS".to_owned(),
        other => other.to_string(),
    };
    format!("TLS with {target} failed: {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_found_inside_wrappers() {
        let inside = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, inside);
        let twice = io::Error::other(wrapped);
        let (kind, text) = why_io(&twice, "x.test");
        assert_eq!(kind, Unreached::Tls);
        assert!(text.contains("does not trust"), "{text}");
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(why_io(&refused, "h:1").0, Unreached::Refused);
    }
}
