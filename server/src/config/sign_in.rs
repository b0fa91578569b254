//! How people sign in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::person::Role;
use domain::session::{LONGEST, SessionLimits};
use serde::Deserialize;

use super::check::Faults;
use super::identity_provider::{self, ProviderConfig, RawProvider};

/// The key's file within the data folder.
const KEY_NAME: &str = "sign-in-key";
/// In less nobody reads a page and comes back to it.
const SHORTEST_IDLE: Duration = Duration::from_secs(300);

/// As the file has it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSignIn {
    second_factor_for: Option<Vec<String>>,
    key_file: Option<PathBuf>,
    idle_minutes: Option<u64>,
    absolute_hours: Option<u64>,
    oidc: Option<RawProvider>,
}

/// How people sign in.
#[derive(Debug)]
pub(crate) struct SignInConfig {
    /// Who must have a second factor: they are let nowhere else until they have set one up.
    pub(crate) second_factor_for: BTreeSet<Role>,
    /// The key that secrets of second factors are sealed under, made when there is none. Several panels on one
    /// database share it.
    pub(crate) key_file: PathBuf,
    /// How long sessions last.
    pub(crate) limits: SessionLimits,
    /// The identity provider by which people sign in, too; `None` when there is none.
    pub(crate) provider: Option<ProviderConfig>,
}

pub(super) fn check(
    raw: RawSignIn,
    data_dir: &Path,
    faults: &mut Faults,
    warnings: &mut Faults,
) -> SignInConfig {
    let second_factor_for = match raw.second_factor_for {
        None => BTreeSet::from([Role::Admin]),
        Some(words) => {
            let mut roles = BTreeSet::new();
            for word in words {
                match Role::parse(&word) {
                    Some(role) => drop(roles.insert(role)),
                    None => faults.add(
                        "sign_in.second_factor_for",
                        &word,
                        "name roles: admin, operator, manager, viewer",
                    ),
                }
            }
            roles
        }
    };
    SignInConfig {
        second_factor_for,
        key_file: raw.key_file.unwrap_or_else(|| data_dir.join(KEY_NAME)),
        limits: limits(raw.idle_minutes, raw.absolute_hours, faults),
        provider: raw
            .oidc
            .and_then(|raw| identity_provider::check(raw, faults, warnings)),
    }
}

fn limits(
    idle_minutes: Option<u64>,
    absolute_hours: Option<u64>,
    faults: &mut Faults,
) -> SessionLimits {
    let mut limits = SessionLimits::default();
    if let Some(hours) = absolute_hours {
        limits.absolute = Duration::from_secs(hours.saturating_mul(3_600));
        if hours == 0 || limits.absolute > LONGEST {
            let why = "give 1 to 720 hours";
            faults.add("sign_in.absolute_hours", &hours.to_string(), why);
        }
        limits.idle = limits.idle.min(limits.absolute);
    }
    if let Some(minutes) = idle_minutes {
        limits.idle = Duration::from_secs(minutes.saturating_mul(60));
        if limits.idle < SHORTEST_IDLE || limits.idle > limits.absolute {
            let why = "give 5 minutes or more, and no more than sign_in.absolute_hours allow";
            faults.add("sign_in.idle_minutes", &minutes.to_string(), why);
        }
    }
    limits
}
