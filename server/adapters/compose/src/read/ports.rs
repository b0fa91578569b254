//! `ports` and `expose`.

use std::net::{AddrParseError, IpAddr};
use std::ops::RangeInclusive;

use crate::error::ComposeError;
use crate::fields::Field;
use crate::model::{ExposedPort, Port, Protocol};
use crate::yaml::Value;

const SHORT_FORM: &str =
    "must be a port, as in `80`, `8080:80`, `127.0.0.1:8080:80` or `8080-8081:80-81/udp`";

/// Published ports, one entry each.
pub(super) fn published(field: &Field<'_>) -> Result<Vec<Port>, ComposeError> {
    let mut ports = Vec::new();
    for item in field.list()? {
        let more = match &item.node.value {
            Value::Map(_) => long_form(&item)?,
            Value::Whole(_) => short_form(&item, &item.whole()?.to_string())?,
            _ => short_form(&item, item.text()?)?,
        };
        for port in more {
            if ports.contains(&port) {
                return Err(item.invalid("publishes a port twice; remove one"));
            }
            ports.push(port);
        }
    }
    Ok(ports)
}

/// Exposed ports, one entry each.
pub(super) fn exposed(field: &Field<'_>) -> Result<Vec<ExposedPort>, ComposeError> {
    let mut ports = Vec::new();
    for item in field.list()? {
        let text = item.scalar()?.unwrap_or_default();
        let invalid = || item.invalid("must be a port, as in `80`, `80-81` or `53/udp`");
        let (range, protocol) = split_protocol(&item, &text)?;
        let range = port_range(range).ok_or_else(invalid)?;
        ports.extend(range.map(|port| ExposedPort { port, protocol }));
    }
    Ok(ports)
}

/// `[[address:]host:]container[/protocol]`
fn short_form(field: &Field<'_>, text: &str) -> Result<Vec<Port>, ComposeError> {
    let invalid = || field.invalid(SHORT_FORM);
    let (text, protocol) = split_protocol(field, text)?;
    let (rest, container) = match text.rsplit_once(':') {
        Some((rest, container)) => (Some(rest), container),
        None => (None, text),
    };
    let (address, host) = match rest.map(|rest| rest.rsplit_once(':').unwrap_or(("", rest))) {
        Some((address, host)) => (address, host),
        None => ("", ""),
    };
    let host_ip = address_of(address).map_err(|_| invalid())?;
    let container = port_range(container).ok_or_else(invalid)?;
    let host = match host {
        "" => None,
        host => Some(port_range(host).ok_or_else(invalid)?),
    };
    expand(field, host_ip, host, container, protocol)
}

/// `{target: 80, published: 8080, host_ip: 127.0.0.1, protocol: tcp}`
fn long_form(field: &Field<'_>) -> Result<Vec<Port>, ComposeError> {
    let mut table = field.table()?;
    let target = table
        .take("target")
        .ok_or_else(|| field.invalid("needs a `target`"))?;
    let container: u16 = target.small()?;
    let host = match table.take("published") {
        None => None,
        Some(published) => match published.scalar()?.as_deref() {
            None | Some("") => None,
            Some(text) => Some(
                port_range(text)
                    .ok_or_else(|| published.invalid("must be a port, as in `8080`"))?,
            ),
        },
    };
    let host_ip = match table.take("host_ip") {
        None => None,
        Some(host_ip) => {
            address_of(host_ip.text()?).map_err(|_| host_ip.invalid("must be an IP address"))?
        }
    };
    let protocol = match table.take("protocol") {
        None => Protocol::Tcp,
        Some(protocol) => {
            protocol_of(protocol.text()?).ok_or_else(|| protocol.invalid(PROTOCOLS))?
        }
    };
    // Outside of a swarm both modes are the same, and the other two only describe.
    table.read("mode", |mode| match mode.text()? {
        "" | "host" | "ingress" => Ok(()),
        _ => Err(mode.invalid("must be `host` or `ingress`")),
    })?;
    table.text("name")?;
    table.text("app_protocol")?;
    table.finish()?;
    if container == 0 {
        return Err(target.invalid("must be a port from 1 to 65535"));
    }
    expand(field, host_ip, host, container..=container, protocol)
}

fn expand(
    field: &Field<'_>,
    host_ip: Option<IpAddr>,
    host: Option<RangeInclusive<u16>>,
    container: RangeInclusive<u16>,
    protocol: Protocol,
) -> Result<Vec<Port>, ComposeError> {
    let port = |host_port, container_port| Port {
        host_ip,
        host_port,
        container_port,
        protocol,
    };
    let Some(host) = host else {
        return Ok(container.map(|container| port(None, container)).collect());
    };
    if host.len() != container.len() {
        if container.len() == 1 {
            return Err(field.unsupported(
                "a range of host ports for one container port",
                "choose one host port",
            ));
        }
        return Err(field.invalid("has ranges of different lengths"));
    }
    Ok(host
        .zip(container)
        .map(|(host, container)| port(Some(host), container))
        .collect())
}

/// `""` is every address; an IPv6 address may stand in brackets.
fn address_of(text: &str) -> Result<Option<IpAddr>, AddrParseError> {
    if text.is_empty() {
        return Ok(None);
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse().map(Some)
}

fn split_protocol<'t>(
    field: &Field<'_>,
    text: &'t str,
) -> Result<(&'t str, Protocol), ComposeError> {
    match text.split_once('/') {
        None => Ok((text, Protocol::Tcp)),
        Some((text, protocol)) => protocol_of(protocol)
            .map(|protocol| (text, protocol))
            .ok_or_else(|| field.invalid(PROTOCOLS)),
    }
}

const PROTOCOLS: &str = "must have the protocol `tcp`, `udp` or `sctp`";

fn protocol_of(text: &str) -> Option<Protocol> {
    match text.to_ascii_lowercase().as_str() {
        "tcp" => Some(Protocol::Tcp),
        "udp" => Some(Protocol::Udp),
        "sctp" => Some(Protocol::Sctp),
        _ => None,
    }
}

/// `80` or `80-81`.
fn port_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| text.parse().ok())
            .flatten()
            .filter(|port: &u16| *port > 0)
    };
    let (first, last) = (port(first)?, port(last)?);
    (first <= last).then_some(first..=last)
}
