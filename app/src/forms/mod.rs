//! One server function for each thing that a form changes. Plain `<form method="post">`s reach them
//! without JavaScript; what goes wrong comes back to the page that held the form.

pub mod account;
pub mod audit;
pub mod backups;
pub mod credentials;
pub mod hand_off;
pub mod keys;
pub mod log;
pub mod mailbox;
pub mod operations;
pub mod passkeys;
pub mod people;
pub mod proposals;
pub mod second_factor;
pub mod sessions;
pub mod tokens;
pub mod views;
pub mod wipe;

pub use account::{change_password, confirm_by_code, confirm_identity};
pub use audit::{answer_question, review_events, verify_audit};
pub use backups::{make_backup_key, restore_backup};
pub use credentials::{
    add_credential, change_credential, make_calendar_link, note_rotation, remove_calendar_link,
    retire_credential, snooze_credential,
};
pub use hand_off::{hand_off, revoke_hand_off};
pub use keys::{
    add_consumer, finish_key_task, remove_consumer, retry_key_task, reveal_key, rotate_key,
};
pub use log::log_rotation;
pub use mailbox::set_mail;
pub(crate) use operations::command;
pub use operations::{
    abandon_operation, cancel, cancel_operation, skip_step, start, start_operation,
};
pub use passkeys::{add_passkey, confirm_by_passkey, remove_passkey};
pub use people::{
    add_person, disable_person, disconnect_person, enable_person, reset_password,
    reset_second_factor, set_role,
};
pub use proposals::{begin_proposal, decide_proposal};
pub use second_factor::{
    begin_second_factor, finish_second_factor, remove_second_factor, renew_recovery_codes,
};
pub use sessions::{acknowledge_session, end_other_sessions, end_session, end_sessions_of};
pub use tokens::{make_token, revoke_token, revoke_tokens_of};
pub use views::{remove_view, save_view};
pub use wipe::wipe_gateway;

/// Where the forms post to. Fixed names, so that logs, audit and tests can speak of them.
pub mod endpoint {
    /// Has the chain of the audit trail checked.
    pub const VERIFY_AUDIT: &str = "/api/audit/verify";
    /// Signs off what was done, or asks about it.
    pub const REVIEW_EVENTS: &str = "/api/audit/review";
    /// Answers what a reviewer asks.
    pub const ANSWER_QUESTION: &str = "/api/audit/answer";
    /// Starts an operation.
    pub const START: &str = "/api/operations/start";
    /// Stops one and puts back.
    pub const CANCEL: &str = "/api/operations/cancel";
    /// Goes on without waiting for a step.
    pub const SKIP: &str = "/api/operations/skip";
    /// Makes a one-time link that shows one's code on another screen.
    pub const HAND_OFF: &str = "/api/operations/hand-off";
    /// Takes such a link back.
    pub const REVOKE_HAND_OFF: &str = "/api/operations/revoke-hand-off";
    /// Frees a stuck one's gateway.
    pub const ABANDON: &str = "/api/operations/abandon";
    /// Invites a person.
    pub const ADD_PERSON: &str = "/api/people/add";
    /// Keeps a person out.
    pub const DISABLE_PERSON: &str = "/api/people/disable";
    /// Lets a person in again.
    pub const ENABLE_PERSON: &str = "/api/people/enable";
    /// Changes a role.
    pub const SET_ROLE: &str = "/api/people/role";
    /// Makes a new one-time link for a person.
    pub const RESET_PASSWORD: &str = "/api/people/reset";
    /// Makes a token by which programs act for oneself.
    pub const MAKE_TOKEN: &str = "/api/account/tokens/make";
    /// Takes one of one's own back.
    pub const REVOKE_TOKEN: &str = "/api/account/tokens/revoke";
    /// Takes all of a person back.
    pub const REVOKE_TOKENS_OF: &str = "/api/people/tokens";
    /// Keeps a filter of the audit trail by a name.
    pub const SAVE_VIEW: &str = "/api/audit/views/save";
    /// Removes one.
    pub const REMOVE_VIEW: &str = "/api/audit/views/remove";
    /// Adds a passkey.
    pub const ADD_PASSKEY: &str = "/api/account/passkeys/add";
    /// Takes one away.
    pub const REMOVE_PASSKEY: &str = "/api/account/passkeys/remove";
    /// Confirms by a passkey that it is oneself.
    pub const CONFIRM_BY_PASSKEY: &str = "/api/account/confirm-by-passkey";
    /// Takes back who a person is at the identity provider.
    pub const DISCONNECT_PERSON: &str = "/api/people/disconnect";
    /// Signs a person out everywhere.
    pub const END_SESSIONS_OF: &str = "/api/people/end-sessions";
    /// Ends one of one's own sessions.
    pub const END_SESSION: &str = "/api/account/sessions/end";
    /// Ends all but the present one.
    pub const END_OTHER_SESSIONS: &str = "/api/account/sessions/end-others";
    /// Notes that a new browser was one's own.
    pub const ACKNOWLEDGE_SESSION: &str = "/api/account/sessions/mine";
    /// Takes somebody's second factor away.
    pub const RESET_SECOND_FACTOR: &str = "/api/people/second-factor";
    /// Begins the set-up of one's own.
    pub const BEGIN_SECOND_FACTOR: &str = "/api/account/second-factor/begin";
    /// Finishes it.
    pub const FINISH_SECOND_FACTOR: &str = "/api/account/second-factor/finish";
    /// Makes new recovery codes.
    pub const RENEW_RECOVERY_CODES: &str = "/api/account/second-factor/codes";
    /// Takes one's own away.
    pub const REMOVE_SECOND_FACTOR: &str = "/api/account/second-factor/remove";
    /// Makes the key for backups.
    pub const MAKE_BACKUP_KEY: &str = "/api/backups/key";
    /// Changes one's own password.
    pub const CHANGE_PASSWORD: &str = "/api/account/password";
    /// Types the password again, for an act that asks for it.
    pub const CONFIRM_IDENTITY: &str = "/api/account/confirm";
    /// Says where one gets mail about one's account.
    pub const SET_MAIL: &str = "/api/account/mail";
    /// Types a code after the identity provider has said who it is.
    pub const CONFIRM_BY_CODE: &str = "/api/account/confirm-code";
    /// Brings an account's link back from a backup.
    pub const RESTORE: &str = "/api/backups/restore";

    /// Empties a gateway's state folder.
    pub const WIPE: &str = "/api/gateways/wipe";

    /// Changes a gateway's key.
    pub const ROTATE_KEY: &str = "/api/keys/rotate";
    /// Answers whoever asked for a second person.
    pub const DECIDE_PROPOSAL: &str = "/api/proposals/decide";
    /// Begins what a second person agreed to.
    pub const BEGIN_PROPOSAL: &str = "/api/proposals/begin";
    /// Shows the new one, once.
    pub const REVEAL_KEY: &str = "/api/keys/reveal";
    /// Notes who has it.
    pub const FINISH_KEY_TASK: &str = "/api/keys/finish";
    /// Tries again what could not be done with it.
    pub const RETRY_KEY_TASK: &str = "/api/keys/retry";
    /// Adds somebody who uses it.
    pub const ADD_CONSUMER: &str = "/api/keys/add-consumer";
    /// Removes somebody who used it.
    pub const REMOVE_CONSUMER: &str = "/api/keys/remove-consumer";

    /// Adds a credential to the register.
    pub const ADD_CREDENTIAL: &str = "/api/credentials/add";
    /// Changes what the register says of one.
    pub const CHANGE_CREDENTIAL: &str = "/api/credentials/change";
    /// Notes a rotation that was done elsewhere.
    pub const NOTE_ROTATION: &str = "/api/credentials/rotated";
    /// Writes such a rotation into the rotation log, when that failed before.
    pub const LOG_ROTATION: &str = "/api/credentials/log";
    /// Says why one may wait that is due.
    pub const SNOOZE_CREDENTIAL: &str = "/api/credentials/snooze";
    /// Takes one out of the register.
    pub const RETIRE_CREDENTIAL: &str = "/api/credentials/retire";
    /// Makes one's secret link to the register's calendar.
    pub const MAKE_CALENDAR_LINK: &str = "/api/credentials/calendar";
    /// Takes it back.
    pub const REMOVE_CALENDAR_LINK: &str = "/api/credentials/remove-calendar";

    /// All of them.
    pub const ALL: [&str; 55] = [
        VERIFY_AUDIT,
        REVIEW_EVENTS,
        ANSWER_QUESTION,
        START,
        CANCEL,
        SKIP,
        HAND_OFF,
        REVOKE_HAND_OFF,
        ABANDON,
        ADD_PERSON,
        DISABLE_PERSON,
        ENABLE_PERSON,
        SET_ROLE,
        RESET_PASSWORD,
        MAKE_TOKEN,
        REVOKE_TOKEN,
        REVOKE_TOKENS_OF,
        SAVE_VIEW,
        REMOVE_VIEW,
        ADD_PASSKEY,
        REMOVE_PASSKEY,
        CONFIRM_BY_PASSKEY,
        DISCONNECT_PERSON,
        END_SESSIONS_OF,
        END_SESSION,
        END_OTHER_SESSIONS,
        ACKNOWLEDGE_SESSION,
        RESET_SECOND_FACTOR,
        BEGIN_SECOND_FACTOR,
        FINISH_SECOND_FACTOR,
        RENEW_RECOVERY_CODES,
        REMOVE_SECOND_FACTOR,
        MAKE_BACKUP_KEY,
        CHANGE_PASSWORD,
        CONFIRM_IDENTITY,
        CONFIRM_BY_CODE,
        SET_MAIL,
        RESTORE,
        WIPE,
        ROTATE_KEY,
        DECIDE_PROPOSAL,
        BEGIN_PROPOSAL,
        REVEAL_KEY,
        FINISH_KEY_TASK,
        RETRY_KEY_TASK,
        ADD_CONSUMER,
        REMOVE_CONSUMER,
        ADD_CREDENTIAL,
        CHANGE_CREDENTIAL,
        NOTE_ROTATION,
        LOG_ROTATION,
        SNOOZE_CREDENTIAL,
        RETIRE_CREDENTIAL,
        MAKE_CALENDAR_LINK,
        REMOVE_CALENDAR_LINK,
    ];
}
