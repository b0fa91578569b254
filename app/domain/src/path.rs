//! Every URL of the panel, in one place.

use crate::gateway::GatewayId;
use crate::operation::OperationId;

/// The sign-in page.
pub const SIGN_IN: &str = "/sign-in";
/// Where the second factor's code is typed, after the password.
pub const SIGN_IN_CODE: &str = "/sign-in/code";
/// What one-time links open by which people choose their password.
pub const WELCOME: &str = "/welcome";

/// How hard a password is to guess that somebody is about to choose (POST).
pub const PASSWORD_STRENGTH: &str = "/password-strength";

/// Such a link.
pub fn welcome(token: &str) -> String {
    format!("{WELCOME}/{token}")
}

/// Signs out (POST).
pub const SIGN_OUT: &str = "/sign-out";
/// The start page: goes to the gateway.
pub const HOME: &str = "/";
/// People.
pub const PEOPLE: &str = "/people";
/// The audit trail.
pub const AUDIT: &str = "/audit";
/// One event of it.
pub fn audit_event(sequence: i64) -> String {
    format!("{AUDIT}/{sequence}")
}

/// What a filter of it lets through, as a file.
pub const AUDIT_DOWNLOAD: &str = "/audit/download";
/// What a filter of it lets through, as a document to be printed.
pub const AUDIT_PRINT: &str = "/audit/print";
/// The report of a month.
pub const AUDIT_REPORT: &str = "/audit/report";
/// What waits for a review.
pub const REVIEW: &str = "/audit/review";
/// One's own account.
pub const ACCOUNT: &str = "/account";

/// The register of credentials.
pub const CREDENTIALS: &str = "/credentials";
/// The page that adds one to it.
pub const NEW_CREDENTIAL: &str = "/credentials/new";

/// One credential's page.
pub fn credential(id: uuid::Uuid) -> String {
    format!("{CREDENTIALS}/{id}")
}

/// The page that takes one out of the register.
pub fn retire_credential(id: uuid::Uuid) -> String {
    format!("{CREDENTIALS}/{id}/retire")
}

/// Where calendars get the register's dates.
pub const CALENDAR: &str = "/calendar";

/// The secret link that they use.
pub fn calendar(token: &str) -> String {
    format!("{CALENDAR}/{token}/credentials.ics")
}

/// One's tokens for programs.
pub const TOKENS: &str = "/account/tokens";

/// What to ask a device that is to make a passkey.
pub const NEW_PASSKEY: &str = "/account/passkeys/new";
/// What to ask a passkey of whoever is signed in.
pub const OWN_PASSKEY: &str = "/account/passkeys/own";
/// Signing in by a passkey: what to ask (GET), and the answer (POST).
pub const SIGN_IN_PASSKEY: &str = "/sign-in/passkey";
/// The same in place of the code.
pub const SIGN_IN_CODE_PASSKEY: &str = "/sign-in/code/passkey";

/// Sends the browser to the identity provider, to sign in there.
pub const SIGN_IN_PROVIDER: &str = "/sign-in/oidc";
/// The same to confirm that it is still whoever signed in.
pub const CONFIRM_BY_PROVIDER: &str = "/sign-in/oidc/confirm";
/// Where the provider sends it back to.
pub const FROM_PROVIDER: &str = "/sign-in/oidc/return";

/// One's second factor.
pub const SECOND_FACTOR: &str = "/account/second-factor";

/// Asks for the password again before an act that needs it.
pub const CONFIRM_IDENTITY: &str = "/account/confirm";

/// A gateway's page.
pub fn gateway(id: &GatewayId) -> String {
    format!("/gateways/{id}")
}

/// Its log.
pub fn logs(id: &GatewayId) -> String {
    format!("/gateways/{id}/logs")
}

/// Its operations.
pub fn operations(id: &GatewayId) -> String {
    format!("/gateways/{id}/operations")
}

/// The page that says what an operation will do, before it is started (`restart`, `recreate`, …).
pub fn confirm(id: &GatewayId, operation: &str) -> String {
    format!("/gateways/{id}/operations/new/{operation}")
}

/// The page that links an account: goes to the running operation, or to the page that starts one.
pub fn relink(id: &GatewayId, account: &crate::gateway::AccountId) -> String {
    format!("/gateways/{id}/accounts/{account}/relink")
}

/// Its WhatsApp accounts and what became of them.
pub fn accounts(id: &GatewayId) -> String {
    format!("/gateways/{id}/accounts")
}

/// Its backups.
pub fn backups(id: &GatewayId) -> String {
    format!("/gateways/{id}/backups")
}

/// One of them as a file, encrypted.
pub fn backup_download(id: &GatewayId, name: &str) -> String {
    format!("/gateways/{id}/backups/{name}/download")
}

/// The page that brings an account's link back from one of them.
pub fn restore(id: &GatewayId, name: &str) -> String {
    format!("/gateways/{id}/backups/{name}/restore")
}

/// The page that empties its state folder.
pub fn wipe(id: &GatewayId) -> String {
    format!("/gateways/{id}/wipe")
}

/// The page that changes its key.
pub fn rotate_key(id: &GatewayId) -> String {
    format!("/gateways/{id}/rotate-key")
}

/// What waits for a second person.
pub fn proposal(id: uuid::Uuid) -> String {
    format!("/proposals/{id}")
}

/// What is left to do with the key that an operation made.
pub fn new_key(id: &GatewayId, operation: &OperationId) -> String {
    format!("/gateways/{id}/rotate-key/{operation}")
}

/// One operation's page.
pub fn operation(id: &OperationId) -> String {
    format!("/operations/{id}")
}

/// One-time links for the code of an operation.
pub fn hand_offs(id: &OperationId) -> String {
    format!("/operations/{id}/hand-off")
}

/// What the device sees that has opened such a link.
pub const HANDED_OFF: &str = "/hand-off";

/// Such a link. The token opens it once.
pub fn open_hand_off(token: &str) -> String {
    format!("{HANDED_OFF}/{token}")
}

/// Server-sent events for that device.
pub const HANDED_OFF_EVENTS: &str = "/events/hand-off";

/// Server-sent events of a gateway's page.
pub fn gateway_events(id: &GatewayId) -> String {
    format!("/events/gateways/{id}")
}

/// Server-sent events of an operation's page.
pub fn operation_events(id: &OperationId) -> String {
    format!("/events/operations/{id}")
}

/// Server-sent events of the list of a gateway's operations.
pub fn operations_events(id: &GatewayId) -> String {
    format!("/events/gateways/{id}/operations")
}

/// Server-sent events of the log page.
pub fn log_events(id: &GatewayId) -> String {
    format!("/events/gateways/{id}/logs")
}

/// The log as a file.
pub fn log_download(id: &GatewayId) -> String {
    format!("/gateways/{id}/logs/download")
}

/// What the server answers people who are signed in, beside pages and forms: the server makes its routes from this list, and
/// the tests ask each of them as every role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// Events of a gateway's page.
    GatewayEvents,
    /// Events of its log.
    LogEvents,
    /// Events of the list of its operations.
    OperationsEvents,
    /// Events of an operation's page.
    OperationEvents,
    /// The log as a file.
    LogFile,
    /// A backup.
    BackupFile,
    /// The audit trail as a file.
    AuditFile,
    /// What to ask one's own passkey.
    OwnPasskey,
    /// What to ask a device that is to make one.
    NewPasskey,
}

impl Served {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::GatewayEvents,
        Self::LogEvents,
        Self::OperationsEvents,
        Self::OperationEvents,
        Self::LogFile,
        Self::BackupFile,
        Self::AuditFile,
        Self::OwnPasskey,
        Self::NewPasskey,
    ];

    /// Its URL, the variable parts in braces.
    pub const fn route(self) -> &'static str {
        match self {
            Self::GatewayEvents => "/events/gateways/{id}",
            Self::LogEvents => "/events/gateways/{id}/logs",
            Self::OperationsEvents => "/events/gateways/{id}/operations",
            Self::OperationEvents => "/events/operations/{id}",
            Self::LogFile => "/gateways/{id}/logs/download",
            Self::BackupFile => "/gateways/{id}/backups/{name}/download",
            Self::AuditFile => AUDIT_DOWNLOAD,
            Self::OwnPasskey => OWN_PASSKEY,
            Self::NewPasskey => NEW_PASSKEY,
        }
    }
}
