//! `panel`: the web panel and its command line.

mod cli;
mod config;
mod http;
mod serve;
mod wire;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run().await
}
