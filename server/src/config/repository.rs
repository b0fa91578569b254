//! The infrastructure's repository: a secret of it on GitHub, and the log of rotations in a clone of it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use adapter_git::{Author, LogFile, Place, Push};
use adapter_github::{Api, BadApi, Secret, Token};
use secrecy::SecretString;
use url::Url;

use super::Environment;
use super::check::Faults;

pub(super) fn api(given: Option<&str>, faults: &mut Faults) -> Option<Api> {
    let given = given.unwrap_or(Api::DEFAULT);
    let api = Api::parse(given);
    api.inspect_err(|error| match error {
        // What is wrong may be a password in it.
        BadApi::Url => faults.0.push(format!("github_api_url: {error}")),
        BadApi::InTheClear | BadApi::Site => {
            faults.add("github_api_url", given, &error.to_string());
        }
    })
    .ok()
}

/// The token itself is read when it is used, so that it can be rotated under a running panel.
pub(super) fn token(
    file: Option<PathBuf>,
    environment: &dyn Environment,
    faults: &mut Faults,
    warnings: &mut Faults,
) -> Option<Token> {
    if let Some(given) = environment.get("PANEL_GITHUB_TOKEN") {
        return Some(Token::Given(SecretString::from(given)));
    }
    let file = file?;
    let shown = file.display().to_string();
    let key = "github_token_file";
    if !file.is_absolute() {
        faults.add(key, &shown, "give an absolute path");
    }
    match std::fs::metadata(&file) {
        Ok(seen) if seen.permissions().mode() & 0o077 != 0 => {
            let remedy =
                "others on this host may read it; give it to the panel's user alone (chmod 600)";
            warnings.add(key, &shown, remedy);
        }
        Ok(_) => {}
        Err(error) => warnings.add(key, &shown, &format!("cannot be read ({error})")),
    }
    Some(Token::File(file))
}

pub(super) fn author(
    given: Option<&str>,
    public_url: Option<&Url>,
    faults: &mut Faults,
) -> Option<Author> {
    let key = "rotation_log_author";
    let author = match given {
        Some(given) => given.to_owned(),
        None => format!("OpenClaw Panel <panel@{}>", public_url?.host_str()?),
    };
    let read = author.parse();
    read.inspect_err(|error| faults.add(key, &author, &format!("{error}")))
        .ok()
}

/// What a gateway's keys say of its secret.
pub(super) fn secret(
    key: impl Fn(&str) -> String,
    repository: Option<&str>,
    name: Option<&str>,
    faults: &mut Faults,
) -> Option<Secret> {
    let Some(repository) = repository else {
        if let Some(name) = name {
            let remedy = "say in which repository it is (github_repository), or leave it out";
            faults.add(&key("github_secret"), name, remedy);
        }
        return None;
    };
    let name = name.unwrap_or("OPENCLAW_API_KEY");
    let checked = (repository.parse(), name.parse());
    if let Err(error) = &checked.0 {
        faults.add(&key("github_repository"), repository, &format!("{error}"));
    }
    if let Err(error) = &checked.1 {
        faults.add(&key("github_secret"), name, &format!("{error}"));
    }
    Some(Secret {
        repository: checked.0.ok()?,
        name: checked.1.ok()?,
    })
}

/// What a gateway's keys say of its log.
pub(super) fn log(
    key: impl Fn(&str) -> String,
    repository: Option<PathBuf>,
    file: Option<&str>,
    push: Option<bool>,
    faults: &mut Faults,
    warnings: &mut Faults,
) -> Option<Place> {
    let Some(repository) = repository else {
        let remedy = "say where the clone is (rotation_log_repository), or leave it out";
        if let Some(file) = file {
            faults.add(&key("rotation_log_file"), file, remedy);
        }
        if let Some(push) = push {
            faults.add(&key("rotation_log_push"), &push.to_string(), remedy);
        }
        return None;
    };
    let shown = repository.display().to_string();
    if !repository.is_absolute() {
        faults.add(
            &key("rotation_log_repository"),
            &shown,
            "give an absolute path",
        );
    } else if !repository.is_dir() {
        warnings.add(
            &key("rotation_log_repository"),
            &shown,
            "there is no such folder",
        );
    }
    let file = file.unwrap_or(LogFile::DEFAULT);
    let read = file.parse();
    let file = read
        .inspect_err(|error| faults.add(&key("rotation_log_file"), file, &format!("{error}")))
        .ok()?;
    Some(Place {
        repository,
        file,
        push: match push {
            Some(true) => Push::ToUpstream,
            Some(false) | None => Push::Never,
        },
    })
}
