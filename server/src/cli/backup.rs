//! `panel backup …`: the key, what is kept, and opening one.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use adapter_backup::Vault;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use domain::action::Action;
use domain::backup::Adopt;
use domain::can;
use domain::gateway::GatewayId;
use domain::ports::Backups as _;
use domain::words;
use secrecy::{ExposeSecret as _, SecretString};

use super::operation::command_line;
use super::user::create_private;
use super::{gateway, out};
use crate::config::Config;
use crate::wire::{BackupStore, Base, backups, vault};

#[derive(Subcommand)]
pub(super) enum Backup {
    /// Make the key that backups are encrypted to. Its other half, which opens them, is kept nowhere but in FILE.
    Key {
        /// Where to write the half that opens backups (0600, must not exist). Move it off this host.
        #[arg(long, value_name = "FILE")]
        identity_file: PathBuf,
        /// Take the place of the key there is, when its other half is lost or known to others. What was kept before
        /// still needs the old one.
        #[arg(long)]
        replace: bool,
    },
    /// What is kept, newest first. `panel operation start backup` makes one.
    List {
        /// Which gateway [default: the only one].
        #[arg(long, value_name = "ID")]
        gateway: Option<GatewayId>,
        /// As JSON, one object a line: `{name, gateway, made_at, bytes}`, the time in milliseconds.
        #[arg(long)]
        json: bool,
    },
    /// Open one: writes the gateway's own archive, to be checked with `openclaw backup verify`.
    Open {
        /// Its name, as `list` says.
        name: String,
        /// Which gateway [default: the only one].
        #[arg(long, value_name = "ID")]
        gateway: Option<GatewayId>,
        /// The half of the key that opens backups.
        #[arg(long, value_name = "FILE")]
        identity_file: PathBuf,
        /// Where to write the archive (0600, must not exist). It holds credentials in the clear.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
}

impl Backup {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        match self {
            Self::Key {
                identity_file,
                replace,
            } => {
                let adopt = if replace {
                    Adopt::Another
                } else {
                    Adopt::First
                };
                make_key(config, &identity_file, adopt).await?;
            }
            Self::List { gateway, json } => {
                let gateway = gateway::choose(config, gateway)?;
                for kept in vault(config).list(&gateway)? {
                    out::line(&if json {
                        serde_json::to_string(&kept)?
                    } else {
                        let (at, size) = (kept.made_at.utc_text(), words::bytes(kept.bytes));
                        format!("{at}  {size:>9}  {}", kept.name)
                    });
                }
            }
            Self::Open {
                name,
                gateway,
                identity_file,
                output,
            } => {
                let gateway = gateway::choose(config, gateway)?;
                let Some(file) = vault(config).open(&gateway, &name)? else {
                    bail!("there is no backup of that name; `panel backup list` names them");
                };
                open(file, &identity_file, &output)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn make_key(config: &Config, path: &Path, adopt: Adopt) -> anyhow::Result<()> {
    let base = Base::open(config).await?;
    let made = put_away_and_adopt(&backups(config, &base), path, adopt).await;
    base.close().await;
    made?;
    out::line(
        "Backups are encrypted from now on. Move that file off this host: nothing else opens them.",
    );
    Ok(())
}

/// The file first: a key whose other half nobody has would lock every backup for ever.
async fn put_away_and_adopt(
    backups: &BackupStore,
    path: &Path,
    adopt: Adopt,
) -> anyhow::Result<()> {
    let permit = can::permit(&command_line(), Action::MakeBackupKey, None);
    let permit = permit.map_err(|denied| anyhow::anyhow!("{}", denied.why))?;
    let key = backups.new_key();
    let mut file = create_private(path, "the key")?;
    let written = writeln!(file, "{}", key.secret.expose_secret()).and_then(|()| file.sync_all());
    let done = match written {
        Ok(()) => backups
            .adopt_key(permit, &key.recipient, adopt)
            .await
            .map_err(anyhow::Error::from),
        Err(error) => Err(anyhow::Error::from(error).context("the key could not be written")),
    };
    if done.is_err() {
        std::fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    done
}

/// The half of the key that opens backups.
pub(super) fn identity(file: &Path) -> anyhow::Result<SecretString> {
    std::fs::read_to_string(file)
        .map(SecretString::from)
        .with_context(|| format!("cannot read {}", file.display()))
}

fn open(from: File, identity_file: &Path, output: &Path) -> anyhow::Result<()> {
    let identity = identity(identity_file)?;
    let mut to = create_private(output, "the archive")?;
    let opened = Vault::decrypt(from, &identity, &mut to);
    match opened {
        Ok(bytes) => {
            to.sync_all().context("the archive could not be written")?;
            let size = words::bytes(bytes);
            out::line(&format!(
                "{size} in {}. It holds credentials: remove it when you are done.",
                output.display()
            ));
            Ok(())
        }
        Err(fault) => {
            std::fs::remove_file(output)
                .with_context(|| format!("cannot remove {}", output.display()))?;
            Err(fault.into())
        }
    }
}
