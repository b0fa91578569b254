//! Docker's errors as sentences.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use bollard::errors::Error;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::scrub::Scrubber;
use domain::words;

use crate::Endpoint;

/// A failed call: what the daemon answered, or why it did not.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It answered with an error.
    Answered {
        /// HTTP status.
        status: u16,
        /// Its own words, scrubbed.
        message: String,
        /// What was asked for.
        doing: &'static str,
    },
    /// It did not answer, or not with anything that Docker says.
    Otherwise(Fault),
}

impl Failed {
    pub(crate) fn of(error: Error, endpoint: &Endpoint, doing: &'static str) -> Self {
        match error {
            Error::DockerResponseServerError {
                status_code,
                message,
            } => Self::Answered {
                status: status_code,
                message: Scrubber::default().scrub(message.trim()),
                doing,
            },
            Error::RequestTimeoutError => Self::Otherwise(no_answer("in time", doing)),
            other => Self::Otherwise(transport(&other, endpoint, doing)),
        }
    }

    pub(crate) fn timed_out(limit: Duration, doing: &'static str) -> Self {
        Self::Otherwise(no_answer(
            &format!("within {}", words::duration(limit)),
            doing,
        ))
    }

    /// Whether the thing asked about is not there.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Answered { status: 404, .. })
    }

    /// Whether it was refused because of something that has the same name or does the same already.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Answered { status: 409, .. })
    }

    /// Whether daemon and client no longer speak the same version.
    pub(crate) fn is_about_version(&self) -> bool {
        matches!(self, Self::Answered { status: 400, message, .. }
            if message.contains("client version"))
    }

    /// The daemon's own words; empty when it said nothing.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Answered { message, .. } => message,
            Self::Otherwise(_) => "",
        }
    }
}

impl From<Failed> for Fault {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Otherwise(fault) => fault,
            Failed::Answered {
                status,
                message,
                doing,
            } => answered(status, &message, doing),
        }
    }
}

/// A fault of Docker.
pub(crate) fn docker(kind: FaultKind, message: impl Into<String>) -> Fault {
    Fault::new(kind, Boundary::Docker, message)
}

/// The host port that a message complains about, as in `… 0.0.0.0:18789 failed: port is already
/// allocated` and `listen tcp4 127.0.0.1:18789: bind: address already in use`.
pub(crate) fn port_taken(message: &str) -> Option<u16> {
    if !message.contains("port is already allocated") && !message.contains("address already in use")
    {
        return None;
    }
    message
        .split(|c: char| c.is_whitespace() || c == '(' || c == ')')
        .filter_map(|word| {
            let mut parts = word.trim_end_matches(':').rsplit(':');
            let last = parts.next()?;
            // Newer Engines say `host:18789:172.20.0.2:18789/tcp`; the host's port comes first.
            let port = if last.contains('/') {
                parts.nth(1)?
            } else {
                last
            };
            parts.next().and(port.parse().ok())
        })
        .next_back()
}

fn no_answer(when: &str, doing: &str) -> Fault {
    docker(
        FaultKind::TimedOut,
        format!(
            "Docker did not answer {when} while {doing}: it hangs or its machine is overloaded."
        ),
    )
}

fn answered(status: u16, message: &str, doing: &str) -> Fault {
    if let Some(port) = port_taken(message) {
        return docker(
            FaultKind::Refused,
            format!(
                "Port {port} of the Docker host is already in use: stop what holds it, or choose \
                 another port in the compose folder."
            ),
        );
    }
    if message.contains("no space left on device") {
        return docker(
            FaultKind::Unexpected,
            format!("The disk of the Docker host is full, so {doing} failed: free some space."),
        );
    }
    if message.contains("executable file not found") || message.contains("exec: \"") {
        return docker(
            FaultKind::Invalid,
            format!(
                "The image cannot run the command that it was given: {}",
                sentence(message)
            ),
        );
    }
    if message.contains("No such image") {
        return docker(
            FaultKind::NotFound,
            format!(
                "Docker has {}",
                sentence(&message.replacen("No such image", "no such image", 1))
            ),
        );
    }
    let said = sentence(message);
    let (kind, start) = match status {
        400 => (FaultKind::Invalid, "Docker finds this request wrong"),
        401 | 403 => (FaultKind::Refused, "Docker does not allow it"),
        404 => (FaultKind::NotFound, "Docker does not know it"),
        409 => (
            FaultKind::Refused,
            "Docker refuses, as something is in the way",
        ),
        503 => {
            return docker(
                FaultKind::Unexpected,
                format!("Docker is busy, while {doing}: {said}"),
            )
            .retryable();
        }
        _ => (FaultKind::Unexpected, "Docker failed"),
    };
    docker(kind, format!("{start}, while {doing}: {said}"))
}

/// A message of the daemon, one line, not endless, with a full stop.
fn sentence(message: &str) -> String {
    let line: String = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(400).collect();
    if short.is_empty() {
        "it gave no reason.".to_owned()
    } else if short.len() < line.len() {
        format!("{short}…")
    } else if short.ends_with(['.', '!', '?']) {
        short
    } else {
        format!("{short}.")
    }
}

fn transport(error: &Error, endpoint: &Endpoint, doing: &str) -> Fault {
    let place = place(endpoint);
    if let Error::SocketNotFoundError(_) = error {
        return unreachable(io::ErrorKind::NotFound, &place);
    }
    if let Error::IOError { err } = error {
        return by_io(err, &place, doing);
    }
    if let Error::CertPathError { path } | Error::CertParseError { path } = error {
        return docker(
            FaultKind::Invalid,
            format!(
                "The TLS file {} for Docker cannot be read: check the path and its rights.",
                path.display()
            ),
        );
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(distrust) = distrust(inner) {
            return no_trust(distrust, &place);
        }
        if let Some(io) = inner.downcast_ref::<io::Error>()
            && io.kind() != io::ErrorKind::InvalidData
        {
            return by_io(io, &place, doing);
        }
        cause = inner.source();
    }
    match error {
        Error::HyperLegacyError { .. } | Error::HyperResponseError { .. } => docker(
            FaultKind::Unreachable,
            format!(
                "The connection to Docker at {place} broke while {doing}, or something else answers there."
            ),
        ),
        Error::DockerStreamError { .. } => docker(
            FaultKind::Unexpected,
            format!("Docker reported an error while {doing}: its log says more."),
        ),
        // Serde's words may quote what they could not read.
        _ => docker(
            FaultKind::Unexpected,
            format!("What answers at {place} does not talk like Docker, seen while {doing}."),
        ),
    }
}

/// TLS faults travel inside one `io::Error` or two, which do not call them their source.
fn distrust<'a>(error: &'a (dyn core::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    distrust(error.downcast_ref::<io::Error>()?.get_ref()?)
}

fn no_trust(error: &rustls::Error, place: &str) -> Fault {
    docker(
        FaultKind::Refused,
        format!(
            "Docker at {place} and the panel do not trust each other's certificates ({error}): check ca, cert and key."
        ),
    )
}

fn by_io(error: &io::Error, place: &str, doing: &str) -> Fault {
    match error.kind() {
        kind @ (io::ErrorKind::NotFound
        | io::ErrorKind::ConnectionRefused
        | io::ErrorKind::PermissionDenied) => unreachable(kind, place),
        _ => docker(
            FaultKind::Unreachable,
            format!("The connection to Docker at {place} broke while {doing}."),
        ),
    }
}

fn unreachable(kind: io::ErrorKind, place: &str) -> Fault {
    match kind {
        io::ErrorKind::NotFound => docker(
            FaultKind::Unreachable,
            format!(
                "There is no Docker at {place}: is it installed and running? Start it with `systemctl start docker`."
            ),
        ),
        io::ErrorKind::PermissionDenied => docker(
            FaultKind::Refused,
            format!(
                "The panel may not use {place}: add its user to the group `docker` and start the panel again."
            ),
        ),
        _ => docker(
            FaultKind::Unreachable,
            format!(
                "Docker does not run: nobody answers at {place}. Start it with `systemctl start docker`."
            ),
        ),
    }
}

fn place(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Unix(path) => path.display().to_string(),
        Endpoint::Tcp { url, .. } => url.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, message: &str) -> Fault {
        answered(status, message, "starting the container")
    }

    #[test]
    fn a_taken_port_is_named() {
        for message in [
            "driver failed programming external connectivity on endpoint t1 (d572d17d8c07): Bind for 0.0.0.0:18789 failed: port is already allocated",
            "driver failed programming external connectivity on endpoint t1 (d572d17d8c07): Error starting userland proxy: listen tcp4 127.0.0.1:18789: bind: address already in use",
            "failed to set up container networking: driver failed programming external connectivity on endpoint x (6f): failed to bind host port for :::18789:172.20.0.2:18789/tcp: address already in use",
        ] {
            let fault = said(500, message);
            assert!(
                fault.message.starts_with("Port 18789 of the Docker host"),
                "{}",
                fault.message
            );
            assert_eq!(fault.kind, FaultKind::Refused);
        }
        assert_eq!(port_taken("Conflict. The name is already in use"), None);
    }

    #[test]
    fn a_full_disk_and_a_wrong_command_are_told() {
        assert!(
            said(500, "write /x: no space left on device")
                .message
                .contains("disk")
        );
        let wrong = said(
            400,
            "OCI runtime create failed: exec: \"nodee\": executable file not found in $PATH: unknown",
        );
        assert_eq!(wrong.kind, FaultKind::Invalid);
        assert!(wrong.message.contains("nodee"));
    }

    #[test]
    fn every_status_gives_a_sentence_even_without_a_reason() {
        for status in [400, 401, 404, 409, 418, 500, 503] {
            let fault = said(status, "");
            assert!(
                fault.message.ends_with("gave no reason."),
                "{}",
                fault.message
            );
        }
        assert_eq!(said(404, "x").kind, FaultKind::NotFound);
    }

    #[test]
    fn what_the_daemon_says_is_scrubbed() {
        let error = Error::DockerResponseServerError {
            status_code: 400,
            message: "bad OPENCLAW_GATEWAY_TOKEN=verysecretvalue here".to_owned(),
        };
        let fault = Fault::from(Failed::of(error, &Endpoint::Unix("/x".into()), "creating"));
        assert!(!fault.message.contains("verysecretvalue"));
    }

    #[test]
    fn a_missing_socket_says_how_to_start_docker() {
        let error = Error::SocketNotFoundError("/run/none.sock".to_owned());
        let fault = Fault::from(Failed::of(
            error,
            &Endpoint::Unix("/run/none.sock".into()),
            "x",
        ));
        assert_eq!(fault.kind, FaultKind::Unreachable);
        assert!(fault.message.contains("/run/none.sock") && fault.message.contains("systemctl"));
    }
}
