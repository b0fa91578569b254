//! Where a person gets mail about their own account, and what they are told of.

use core::fmt;
use core::str::FromStr;

use uuid::Uuid;

use crate::audit::act;

/// The longest address that a mail server takes (RFC 5321, 4.5.3.1.3, without the brackets).
const LONGEST: usize = 254;

/// Acts of which somebody is told when they are done to their account. A changed address is told at once, to the old one.
pub const TOLD: [&str; 13] = [
    act::NEW_DEVICE,
    act::CHANGE_PASSWORD,
    act::RESET_PASSWORD,
    act::ACCEPT_INVITATION,
    act::CHANGE_ROLE,
    act::ADD_PASSKEY,
    act::REMOVE_PASSKEY,
    act::MAKE_TOKEN,
    act::SET_UP_SECOND_FACTOR,
    act::REMOVE_SECOND_FACTOR,
    act::RENEW_RECOVERY_CODES,
    act::CONNECT_IDENTITY,
    act::DISCONNECT_IDENTITY,
];

/// An address that can stand alone in the head of a mail: one name, one host, one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAddress(String);

/// It is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("That is no mail address. It looks like anna@example.org.")]
pub struct BadMailAddress;

impl MailAddress {
    /// As it was typed, without the space around it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MailAddress {
    type Err = BadMailAddress;

    fn from_str(typed: &str) -> Result<Self, BadMailAddress> {
        let typed = typed.trim();
        let (name, host) = typed.rsplit_once('@').ok_or(BadMailAddress)?;
        // What is quoted or a comment in an address is allowed, and nobody's.
        let plain = |text: &str, more: &str| {
            let allowed = |c: char| c.is_alphanumeric() || c == '.' || more.contains(c);
            let dots = text.starts_with('.') || text.ends_with('.') || text.contains("..");
            !text.is_empty() && !dots && text.chars().all(allowed)
        };
        let sound =
            typed.len() <= LONGEST && plain(name, "!#$%&'*+/=?^_`{|}~-") && plain(host, "-");
        if sound {
            Ok(Self(typed.to_owned()))
        } else {
            Err(BadMailAddress)
        }
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody who gets mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Their id.
    pub person: Uuid,
    /// Their name.
    pub name: String,
    /// Where.
    pub address: MailAddress,
}

impl Mailbox {
    /// What alerts to them are counted under.
    pub fn recipient(person: Uuid) -> String {
        format!("{RECIPIENT}{person}")
    }
}

/// How [`Mailbox::recipient`] begins; those of managers are addresses.
pub const RECIPIENT: &str = "person ";

/// One's own, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnMailbox {
    /// Where.
    pub address: MailAddress,
    /// Why the last mail did not go out, if it did not.
    pub failed: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_name_at_one_host() {
        for good in [
            "anna@example.org",
            " anna.b+panel@mail.example.org ",
            "o'neil@example",
            "anna@bücher.example",
        ] {
            let address: MailAddress = good.parse().unwrap();
            assert_eq!(address.as_str(), good.trim());
        }
        let long = format!("{}@example.org", "a".repeat(250));
        for bad in [
            "",
            "anna",
            "@example.org",
            "anna@",
            "anna@example.org, ben@example.org",
            "anna@example.org\r\nBcc: all@example.org",
            "Anna <anna@example.org>",
            "anna@ben@example.org",
            "anna..b@example.org",
            "anna@.example.org",
            long.as_str(),
        ] {
            assert_eq!(bad.parse::<MailAddress>(), Err(BadMailAddress), "{bad}");
        }
    }
}
