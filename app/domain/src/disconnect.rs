//! Why WhatsApp ended a connection: one table from its codes to plain words.
//!
//! Codes are those of Baileys' `DisconnectReason` and of WhatsApp's stream errors, as seen through the
//! gateway's `lastDisconnect.status`.

/// What a code means and whether a reconnect can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// A clause that completes “WhatsApp: …”.
    pub cause: &'static str,
    /// What a person can do.
    pub remedy: Remedy,
}

/// The gentlest thing that can help after a drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The gateway reconnects by itself.
    Wait,
    /// Stop and start the account.
    Reconnect,
    /// Find the other client that uses this session, then reconnect.
    FindOtherClient,
    /// Only a new scan helps.
    Relink,
    /// WhatsApp refuses this number: look at the phone.
    LookAtPhone,
}

/// The meaning of a code; unknown ones are named as such.
pub const fn meaning(code: u16) -> Meaning {
    let (cause, remedy) = match code {
        401 => ("this device was logged out from the phone", Remedy::Relink),
        402 => (
            "WhatsApp has temporarily banned this number",
            Remedy::LookAtPhone,
        ),
        403 => (
            "WhatsApp refuses this number: the account may be banned or restricted",
            Remedy::LookAtPhone,
        ),
        405 => (
            "WhatsApp no longer accepts this client version: the gateway needs an update",
            Remedy::Wait,
        ),
        408 => (
            "the connection to WhatsApp timed out or was lost",
            Remedy::Wait,
        ),
        409 => (
            "two clients tried to use this session at once",
            Remedy::FindOtherClient,
        ),
        411 => (
            "the phone's multi-device state does not fit this link",
            Remedy::Relink,
        ),
        428 => ("WhatsApp closed the connection", Remedy::Wait),
        440 => (
            "another client took this session over",
            Remedy::FindOtherClient,
        ),
        499 => (
            "the gateway's watchdog closed a connection that had gone silent",
            Remedy::Reconnect,
        ),
        500 => ("the stored session is damaged", Remedy::Relink),
        503 => ("WhatsApp's service was unavailable", Remedy::Wait),
        515 => (
            "WhatsApp asked for a reconnect, as it does right after linking",
            Remedy::Wait,
        ),
        _ => (
            "WhatsApp ended the connection with a code that is not in our table",
            Remedy::Reconnect,
        ),
    };
    Meaning { cause, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_that_ended_the_link_ask_for_a_scan() {
        let scan: Vec<u16> = (400..600)
            .filter(|c| meaning(*c).remedy == Remedy::Relink)
            .collect();
        assert_eq!(scan, [401, 411, 500]);
    }
}
