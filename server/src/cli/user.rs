//! `panel user …`: people, from a shell on the host.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Subcommand, ValueEnum};
use domain::action::Action;
use domain::can::{self, Permit};
use domain::gateway::GatewayId;
use domain::identity::Subject;
use domain::path;
use domain::person::{Person, Role, Roles};
use domain::ports::{Disabled, Identities as _, Invitations as _, People as _, SecondFactors as _};
use secrecy::{ExposeSecret as _, SecretString};

use super::operation::command_line;
use super::out;
use crate::config::Config;
use crate::wire::Base;

#[derive(Subcommand)]
pub(super) enum User {
    /// Invite somebody: prints the one-time link by which they choose their password, within 24 hours.
    Add {
        /// Sign-in name.
        name: String,
        /// What they may do.
        #[arg(long, value_enum)]
        role: RoleName,
        /// What they may do on one gateway instead, like `openclaw=operator`. May be given several times.
        #[arg(long, value_name = "GATEWAY=ROLE", value_parser = exception)]
        on: Vec<(GatewayId, RoleName)>,
        /// Write the link to this file (0600, must not exist) and not to the terminal.
        #[arg(long, value_name = "FILE", conflicts_with = "one_time_password_file")]
        link_file: Option<PathBuf>,
        /// A one-time password in this file (0600, must not exist) instead of a link.
        #[arg(long, value_name = "FILE")]
        one_time_password_file: Option<PathBuf>,
    },
    /// Everybody.
    List {
        /// As JSON, one object a line.
        #[arg(long)]
        json: bool,
    },
    /// Give somebody other roles, and end their sessions.
    Role {
        /// Sign-in name.
        name: String,
        /// What they may do.
        #[arg(value_enum)]
        role: RoleName,
        /// What they may do on one gateway instead, like `openclaw=operator`. May be given several times; what is not
        /// given any more is taken away.
        #[arg(long, value_name = "GATEWAY=ROLE", value_parser = exception)]
        on: Vec<(GatewayId, RoleName)>,
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
    /// Say who somebody is at the identity provider, so that they sign in by it as who they are here.
    Connect {
        /// Sign-in name.
        name: String,
        /// The provider's own id of them (`sub`).
        subject: String,
    },
    /// Take back who somebody is at the identity provider, and end their sessions.
    Disconnect {
        /// Sign-in name.
        name: String,
    },
    /// Remove the second factor of somebody who lost it, and end their sessions.
    RemoveSecondFactor {
        /// Sign-in name.
        name: String,
    },
    /// End somebody's password and sessions: prints the one-time link by which they choose another.
    Reset {
        /// Sign-in name.
        name: String,
        /// Write the link to this file (0600, must not exist) and not to the terminal.
        #[arg(long, value_name = "FILE", conflicts_with = "one_time_password_file")]
        link_file: Option<PathBuf>,
        /// A one-time password in this file (0600, must not exist) instead of a link.
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
    None,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Admin => Self::Admin,
            RoleName::Operator => Self::Operator,
            RoleName::Manager => Self::Manager,
            RoleName::Viewer => Self::Viewer,
            RoleName::None => Self::Nothing,
        }
    }
}

/// Reads `openclaw=operator`.
fn exception(given: &str) -> Result<(GatewayId, RoleName), String> {
    let (gateway, role) = given
        .split_once('=')
        .ok_or("write it as GATEWAY=ROLE, like openclaw=operator")?;
    let gateway = gateway.parse::<GatewayId>();
    let gateway = gateway.map_err(|error| error.to_string())?;
    let role = RoleName::from_str(role, true).map_err(|_| {
        format!("there is no role `{role}`: choose admin, operator, manager, viewer or none")
    })?;
    Ok((gateway, role))
}

fn roles(config: &Config, role: RoleName, on: Vec<(GatewayId, RoleName)>) -> anyhow::Result<Roles> {
    let mut roles = Roles::from(Role::from(role));
    for (gateway, role) in on {
        let known = &config.gateways;
        if !known.iter().any(|known| known.id == gateway) {
            bail!("there is no gateway `{gateway}` in the panel's configuration");
        }
        roles.on.insert(gateway, role.into());
    }
    Ok(roles)
}

impl User {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let base = Base::open(config).await?;
        let done = self.act(config, &base).await;
        base.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }

    async fn act(self, config: &Config, base: &Base) -> anyhow::Result<()> {
        let store = &base.store;
        match self {
            Self::Add {
                name,
                role,
                on,
                link_file,
                one_time_password_file,
            } => {
                let roles = roles(config, role, on)?;
                // The file first: a person whose secret nobody can read would be of no use.
                let secret = Secret::of(link_file, one_time_password_file)?;
                let added = match secret.kind {
                    Kind::Link => store.invite(permit()?, &name, roles).await,
                    Kind::Password => store.add(permit()?, &name, roles).await,
                };
                match added {
                    Ok((person, given)) => secret.hand_over(config, &person.name, &given),
                    Err(error) => {
                        secret.forget()?;
                        Err(error.into())
                    }
                }
            }
            Self::List { json } => {
                let subjects = store.all().await?;
                for person in store.list().await? {
                    let own = subjects.iter().filter(|(id, _)| *id == person.id);
                    let own: Vec<_> = own.map(|(_, subject)| subject).collect();
                    out::line(&if json {
                        serde_json::to_string(&Listed {
                            person: &person,
                            subjects: own,
                        })?
                    } else {
                        row(&person, &own)
                    });
                }
                Ok(())
            }
            Self::Role { name, role, on } => {
                let roles = roles(config, role, on)?;
                let person = find(base, &name).await?;
                let said = format!("{}: {roles}. Their sessions have ended.", person.name);
                store.set_roles(permit()?, person.id, roles).await?;
                out::line(&said);
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
            Self::Connect { name, subject } => {
                let Some(provider) = &config.sign_in.provider else {
                    bail!(
                        "there is no identity provider in the panel's configuration (sign_in.oidc)"
                    );
                };
                let person = find(base, &name).await?;
                let issuer = provider.settings.issuer.clone();
                let subject = Subject {
                    issuer,
                    id: subject,
                };
                let person = store.connect(permit()?, person.id, subject).await?;
                out::line(&format!(
                    "{} signs in by {}, too.",
                    person.name, provider.settings.name
                ));
                Ok(())
            }
            Self::Disconnect { name } => {
                let person = find(base, &name).await?;
                store.disconnect(permit()?, person.id).await?;
                let has_password = store.of(person.id).await?.has_password;
                let more = if has_password {
                    String::new()
                } else {
                    format!(
                        " They have no password here: 'panel user reset {}' prints a link by which they choose one.",
                        person.name
                    )
                };
                out::line(&format!(
                    "{} signs in by no identity provider any more; their sessions have ended.{more}",
                    person.name
                ));
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
                link_file,
                one_time_password_file,
            } => {
                let person = find(base, &name).await?;
                let secret = Secret::of(link_file, one_time_password_file)?;
                let given = match secret.kind {
                    Kind::Link => store.invite_again(permit()?, person.id).await,
                    Kind::Password => store.reset_password(permit()?, person.id).await,
                };
                match given {
                    Ok(given) => secret.hand_over(config, &person.name, &given),
                    Err(error) => {
                        secret.forget()?;
                        Err(error.into())
                    }
                }
            }
        }
    }
}

/// What lets somebody in for the first time.
enum Kind {
    Link,
    Password,
}

/// How it is handed over.
struct Secret {
    kind: Kind,
    file: Option<(PathBuf, std::fs::File)>,
}

impl Secret {
    fn of(link: Option<PathBuf>, password: Option<PathBuf>) -> anyhow::Result<Self> {
        let (kind, path) = match password {
            Some(path) => (Kind::Password, Some(path)),
            None => (Kind::Link, link),
        };
        let file = path.map(|path| {
            let made = create_private(&path, "what lets them in")?;
            anyhow::Ok((path, made))
        });
        let file = file.transpose()?;
        Ok(Self { kind, file })
    }

    /// Nobody was let in: the empty file goes.
    fn forget(self) -> anyhow::Result<()> {
        match self.file {
            Some((path, _)) => std::fs::remove_file(&path)
                .with_context(|| format!("cannot remove {}", path.display())),
            None => Ok(()),
        }
    }

    fn hand_over(self, config: &Config, name: &str, given: &SecretString) -> anyhow::Result<()> {
        let base = config.public_url.as_str().trim_end_matches('/');
        let (text, how) = match self.kind {
            Kind::Link => (
                format!("{base}{}", path::welcome(given.expose_secret())),
                "chooses a password by this link, which opens once, within 24 hours",
            ),
            Kind::Password => (
                given.expose_secret().to_owned(),
                "may sign in with this password until they choose their own, which every page asks them to",
            ),
        };
        match self.file {
            Some((path, mut file)) => {
                writeln!(file, "{text}")
                    .and_then(|()| file.sync_all())
                    .with_context(|| format!("{} could not be written", path.display()))?;
                out::line(&format!("{name} {how}: it is in {}.", path.display()));
            }
            None => {
                out::line(&format!("{name} {how}:"));
                out::line(&text);
            }
        }
        Ok(())
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

/// A person as `--json` has them.
#[derive(serde::Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    person: &'a Person,
    /// Who they are at identity providers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subjects: Vec<&'a Subject>,
}

fn row(person: &Person, subjects: &[&Subject]) -> String {
    let state = if person.disabled_at.is_some() {
        "disabled"
    } else {
        "active"
    };
    let seen = person
        .last_seen_at
        .map_or_else(|| "never".to_owned(), domain::time::Timestamp::utc_text);
    let factor = match &person.second_factor {
        Some(factor) if factor.authenticator => "second factor",
        Some(_) => "passkey",
        None => "password only",
    };
    let subjects = subjects.iter().fold(String::new(), |mut all, subject| {
        all.extend(["  ", &subject.id, " of ", &subject.issuer]);
        all
    });
    format!(
        "{:<20} {:<9} {state:<9} {factor:<14} last seen {seen}{subjects}",
        person.name,
        person.roles.to_string()
    )
}
