//! `panel operation …`: the same operations as the buttons, for a shell.

mod change;
mod show;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use domain::action::Action;
use domain::can::{self, Permit};
use domain::credential::Cause;
use domain::gateway::{AccountId, GatewayId};
use domain::operation::{Command, Event, OperationId, Outcome};
use domain::person::Actor;
use domain::ports::{
    Backups as _, GatewayKeys as _, Ids as _, Journal as _, KeyRotations, Operations as _,
    StartError,
};
use domain::words;
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::backup::identity;
use super::code;
use super::{gateway, out, paged};
use crate::config::Config;
use crate::wire::{Base, Outside, SystemIds};

#[derive(Subcommand)]
pub(super) enum Operation {
    /// Start one.
    Start(Start),
    /// The latest of a gateway, newest first.
    List(List),
    /// One, with its steps.
    Show(show::Show),
    /// Ask one to stop and put back.
    Cancel(change::Cancel),
    /// Free the gateway of a stuck one, after you looked.
    Abandon(change::Abandon),
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Reconnect,
    Relink,
    /// Link anew by a scan, though the present link may still work: it is backed up and kept aside.
    ReplaceLink,
    /// Take an account's link out of the gateway; it is backed up first.
    Unlink,
    /// Empty the gateway's state folder, bring configuration and plugins back, and link an account (`--confirm`).
    Wipe,
    Restart,
    Recreate,
    Install,
    /// Have the gateway fetch and load the WhatsApp plugin.
    InstallPlugin,
    Stop,
    Start,
    /// Keep an encrypted copy of the gateway's state.
    Backup,
    /// Change the gateway's API key and recreate the container with it (`--cause`).
    RotateKey,
    /// Renew the panel's own device identity at the gateway (`--cause`).
    RotateDevice,
    /// Bring an account's link back from a backup (`--backup`, `--identity-file`).
    Restore,
    /// Fix WhatsApp: the gentlest step that helps.
    Recover,
}

#[derive(Clone, Copy, ValueEnum)]
enum WhyRotate {
    /// Its time is over.
    Scheduled,
    /// Somebody who knew it has left.
    PersonLeft,
    /// Somebody may know it who should not.
    Leak,
    /// Put the key back that the latest rotation replaced, as long as it is kept.
    PutBack,
}

impl From<WhyRotate> for Cause {
    fn from(why: WhyRotate) -> Self {
        match why {
            WhyRotate::Scheduled => Self::Scheduled,
            WhyRotate::PersonLeft => Self::PersonLeft,
            WhyRotate::Leak => Self::Leak,
            WhyRotate::PutBack => Self::PutBack,
        }
    }
}

/// Words for `rotate-key` and `rotate-device`.
#[derive(Args)]
struct Rotation {
    /// Why it is changed (`rotate-key`, `rotate-device`).
    #[arg(long, default_value = "scheduled")]
    cause: WhyRotate,
    /// Leave the repository's secret on GitHub to you (`rotate-key`).
    #[arg(long)]
    skip_github: bool,
    /// Go on: whoever uses the key fails until they have the new one (`rotate-key`).
    #[arg(long)]
    yes: bool,
    /// Print the new key when it is proved: once, and only to a terminal (`rotate-key`).
    #[arg(long)]
    reveal: bool,
}

#[derive(Args)]
pub(super) struct Start {
    /// Which operation.
    kind: Kind,
    /// Which gateway [default: the only one].
    #[arg(long, value_name = "ID")]
    gateway: Option<GatewayId>,
    /// Which account (`reconnect`, `relink`, `replace-link`, `unlink`, `wipe`, `recover`, `restore`).
    #[arg(long, value_name = "ID", default_value = "default")]
    account: AccountId,
    /// Why; stands in the audit trail.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The backup to restore from, as `panel backup list` names it.
    #[arg(long, value_name = "NAME", required_if_eq("kind", "restore"))]
    backup: Option<String>,
    /// The half of the key that opens backups (`restore`).
    #[arg(long, value_name = "FILE", required_if_eq("kind", "restore"))]
    identity_file: Option<PathBuf>,
    /// Replace a link that works (`restore`).
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    rotation: Rotation,
    /// The gateway's name, typed once more (`wipe`).
    #[arg(long, value_name = "NAME", required_if_eq("kind", "wipe"))]
    confirm: Option<String>,
    /// Stay until it has ended, printing its steps. This is what the command does anyway: it runs the operation
    /// itself, and a panel that serves takes it over should this command be killed.
    #[arg(long)]
    wait: bool,
}

#[derive(Args)]
pub(super) struct List {
    /// Which gateway [default: the only one].
    #[arg(long, value_name = "ID")]
    gateway: Option<GatewayId>,
    /// As JSON, one object a line.
    #[arg(long)]
    json: bool,
    /// How many.
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

impl Operation {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        match self {
            Self::Start(start) => start.run(config).await,
            Self::List(list) => list.run(config).await,
            Self::Show(show) => show.run(config).await,
            Self::Cancel(cancel) => cancel.run(config).await,
            Self::Abandon(abandon) => abandon.run(config).await,
        }
    }
}

/// Who sits at the shell.
pub(super) fn command_line() -> Actor {
    let id = rustix::process::getuid().as_raw();
    Actor::CommandLine {
        user: unix_name(id).unwrap_or_else(|| format!("uid {id}")),
    }
}

/// The name of a Unix user, from `/etc/passwd`.
fn unix_name(id: u32) -> Option<String> {
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    let id = id.to_string();
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    })
}

/// Does something with an engine of its own, and leaves everything in order.
async fn with_engine(
    config: &Config,
    work: impl AsyncFnOnce(&Base, &Outside) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let base = Base::open(config).await?;
    let stop = CancellationToken::new();
    let tracker = TaskTracker::new();
    let outside = Outside::build(config, &base, &tracker, &stop).await?;
    outside.engine.refresh_holders().await;
    let done = work(&base, &outside).await;
    outside.engine.quiesce().await;
    stop.cancel();
    tracker.close();
    // A Docker call past its limit must not keep the terminal.
    let _in_time = tokio::time::timeout(super::LAST_WAIT, tracker.wait()).await;
    base.close().await;
    done
}

impl Start {
    async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let gateway = gateway::choose(config, self.gateway.clone())?;
        with_engine(config, async |base, outside| {
            outside.engine.tend();
            self.start(gateway, base, outside).await
        })
        .await
    }

    async fn command(
        &self,
        gateway: GatewayId,
        base: &Base,
        outside: &Outside,
    ) -> anyhow::Result<Command> {
        Ok(match self.kind {
            Kind::Reconnect => Command::Reconnect {
                gateway,
                account: self.account.clone(),
            },
            Kind::Relink => Command::Relink {
                gateway,
                account: self.account.clone(),
            },
            Kind::ReplaceLink => Command::ReplaceLink {
                gateway,
                account: self.account.clone(),
            },
            Kind::Unlink => Command::Unlink {
                gateway,
                account: self.account.clone(),
            },
            Kind::Wipe => self.wipe(gateway, outside)?,
            Kind::Restart => Command::Restart { gateway },
            Kind::Recreate => Command::Recreate {
                gateway,
                seen: None,
            },
            Kind::Install => Command::Install { gateway },
            Kind::InstallPlugin => Command::InstallPlugin { gateway },
            Kind::Stop => Command::Stop { gateway },
            Kind::Start => Command::Start { gateway },
            Kind::Backup => Command::Backup { gateway },
            Kind::RotateKey => self.rotate_key(gateway, base).await?,
            Kind::RotateDevice => Command::RotateDevice {
                gateway,
                cause: self.offered_cause()?,
            },
            Kind::Restore => self.restore(gateway, outside).await?,
            Kind::Recover => Command::Recover {
                gateway,
                account: self.account.clone(),
            },
        })
    }

    /// Why something new is made.
    fn offered_cause(&self) -> anyhow::Result<Cause> {
        let cause = self.rotation.cause.into();
        if !Cause::OFFERED.contains(&cause) {
            bail!("only a key comes back; say another --cause");
        }
        Ok(cause)
    }

    async fn rotate_key(&self, gateway: GatewayId, base: &Base) -> anyhow::Result<Command> {
        if !self.rotation.yes {
            bail!(
                "the gateway is recreated with a new key, and whoever uses the old one fails until they have it; to go on, say --yes"
            );
        }
        if self.rotation.reveal && !std::io::stdout().is_terminal() {
            bail!(
                "the key is printed to a terminal only; without --reveal the panel's page shows it once"
            );
        }
        let cause = self.rotation.cause.into();
        let puts_back = if cause == Cause::PutBack {
            let Some(latest) = base.store.latest(&gateway).await? else {
                bail!(
                    "this panel has not rotated the key of `{gateway}` yet, so no old one can come back"
                );
            };
            Some(latest.operation)
        } else {
            None
        };
        Ok(Command::RotateKey {
            gateway,
            cause,
            skip_secret: self.rotation.skip_github,
            puts_back,
        })
    }

    fn wipe(&self, gateway: GatewayId, outside: &Outside) -> anyhow::Result<Command> {
        let known = outside.gateways.iter().find(|known| known.id == gateway);
        let name = known.map_or_else(|| gateway.to_string(), |known| known.name.clone());
        if self.confirm.as_deref().map(str::trim) != Some(name.as_str()) {
            bail!("a wipe takes all that the gateway knows; to go on, say --confirm {name:?}");
        }
        Ok(Command::Wipe {
            gateway,
            account: self.account.clone(),
        })
    }

    async fn restore(&self, gateway: GatewayId, outside: &Outside) -> anyhow::Result<Command> {
        let (Some(backup), Some(file)) = (self.backup.clone(), &self.identity_file) else {
            bail!("say with --backup which one to restore, and with --identity-file what opens it");
        };
        let identity = identity(file)?;
        let backups = &outside.backups;
        let ticket = backups
            .unlock(&gateway, &self.account, &backup, identity)
            .await?;
        Ok(Command::Restore {
            gateway,
            account: self.account.clone(),
            backup,
            ticket,
            replace: self.replace,
        })
    }

    async fn start(
        &self,
        gateway: GatewayId,
        base: &Base,
        outside: &Outside,
    ) -> anyhow::Result<ExitCode> {
        let command = self.command(gateway.clone(), base, outside).await?;
        let title = command.title();
        let shows_key = self.rotation.reveal && command.action() == Action::RotateKey;
        let permit = match can::permit(&command_line(), command.action(), Some(&gateway)) {
            Ok(permit) => permit,
            Err(denied) => bail!("{}", denied.why),
        };
        let reveals = permit.clone();
        let key = SystemIds.next().to_string();
        let started = outside
            .engine
            .start(permit, command, key, self.reason.clone())
            .await;
        let id = match started {
            Ok(id) => id,
            Err(StartError::Busy { holder }) => {
                let since = words::duration(base.clock.now().since(holder.created_at));
                let by = holder.asked_by.name();
                bail!(
                    "{} by {by} holds the gateway for {since}; wait for it or look at it in the panel",
                    holder.command.title()
                );
            }
            Err(error) => return Err(error.into()),
        };
        out::line(&format!("{title}: {id}"));
        let outcome = tokio::select! {
            outcome = follow(id, base) => outcome?,
            never = code::print(id, &outside.scans, &*base.clock) => match never {},
        };
        let (said, code) = in_words(&title, &outcome);
        out::line(&said);
        if shows_key && matches!(outcome, Outcome::Succeeded { .. }) {
            reveal(reveals, &gateway, id, base, outside).await?;
        }
        Ok(code)
    }
}

/// Prints the new key, the one time that it is shown.
async fn reveal(
    permit: Permit,
    gateway: &GatewayId,
    id: OperationId,
    base: &Base,
    outside: &Outside,
) -> anyhow::Result<()> {
    let rotation = KeyRotations::of(&base.store, id).await?;
    let rotation = rotation.context("the rotation was not noted")?;
    let key = outside.keys.read(gateway, &rotation.fingerprint).await?;
    if KeyRotations::reveal(&base.store, permit, id).await? {
        out::line(&format!(
            "The new key, shown this once:\n{}",
            key.expose_secret()
        ));
    } else {
        out::line("The new key was shown elsewhere already; it is shown once.");
    }
    Ok(())
}

/// Prints the journal as it grows, until the end.
async fn follow(id: OperationId, base: &Base) -> anyhow::Result<Outcome> {
    let labels = base
        .store
        .operation(id)
        .await?
        .map(|operation| operation.steps)
        .unwrap_or_default();
    let label = |name: &str| {
        labels
            .iter()
            .find(|step| step.name == name)
            .map_or_else(|| name.to_owned(), |step| step.label.clone())
    };
    let mut after = 0;
    let mut missed = 0;
    // The step that has begun, until it turns out to have something to do or to say.
    let mut begun: Option<String> = None;
    loop {
        let events = match base.store.events(id, after).await {
            Ok(events) => events,
            // The engine waits out a database that is away; so does its reader.
            Err(error) if missed < 60 => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "Waiting for the database"
                );
                missed += 1;
                Vec::new()
            }
            Err(error) => {
                return Err(error)
                    .context("the operation goes on, but its progress cannot be read");
            }
        };
        for recorded in events {
            after = recorded.sequence;
            missed = 0;
            let silent = matches!(recorded.event, Event::Started { .. } | Event::Passed { .. });
            if let Some(label) = begun.take_if(|_| !silent) {
                out::line(&label);
            }
            match recorded.event {
                Event::Started { step, attempt } => {
                    let again = if attempt > 1 { " (again)" } else { "" };
                    begun = Some(format!("  {}{again}", label(&step)));
                }
                Event::Passed { .. } => begun = None,
                Event::Progressed { said, .. } => out::line(&format!("    {said}")),
                Event::Failed { fault, .. } => out::line(&format!("    failed: {fault}")),
                Event::UndoStarted { step } => {
                    out::line(&format!("  putting back: {}", label(&step)));
                }
                Event::UndoFailed { fault, .. } => {
                    out::line(&format!("    could not be put back: {fault}"));
                }
                Event::CancelAsked { by } => {
                    out::line(&format!("  {by} asked to stop and put back"));
                }
                Event::SkipAsked { by, .. } => out::line(&format!("    {by} asked to skip this")),
                Event::Ended { outcome } => return Ok(outcome),
                Event::Planned { .. }
                | Event::Succeeded { .. }
                | Event::UndoFinished { .. }
                | Event::Adopted { .. } => {}
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn in_words(title: &str, outcome: &Outcome) -> (String, ExitCode) {
    match outcome {
        Outcome::Succeeded { note: None } => (format!("{title}: done."), ExitCode::SUCCESS),
        Outcome::Succeeded { note: Some(note) } => {
            (format!("{title}: done. {note}"), ExitCode::SUCCESS)
        }
        Outcome::Undone { why } => (
            format!("{title} failed and was put back: {why}"),
            ExitCode::FAILURE,
        ),
        Outcome::Cancelled { by } => (
            format!("{title} was stopped by {by} and put back."),
            ExitCode::FAILURE,
        ),
        Outcome::Failed { why, .. } => (format!("{title} failed: {why}"), ExitCode::FAILURE),
        Outcome::Stuck { why, todo, .. } => {
            (format!("{title} is stuck: {why} {todo}"), ExitCode::FAILURE)
        }
        Outcome::Abandoned { by, comment } => (
            format!("{title} was given up by {by}: {comment}"),
            ExitCode::FAILURE,
        ),
    }
}

impl List {
    async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let gateway = gateway::choose(config, self.gateway)?;
        let base = Base::open(config).await?;
        let store = &base.store;
        let listed = paged::all(
            self.limit.clamp(1, 1_000),
            None,
            async |before, limit| store.list(&gateway, before, limit).await,
            |operation| operation.id,
        )
        .await;
        let now = base.clock.now();
        base.close().await;
        for operation in listed? {
            if self.json {
                out::line(&serde_json::to_string(&operation)?);
            } else {
                let outcome = operation
                    .outcome
                    .as_ref()
                    .map_or("running", Outcome::as_str);
                let took = words::duration(operation.took(now));
                out::line(&format!(
                    "{}  {}  {:<10} {:<10} {:<12} {took}",
                    operation.id,
                    operation.created_at,
                    operation.command.name(),
                    outcome,
                    operation.asked_by.name()
                ));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
