//! How people sign in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use domain::person::Role;
use serde::Deserialize;

use super::check::Faults;
use super::identity_provider::{self, ProviderConfig, RawProvider};

/// The key's file within the data folder.
const KEY_NAME: &str = "sign-in-key";

/// As the file has it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSignIn {
    second_factor_for: Option<Vec<String>>,
    key_file: Option<PathBuf>,
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
        provider: raw
            .oidc
            .and_then(|raw| identity_provider::check(raw, faults, warnings)),
    }
}
