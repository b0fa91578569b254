//! `panel user …`: people, from a shell on the host.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Subcommand, ValueEnum};
use domain::action::Action;
use domain::can::{self, Permit};
use domain::person::{Person, Role};
use domain::ports::{Disabled, People as _, SecondFactors as _};
use secrecy::{ExposeSecret as _, SecretString};

use super::operation::command_line;
use super::out;
use crate::config::Config;
use crate::wire::Base;

#[derive(Subcommand)]
pub(super) enum User {
    /// Add somebody with a one-time password.
    Add {
        /// Sign-in name.
        name: String,
        /// What they may do.
        #[arg(long, value_enum)]
        role: RoleName,
        /// Write the one-time password to this file (0600, must not exist) and not to the terminal.
        #[arg(long, value_name = "FILE")]
        one_time_password_file: Option<PathBuf>,
    },
    /// Everybody.
    List {
        /// As JSON, one object a line.
        #[arg(long)]
        json: bool,
    },
    /// Keep somebody out and end their sessions.
    Disable {
        /// Sign-in name.
        name: String,
    },
    /// Let somebody in again.
    Enable {
        /// Sign-in name.
        name: String,
    },
    /// Remove the second factor of somebody who lost it, and end their sessions.
    RemoveSecondFactor {
        /// Sign-in name.
        name: String,
    },
    /// Give somebody a new one-time password and end their sessions.
    Reset {
        /// Sign-in name.
        name: String,
        /// Write the one-time password to this file (0600, must not exist) and not to the terminal.
        #[arg(long, value_name = "FILE")]
        one_time_password_file: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RoleName {
    Admin,
    Operator,
    Manager,
    Viewer,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Admin => Self::Admin,
            RoleName::Operator => Self::Operator,
            RoleName::Manager => Self::Manager,
            RoleName::Viewer => Self::Viewer,
        }
    }
}

impl User {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let base = Base::open(config).await?;
        let done = self.act(&base).await;
        base.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }

    async fn act(self, base: &Base) -> anyhow::Result<()> {
        let store = &base.store;
        match self {
            Self::Add {
                name,
                role,
                one_time_password_file,
            } => {
                // The file first: a person whose password nobody can read would be of no use.
                let file = one_time_password_file
                    .as_deref()
                    .map(|path| create_private(path, "the one-time password"))
                    .transpose()?;
                let added = store.add(permit()?, &name, role.into()).await;
                match added {
                    Ok((person, password)) => hand_over(&person.name, &password, file),
                    Err(error) => {
                        if let Some(path) = one_time_password_file {
                            std::fs::remove_file(&path)
                                .with_context(|| format!("cannot remove {}", path.display()))?;
                        }
                        Err(error.into())
                    }
                }
            }
            Self::List { json } => {
                for person in store.list().await? {
                    out::line(&if json {
                        serde_json::to_string(&person)?
                    } else {
                        row(&person)
                    });
                }
                Ok(())
            }
            Self::Disable { name } => {
                let person = find(base, &name).await?;
                store
                    .set_disabled(permit()?, person.id, Disabled::Yes)
                    .await?;
                out::line(&format!(
                    "{} is kept out; their sessions have ended.",
                    person.name
                ));
                Ok(())
            }
            Self::Enable { name } => {
                let person = find(base, &name).await?;
                store
                    .set_disabled(permit()?, person.id, Disabled::No)
                    .await?;
                out::line(&format!("{} may sign in again.", person.name));
                Ok(())
            }
            Self::RemoveSecondFactor { name } => {
                let person = find(base, &name).await?;
                store.reset(permit()?, person.id).await?;
                out::line(&format!(
                    "{} signs in with the password alone until they set up another second factor; their sessions have ended.",
                    person.name
                ));
                Ok(())
            }
            Self::Reset {
                name,
                one_time_password_file,
            } => {
                let person = find(base, &name).await?;
                let file = one_time_password_file
                    .as_deref()
                    .map(|path| create_private(path, "the one-time password"))
                    .transpose()?;
                let password = store.reset_password(permit()?, person.id).await?;
                hand_over(&person.name, &password, file)
            }
        }
    }
}

fn permit() -> anyhow::Result<Permit> {
    can::permit(&command_line(), Action::ManagePeople, None)
        .map_err(|denied| anyhow::anyhow!(denied.why))
}

async fn find(base: &Base, name: &str) -> anyhow::Result<Person> {
    use domain::ports::People as _;
    let people = base.store.list().await?;
    match people
        .into_iter()
        .find(|person| person.name.eq_ignore_ascii_case(name))
    {
        Some(person) => Ok(person),
        None => bail!("there is nobody called `{name}`; `panel user list` shows everybody"),
    }
}

pub(super) fn create_private(path: &Path, what: &str) -> anyhow::Result<std::fs::File> {
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot create {} for {what}", path.display()))
}

fn hand_over(
    name: &str,
    password: &SecretString,
    file: Option<std::fs::File>,
) -> anyhow::Result<()> {
    match file {
        Some(mut file) => {
            writeln!(file, "{}", password.expose_secret())
                .context("the one-time password could not be written")?;
            file.sync_all()
                .context("the one-time password could not be written")?;
            out::line(&format!(
                "{name} may sign in with the one-time password in that file."
            ));
        }
        None => {
            out::line(&format!(
                "{name} may sign in with this one-time password, shown only now:"
            ));
            out::line(password.expose_secret());
        }
    }
    Ok(())
}

fn row(person: &Person) -> String {
    let state = if person.disabled_at.is_some() {
        "disabled"
    } else {
        "active"
    };
    let seen = person
        .last_seen_at
        .map_or_else(|| "never".to_owned(), domain::time::Timestamp::utc_text);
    let factor = match &person.second_factor {
        Some(_) => "second factor",
        None => "password only",
    };
    format!(
        "{:<20} {:<9} {state:<9} {factor:<14} last seen {seen}",
        person.name,
        person.role.as_str()
    )
}
