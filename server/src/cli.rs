//! The command line: everything the panel does, through the same engine, lock and audit.

mod audit;
mod backup;
mod code;
mod demo;
mod gateway;
mod operation;
pub(crate) mod out;
mod paged;
mod status;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, ProcessEnvironment};

/// What the last tasks get before a command ends without them.
const LAST_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

/// Looks after OpenClaw WhatsApp gateways.
#[derive(Parser)]
#[command(name = "panel", version, about, max_term_width = 100)]
struct Arguments {
    /// The configuration file [default: panel.toml, then /etc/openclaw-panel/panel.toml].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the web panel.
    Serve,
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// What the panel knows of a gateway, looked at now.
    Status(status::Status),
    /// Start and watch operations.
    #[command(subcommand)]
    Operation(operation::Operation),
    /// People who may sign in.
    #[command(subcommand)]
    User(user::User),
    /// The audit trail.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Backups: the key, what is kept, opening one.
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Play the phone, where WhatsApp is a stand-in.
    #[command(subcommand)]
    Demo(demo::Demo),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Check it and say what is wrong, all at once.
    Check,
}

/// Runs what was asked for; the exit code is 0 when it was done, 1 when not, 2 for wrong usage.
pub(crate) async fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match Config::load(arguments.config.as_deref(), &ProcessEnvironment) {
        Ok(config) => config,
        Err(error) => {
            out::error(&error.to_string());
            return ExitCode::FAILURE;
        }
    };
    let is_server = matches!(arguments.command, Command::Serve);
    begin_log(&config, is_server);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    // The TLS library wants one provider chosen for the process.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("A TLS provider was chosen before");
    }
    let done = match arguments.command {
        Command::Serve => crate::serve::serve(config)
            .await
            .map(|()| ExitCode::SUCCESS),
        Command::Config(ConfigCommand::Check) if !config.warnings.is_empty() => {
            out::error("the panel would run, but:");
            for warning in &config.warnings {
                out::error(warning);
            }
            Ok(ExitCode::FAILURE)
        }
        Command::Config(ConfigCommand::Check) => {
            out::line(&format!(
                "The configuration is fine: {} gateway(s).",
                config.gateways.len()
            ));
            Ok(ExitCode::SUCCESS)
        }
        Command::Status(command) => command.run(&config).await,
        Command::Operation(command) => command.run(&config).await,
        Command::User(command) => command.run(&config).await,
        Command::Audit(command) => command.run(&config).await,
        Command::Backup(command) => command.run(&config).await,
        Command::Demo(command) => command.run(&config).await,
    };
    done.unwrap_or_else(|error| {
        out::error(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

/// The server logs as configured; a command only what is wrong, so that its output stays readable.
fn begin_log(config: &Config, is_server: bool) {
    let filter = if is_server {
        config.log.as_str()
    } else {
        "error"
    };
    let mut filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // At `debug` bollard logs whole requests, the environment of a container included.
    if let Ok(quiet) = "bollard=info".parse() {
        filter = filter.add_directive(quiet);
    }
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
}
