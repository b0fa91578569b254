//! `panel`: the web panel and its command line.

mod alerts;
mod audit;
mod cli;
mod config;
mod http;
mod key_file;
mod memory;
mod old_keys;
mod register;
mod report;
mod rounds;
mod serve;
mod set_up;
mod wire;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    memory::give_back();
    cli::run().await
}
