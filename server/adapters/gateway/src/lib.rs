//! The OpenClaw gateway, as the panel reaches it: probes over HTTP and one supervised control socket.
//!
//! - [`http`]: the one client, with its limits, its trust and its name look-ups.
//! - [`probe`]: the edge and the process, from bodies and never from a bare 200.
//! - [`device`]: the panel's own key, by which a gateway knows it.
//! - [`protocol`]: frames, the signed connect, refusals. Pure.
//! - [`link`]: the supervised socket of one gateway.
//! - [`pairing`]: the gateway's own list of devices.
//! - `login`, `qr`: links by a scan, and the code drawn anew.
//! - [`status`]: `channels.status` as accounts. Pure.
//! - [`control`]: every gateway behind `domain::ports::GatewayControl`.
//!
//! The vendor's contract is the npm package `@openclaw/gateway-protocol` (`protocol.schema.json`) and
//! the folder `docs/gateway/protocol/` of the npm package `openclaw`; comments name the document a
//! fact was taken from, or say “seen” when it was only observed.

pub mod control;
pub mod device;
pub mod http;
pub mod link;
mod login;
pub mod pairing;
pub mod probe;
pub mod protocol;
mod qr;
pub mod status;
pub mod suspend;
