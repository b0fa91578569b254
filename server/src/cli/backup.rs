//! `panel backup …`: the key, what is kept, and opening one.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use adapter_backup::Vault;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::gateway::GatewayId;
use domain::ports::AuditTrail as _;
use domain::words;
use secrecy::{ExposeSecret as _, SecretString};

use super::operation::command_line;
use super::user::create_private;
use super::{gateway, out};
use crate::config::Config;
use crate::wire::{Base, vault};

#[derive(Subcommand)]
pub(super) enum Backup {
    /// Make the key that backups are encrypted to. Its other half, which opens them, is kept nowhere but in FILE.
    Key {
        /// Where to write the half that opens backups (0600, must not exist). Move it off this host.
        #[arg(long, value_name = "FILE")]
        identity_file: PathBuf,
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
            Self::Key { identity_file } => make_key(config, &identity_file).await?,
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

async fn make_key(config: &Config, path: &std::path::Path) -> anyhow::Result<()> {
    // The file first: a key that nobody can read would lock every backup for ever.
    let mut file = create_private(path, "the key")?;
    let base = Base::open(config).await?;
    let made = audited_key(config, &base).await;
    base.close().await;
    let key = match made {
        Ok(key) => key,
        Err(error) => {
            std::fs::remove_file(path)
                .with_context(|| format!("cannot remove {}", path.display()))?;
            return Err(error);
        }
    };
    writeln!(file, "{}", key.expose_secret())
        .and_then(|()| file.sync_all())
        .context("the key could not be written")?;
    out::line(
        "Backups are encrypted from now on. Move that file off this host: nothing else opens them.",
    );
    Ok(())
}

async fn audited_key(config: &Config, base: &Base) -> anyhow::Result<SecretString> {
    let event = |outcome| NewAuditEvent {
        actor: command_line(),
        action: act::MAKE_BACKUP_KEY.to_owned(),
        gateway: None,
        target: None,
        operation: None,
        reason: None,
        outcome,
        note: None,
    };
    base.store.record(event(AuditOutcome::Requested)).await?;
    let made = vault(config).make_key();
    let outcome = if made.is_ok() {
        AuditOutcome::Succeeded
    } else {
        AuditOutcome::Failed
    };
    base.store.record(event(outcome)).await?;
    Ok(made?)
}

fn open(
    from: File,
    identity_file: &std::path::Path,
    output: &std::path::Path,
) -> anyhow::Result<()> {
    let identity = std::fs::read_to_string(identity_file)
        .map(SecretString::from)
        .with_context(|| format!("cannot read {}", identity_file.display()))?;
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
