//! Names as GitHub allows them, checked before they become a part of a URL or of a command.

use core::fmt;
use core::str::FromStr;

/// No name of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give owner/name, for example example/infra")]
pub struct BadRepository;

/// No name of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use A-Z, 0-9 and `_`, no digit first; it must not begin with GITHUB_")]
pub struct BadSecretName;

/// A repository: `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository(String);

/// The name of a secret: `OPENCLAW_API_KEY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName(String);

impl FromStr for Repository {
    type Err = BadRepository;

    fn from_str(given: &str) -> Result<Self, BadRepository> {
        let (owner, name) = given.split_once('/').ok_or(BadRepository)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        // The accounts of an enterprise end in `_shortcode`.
        let owner_fits = (1..=100).contains(&owner.len())
            && owner.chars().all(|c| plain(c) || c == '_')
            && !owner.starts_with('-');
        let name_fits = (1..=100).contains(&name.len())
            && name.chars().all(|c| plain(c) || matches!(c, '_' | '.'))
            && !matches!(name, "." | "..")
            && name.strip_suffix(".git").is_none();
        if owner_fits && name_fits {
            Ok(Self(given.to_owned()))
        } else {
            Err(BadRepository)
        }
    }
}

impl FromStr for SecretName {
    type Err = BadSecretName;

    fn from_str(given: &str) -> Result<Self, BadSecretName> {
        let fits = (1..=200).contains(&given.len())
            && given
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && !given.starts_with(|c: char| c.is_ascii_digit())
            && !given.starts_with("GITHUB_");
        if fits {
            Ok(Self(given.to_owned()))
        } else {
            Err(BadSecretName)
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_neither_paths_nor_options() {
        for good in ["example/infra", "a/.github", "octo_corp/x.y_z-1"] {
            assert!(good.parse::<Repository>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "infra",
            "example/",
            "/infra",
            "example/infra/x",
            "example/..",
            "example/.",
            "example/infra.git",
            "exa mple/infra",
            "example/infra?x",
            "-R/infra",
            "https://github.com/example/infra",
        ] {
            assert!(bad.parse::<Repository>().is_err(), "{bad}");
        }
        assert!("OPENCLAW_API_KEY".parse::<SecretName>().is_ok());
        for bad in ["", "1KEY", "KEY-1", "key", "GITHUB_TOKEN", "A/../B", "A B"] {
            assert!(bad.parse::<SecretName>().is_err(), "{bad}");
        }
    }
}
