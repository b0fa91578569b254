//! Opening the socket, and reading from it within limits.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};
use url::Url;

use super::Limits;
use crate::http::{Trust, resolve, why, why_io};

/// A frame that cannot be handed to the network within this time means a dead peer.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// Where to dial and how.
pub(super) struct Dial {
    url: Url,
    host: String,
    port: u16,
    tls: Arc<rustls::ClientConfig>,
    socket: WebSocketConfig,
    limit: Duration,
}

/// An open socket, one message at a time.
pub(super) struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Dial {
    pub(super) fn new(mut url: Url, trust: &Trust, limits: &Limits) -> Self {
        let scheme = if matches!(url.scheme(), "https" | "wss") {
            "wss"
        } else {
            "ws"
        };
        if url.set_scheme(scheme).is_err() {
            // Only for schemes that are neither HTTP's nor WebSocket's: dialling them says so.
            tracing::warn!(%url, "The gateway's URL is not an HTTP one");
        }
        let socket = WebSocketConfig::default()
            .max_message_size(Some(limits.message_bytes))
            .max_frame_size(Some(limits.message_bytes))
            .read_buffer_size(32 * 1024)
            .max_write_buffer_size(4 * 1024 * 1024);
        Self {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or(80),
            url,
            tls: trust.shared(),
            socket,
            limit: limits.connect,
        }
    }

    /// Opens the socket; the error is a clause.
    pub(super) async fn open(&self) -> Result<Wire, String> {
        let target = format!("{}:{}", self.host, self.port);
        timeout(self.limit, self.connect(&target))
            .await
            .map_err(|_| format!("{target} did not answer in time"))?
    }

    async fn connect(&self, target: &str) -> Result<Wire, String> {
        let addresses = resolve(&self.host, self.port)
            .await
            .map_err(|error| error.to_string())?;
        let stream = TcpStream::connect(addresses.as_slice())
            .await
            .map_err(|error| why_io(&error, target).1)?;
        stream
            .set_nodelay(true)
            .map_err(|error| why_io(&error, target).1)?;
        let (socket, _response) = client_async_tls_with_config(
            self.url.as_str(),
            stream,
            Some(self.socket),
            Some(Connector::Rustls(Arc::clone(&self.tls))),
        )
        .await
        .map_err(|error| match error {
            Error::Http(response) => format!(
                "{target} answered {} instead of opening a socket",
                response.status().as_u16()
            ),
            other => broken(&other, target),
        })?;
        Ok(Wire { socket })
    }
}

impl Wire {
    /// Sends a text; the error is a clause.
    pub(super) async fn send(&mut self, text: String) -> Result<(), String> {
        match timeout(WRITE_LIMIT, self.socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(broken(&error, "the gateway")),
            Err(_) => Err("the gateway takes nothing from the network any more".to_owned()),
        }
    }

    /// The next text. Pings are answered by the library. Cancelling it loses nothing.
    pub(super) async fn next(&mut self) -> Result<Utf8Bytes, String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Binary(_))) => {
                    return Err("it sent binary data, which is not its protocol".to_owned());
                }
                Some(Ok(Message::Close(close))) => {
                    return Err(match close.filter(|close| !close.reason.is_empty()) {
                        Some(close) => {
                            let reason: String = close.reason.chars().take(100).collect();
                            format!("it closed the connection ({reason})")
                        }
                        None => "it closed the connection".to_owned(),
                    });
                }
                Some(Err(error)) => return Err(broken(&error, "the gateway")),
                None => return Err("it closed the connection".to_owned()),
            }
        }
    }
}

fn broken(error: &Error, target: &str) -> String {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => format!(
            "it sent a message of {} MB, and the panel takes at most {} MB",
            size.div_ceil(1024 * 1024),
            max_size / 1024 / 1024
        ),
        Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt => {
            format!("{target} does not speak WebSocket ({error})")
        }
        Error::ConnectionClosed | Error::AlreadyClosed => "it closed the connection".to_owned(),
        Error::Io(error) => why_io(error, target).1,
        other => why(other, target).1,
    }
}
