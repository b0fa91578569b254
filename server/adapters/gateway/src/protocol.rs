//! The gateway's protocol, without any I/O: frames, the signed connect, refusals.

pub mod connect;
pub mod frame;
pub mod refusal;

pub use connect::{Challenge, Hello};
pub use frame::{BadFrame, Frame};
pub use refusal::{ErrorShape, Refusal};

/// The protocols this panel speaks. 3: seen on 2026.3.31; 4: 2026.5 and later. A gateway picks one out
/// of the range or fails with `protocol mismatch` (`docs/gateway/protocol/versioning.md`).
pub const PROTOCOLS: core::ops::RangeInclusive<u32> = 3..=4;

/// The least that reading accounts (`operator.read`) and starting or stopping them, suspending and
/// logging in (`operator.admin`) want (`methods.*.scope` in `protocol.schema.json`).
pub const SCOPES: [&str; 2] = ["operator.read", ADMIN];

/// Contains every other operator scope.
pub const ADMIN: &str = "operator.admin";
