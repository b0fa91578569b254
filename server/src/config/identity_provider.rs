//! The identity provider (OpenID Connect) by which people may sign in.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use adapter_identity::{Settings, is_private};
use domain::identity::GroupRoles;
use domain::person::Role;
use serde::Deserialize;
use url::Url;

use super::check::Faults;

/// As the file has it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProvider {
    issuer: Option<String>,
    client_id: Option<String>,
    client_secret_file: Option<PathBuf>,
    name: Option<String>,
    groups_claim: Option<String>,
    scopes: Option<Vec<String>>,
    roles: Option<BTreeMap<String, String>>,
    ca_file: Option<PathBuf>,
}

/// The provider.
#[derive(Debug)]
pub(crate) struct ProviderConfig {
    /// What the panel is told of it.
    pub(crate) settings: Settings,
    /// A CA to trust besides the usual ones.
    pub(crate) ca_file: Option<PathBuf>,
}

/// The most letters of the word on the button.
const NAME: usize = 40;

pub(super) fn check(
    raw: RawProvider,
    faults: &mut Faults,
    warnings: &mut Faults,
) -> Option<ProviderConfig> {
    let before = faults.0.len();
    let issuer = given(
        raw.issuer,
        "issuer",
        "its URL, as its own description of itself says it",
        faults,
    );
    if let Some(given) = &issuer
        && !is_issuer(given)
    {
        let remedy = "give an https URL without a query (http only on this machine), for example https://id.example.org";
        faults.add(&key("issuer"), given, remedy);
    }
    let remedy = "what the panel is called at the provider, as it was registered there";
    let client_id = given(raw.client_id, "client_id", remedy, faults);
    let name = given(
        raw.name,
        "name",
        "what people call the provider: the word on the button",
        faults,
    );
    if let Some(given) = &name
        && (given.chars().count() > NAME || given.chars().any(char::is_control))
    {
        faults.add(&key("name"), given, "give 1 to 40 letters");
    }
    if raw.client_secret_file.is_none() {
        let remedy = "the file with the secret that the provider gave the panel";
        faults.missing(&key("client_secret_file"), remedy);
    }
    for (name, file) in [
        ("client_secret_file", &raw.client_secret_file),
        ("ca_file", &raw.ca_file),
    ] {
        if let Some(file) = file {
            readable(name, file, faults, warnings);
        }
    }
    if let Some(file) = &raw.client_secret_file
        && std::fs::metadata(file).is_ok_and(|seen| seen.permissions().mode() & 0o077 != 0)
    {
        let remedy =
            "others on this host may read it; give it to the panel's user alone (chmod 600)";
        let shown = file.display().to_string();
        warnings.add(&key("client_secret_file"), &shown, remedy);
    }
    let groups_claim = raw.groups_claim.unwrap_or_else(|| "groups".to_owned());
    if groups_claim.trim().is_empty() {
        faults.add(
            &key("groups_claim"),
            &groups_claim,
            "name the claim that lists groups",
        );
    }
    let scopes = raw
        .scopes
        .unwrap_or_else(|| vec!["profile".to_owned(), "email".to_owned()]);
    for scope in &scopes {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if scope.is_empty() || !scope.bytes().all(plain) {
            faults.add(&key("scopes"), scope, "give single words");
        }
    }
    let roles = roles(raw.roles.unwrap_or_default(), faults);
    if faults.0.len() > before {
        return None;
    }
    Some(ProviderConfig {
        settings: Settings {
            issuer: issuer?,
            client_id: client_id?,
            client_secret_file: raw.client_secret_file?,
            name: name?,
            groups_claim,
            scopes,
            roles: roles?,
        },
        ca_file: raw.ca_file,
    })
}

fn key(name: &str) -> String {
    format!("sign_in.oidc.{name}")
}

fn given(value: Option<String>, name: &str, remedy: &str, faults: &mut Faults) -> Option<String> {
    let value = value.map(|value| value.trim().to_owned());
    let value = value.filter(|value| !value.is_empty());
    if value.is_none() {
        faults.missing(&key(name), remedy);
    }
    value
}

fn is_issuer(given: &str) -> bool {
    Url::parse(given).is_ok_and(|url| {
        let plain = url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        is_private(&url) && plain && nobody
    })
}

fn readable(name: &str, file: &Path, faults: &mut Faults, warnings: &mut Faults) {
    let shown = file.display().to_string();
    if !file.is_absolute() {
        faults.add(&key(name), &shown, "give an absolute path");
    } else if let Err(error) = std::fs::File::open(file) {
        warnings.add(&key(name), &shown, &format!("cannot be read ({error})"));
    }
}

fn roles(given: BTreeMap<String, String>, faults: &mut Faults) -> Option<GroupRoles> {
    if given.is_empty() {
        let remedy = "which role the members of a group have, for example { ops = \"operator\" }; without one nobody \
                      could sign in";
        faults.missing(&key("roles"), remedy);
        return None;
    }
    let mut roles = BTreeMap::new();
    for (group, word) in given {
        match Role::parse(&word) {
            Some(role) => drop(roles.insert(group, role)),
            None => faults.add(
                &key(&format!("roles.{group}")),
                &word,
                "name a role: operator, manager, viewer or none",
            ),
        }
    }
    let checked = GroupRoles::new(roles);
    checked
        .inspect_err(|error| faults.add(&key("roles"), "admin", &error.to_string()))
        .ok()
}
