//! What the server gives to pages: the ports, the site's files, and who is looking.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::action::Action;
use domain::can::{self, Denied, Permit};
use domain::gateway::GatewayId;
use domain::hand_off::HandOff;
use domain::person::{Actor, Person, Role};
use domain::ports::{
    AccountHistory, ApiTokens, AuditChain, AuditReader, AuditTrail, Backups, Calendars, Clock,
    GatewayKeys, HandOffs, Identities, IdentityProvider, Ids, Invitations, KeyRotations, Mail,
    Mailboxes, Observations, Operations, Passkeys, People, Proposals, Register, Reminders, Reports,
    RepositorySecrets, Reviews, RotationLog, SavedViews, Scans, SecondFactors, Sessions,
    StateFolder,
};
use domain::review::{OfficeHours, Policy};
use domain::second_factor::Duty;
use domain::session::{PersonSession, SessionLimits};
use domain::time::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use crate::codes::Viewings;
use crate::live::Rendered;

/// Names of the site's files below `/assets/`, content-hashed by the bundler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFiles {
    /// The stylesheet.
    pub css: String,
    /// The module that wakes the islands; `None` for a site without the browser's part.
    pub boot: Option<String>,
    /// What the boot script imports, fetched beside it instead of after it.
    pub module: Option<String>,
    /// The islands' code.
    pub wasm: Option<String>,
    /// The icon, an SVG.
    pub icon: Option<String>,
    /// The icon for a phone's home screen.
    pub touch_icon: Option<String>,
    /// The web app manifest.
    pub manifest: Option<String>,
}

/// Everything a page or a form may ask. Given once, as context, by the server.
#[derive(Clone)]
pub struct Panel {
    /// What is known of the gateways.
    pub observations: Arc<dyn Observations>,
    /// Operations.
    pub operations: Arc<dyn Operations>,
    /// The audit trail.
    pub audit: Arc<dyn AuditTrail>,
    /// Whether it is whole.
    pub chain: Arc<dyn AuditChain>,
    /// The trail as managers read it.
    pub trail: Arc<dyn AuditReader>,
    /// What became of it in a month.
    pub reports: Arc<dyn Reports>,
    /// Filters of it that people keep by a name.
    pub views: Arc<dyn SavedViews>,
    /// What they say of it.
    pub reviews: Arc<dyn Reviews>,
    /// How often they do, and who sees to it.
    pub review_policy: Arc<Policy>,
    /// When people are at work; `None` when nobody said so.
    pub office_hours: Option<Arc<OfficeHours>>,
    /// People and their passwords.
    pub people: Arc<dyn People>,
    /// Where people are signed in.
    pub sessions: Arc<dyn Sessions>,
    /// Tokens by which programs act for people.
    pub tokens: Arc<dyn ApiTokens>,
    /// The token that waits to be shown once.
    pub new_tokens: Arc<Reveals>,
    /// One-time links by which people choose their password.
    pub invitations: Arc<dyn Invitations>,
    /// Second factors.
    pub second_factors: Arc<dyn SecondFactors>,
    /// Passkeys, which are second factors, too.
    pub passkeys: Arc<dyn Passkeys>,
    /// The identity provider; `None` when people sign in without one.
    pub provider: Option<Arc<dyn IdentityProvider>>,
    /// Who of it is who here.
    pub identities: Arc<dyn Identities>,
    /// Where people get mail about their accounts.
    pub mailboxes: Arc<dyn Mailboxes>,
    /// Who must have a second factor.
    pub second_factor_for: Arc<BTreeSet<Role>>,
    /// How long sessions last.
    pub session_limits: SessionLimits,
    /// Recovery codes that wait to be shown once.
    pub factor_codes: Arc<Reveals>,
    /// The present time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn Ids>,
    /// Names of the site's files.
    pub site: Arc<SiteFiles>,
    /// Fragments rendered lately, shared by pages and event streams.
    pub rendered: Arc<Rendered>,
    /// Links of people that wait to be shown once.
    pub reveals: Arc<Reveals>,
    /// Backups.
    pub backups: Arc<dyn Backups>,
    /// The gateways' state folders, for a look before one is emptied.
    pub folder: Arc<dyn StateFolder>,
    /// The half of the key for backups that waits to be shown once.
    pub backup_keys: Arc<Reveals>,
    /// The gateways' keys.
    pub keys: Arc<dyn GatewayKeys>,
    /// How far the hand-over of a new one is, and who uses it.
    pub rotations: Arc<dyn KeyRotations>,
    /// What waits for a second person.
    pub proposals: Arc<dyn Proposals>,
    /// The gateways whose key is changed only when a second person agrees.
    pub second_person: Arc<BTreeSet<GatewayId>>,
    /// The repositories' secrets on GitHub.
    pub secrets: Arc<dyn RepositorySecrets>,
    /// The logs of rotations.
    pub rotation_log: Arc<dyn RotationLog>,
    /// New keys that wait to be shown once.
    pub new_keys: Arc<Reveals>,
    /// Codes that operations show.
    pub scans: Arc<dyn Scans>,
    /// Who was shown a code.
    pub viewings: Arc<Viewings>,
    /// What became of accounts.
    pub account_history: Arc<dyn AccountHistory>,
    /// One-time links for another screen.
    pub hand_offs: Arc<dyn HandOffs>,
    /// Mail; `None` when no server is configured.
    pub mail: Option<Arc<dyn Mail>>,
    /// The link that waits to be shown once.
    pub hand_off_links: Arc<Reveals>,
    /// The register of credentials.
    pub register: Arc<dyn Register>,
    /// Reminders of it that were given.
    pub reminders: Arc<dyn Reminders>,
    /// Secret links to its calendar.
    pub calendars: Arc<dyn Calendars>,
    /// The link to the calendar that waits to be shown once.
    pub calendar_links: Arc<Reveals>,
    /// Where browsers reach the panel, without a slash at the end.
    pub public_url: Arc<str>,
}

impl Panel {
    /// What people call the identity provider, where there is one.
    pub(crate) fn provider_name(&self) -> Option<&str> {
        self.provider.as_deref().map(IdentityProvider::name)
    }

    /// Whether a role that they have anywhere asks for a second factor.
    pub fn must_have_second_factor(&self, person: &Person) -> bool {
        must_have(&self.second_factor_for, person)
    }

    /// The same, as the store is told it.
    pub(crate) fn duty(&self, person: &Person) -> Duty {
        if self.must_have_second_factor(person) {
            Duty::MustHave
        } else {
            Duty::Free
        }
    }
}

/// Whether one of these roles, which ask for a second factor, is theirs anywhere.
pub fn must_have(second_factor_for: &BTreeSet<Role>, person: &Person) -> bool {
    let mut roles = person.roles.all();
    roles.any(|role| second_factor_for.contains(&role))
}

/// Who is looking: found by the server from the session, put into the request's extensions as
/// `Arc<Viewer>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// As they will stand in the audit trail with what belongs to no gateway; else see [`Viewer::actor`].
    pub actor: Actor,
    /// The person, as last read.
    pub person: Person,
    /// The row of the present session in the table of sessions; `None` for one from before there was one.
    pub session: Option<Uuid>,
    /// Their sessions, as last read: those that may be open, and those that were ended lately.
    pub sessions: Arc<[PersonSession]>,
    /// When they signed in.
    pub signed_in_at: Timestamp,
    /// When they last typed their password.
    pub confirmed_at: Timestamp,
}

impl Viewer {
    /// The role that decides: on a gateway, or in what belongs to none.
    pub fn role(&self, gateway: Option<&GatewayId>) -> Role {
        self.person.roles.on(gateway)
    }

    /// As they will stand in the audit trail with what they do on a gateway, or with what belongs to none.
    pub fn actor(&self, gateway: Option<&GatewayId>) -> Actor {
        self.actor.clone().with(self.role(gateway))
    }

    /// Checks them against the table.
    ///
    /// # Errors
    /// [`Denied`] with the reason to show and to audit.
    pub fn permit(&self, action: Action, gateway: Option<&GatewayId>) -> Result<Permit, Denied> {
        can::permit(&self.actor(gateway), action, gateway)
    }
}

/// The device that opened a one-time link, found by the server from its cookie, put into the request's extensions
/// as `Arc<Screen>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen(pub HandOff);

/// The session that a request belongs to, put into its extensions as `Arc<dyn OwnSession>`.
#[async_trait]
pub trait OwnSession: Send + Sync {
    /// Goes on, as `person` now is, under a new id: one that was stolen before is worth nothing.
    async fn renew(&self, person: &Person) -> Result<(), RenewError>;
    /// Whether the identity provider said minutes ago who its owner is, so that a code completes the confirmation.
    async fn is_half_confirmed(&self) -> Result<bool, RenewError>;
    /// Goes on under a new id, knowing that its owner typed their password now.
    async fn confirm(&self) -> Result<(), RenewError>;
}

/// The session could not be written: its owner has to sign in again.
#[derive(Debug)]
pub struct RenewError(pub Box<dyn core::error::Error + Send + Sync>);

/// One-time passwords and new keys between the form that made them and the one page that shows them: in memory, for
/// the person who asked, gone once shown.
#[derive(Default)]
pub struct Reveals(Mutex<HashMap<Uuid, Reveal>>);

/// A secret to be shown once.
pub(crate) struct Reveal {
    /// Whose, or what it opens.
    pub(crate) name: String,
    pub(crate) secret: SecretString,
}

impl Reveals {
    pub(crate) fn put(&self, by: Uuid, reveal: Reveal) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(by, reveal);
    }

    pub(crate) fn take(&self, by: Uuid) -> Option<Reveal> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&by)
    }
}
