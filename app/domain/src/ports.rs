//! What the inner layers need from the outside, as object-safe traits. Adapters implement them; tests
//! have fakes that keep the same contract.

mod alerts;
mod api_tokens;
mod chain;
mod devices;
mod hand_offs;
mod identity_provider;
mod invitations;
mod journal;
mod key_rotations;
mod keys;
mod links;
mod mailboxes;
mod outside;
mod pages;
mod passkeys;
mod people;
mod plugins;
mod proposals;
mod register;
mod reports;
mod repository;
mod reviews;
mod second_factors;
mod sessions;
mod state_folder;
mod trail;
mod views;

use uuid::Uuid;

pub use alerts::{Alerts, Candidate, Untold};
pub use api_tokens::{ApiTokens, Shown};
pub use chain::{AuditChain, ChainStanding, Verified};
pub use devices::PanelDevices;
pub use hand_offs::{HandOffs, Mail, Opener};
pub use identity_provider::{
    ByProvider, Errand, Identities, IdentityProvider, Proofs, Proved, ProviderConfirms,
    ProviderError, Whence,
};
pub use invitations::{Chosen, Invitations};
pub use journal::{Begun, Fenced, Journal, NewOperation, StartError, StoreError};
pub use key_rotations::KeyRotations;
pub use keys::GatewayKeys;
pub use links::{Backups, LinkFiles, Scans};
pub use mailboxes::Mailboxes;
pub use outside::{Abilities, ChannelOutcome, Containers, GatewayControl, LoginAnswer, Readiness};
pub use pages::{AccountHistory, AuditTrail, History, Observations, Operations};
pub use passkeys::{Added, Passkeys};
pub use people::{Disabled, People, PeopleError, SignIn};
pub use plugins::Plugins;
pub use proposals::{ProposalError, Proposals};
pub use register::{
    ByHand, CalendarLink, Calendars, Mailed, Register, RegisterError, Reminders, RotationNotes,
};
pub use reports::{Counts, Patience, Reports};
pub use repository::{LogAccess, LogLine, Logged, RepositorySecrets, RotationLog, SecretAccess};
pub use reviews::{ReviewError, Reviews, Waiting};
pub use second_factors::SecondFactors;
pub use sessions::Sessions;
pub use state_folder::StateFolder;
pub use trail::{AuditReader, Chained, Found, Place, Vocabulary};
pub use views::SavedViews;

use crate::time::Timestamp;

/// The only source of the present time.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;
}

/// The only source of identifiers.
pub trait Ids: Send + Sync {
    /// A new version 7 UUID.
    fn next(&self) -> Uuid;
}
