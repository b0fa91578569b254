//! `panel demo …`: plays the phone, where WhatsApp is a stand-in (`make demo WHATSAPP=stand-in`).

use std::process::ExitCode;
use std::time::Duration;

use adapter_gateway::http::{Trust, client};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use domain::gateway::{AccountId, GatewayId};
use domain::ports::GatewayControl as _;
use domain::scan::{Code, Picture};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use super::{gateway, out};
use crate::config::Config;
use crate::wire::{Base, Outside};

/// How long the gateway's socket and a code are waited for.
const LIMIT: Duration = Duration::from_secs(20);

#[derive(Subcommand)]
pub(super) enum Demo {
    /// Scan the code that the panel shows now, as a phone would.
    Scan(Scan),
    /// Remove the linked device on the phone: the gateway is logged out (401).
    LogOut(Which),
}

#[derive(Args)]
pub(super) struct Which {
    /// Which gateway [default: the only one].
    #[arg(long, value_name = "ID")]
    gateway: Option<GatewayId>,
}

#[derive(Args)]
pub(super) struct Scan {
    #[command(flatten)]
    which: Which,
    /// Which account shows the code.
    #[arg(long, value_name = "ID", default_value = "default")]
    account: AccountId,
    /// The number that the phone holds.
    #[arg(long, value_name = "NUMBER", default_value = "+15550100001")]
    number: String,
}

impl Demo {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        match self {
            Self::Scan(scan) => {
                let phone = Phone::of(config, scan.which.gateway.clone())?;
                scan.run(config, &phone).await?;
                out::line("Scanned. The page says when it is linked and connected.");
            }
            Self::LogOut(which) => {
                Phone::of(config, which.gateway)?
                    .tell("logout", json!({}))
                    .await?;
                out::line("The phone has removed the device. The page says so within seconds.");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The stand-in of one gateway.
struct Phone {
    gateway: GatewayId,
    control: Url,
}

impl Phone {
    fn of(config: &Config, named: Option<GatewayId>) -> anyhow::Result<Self> {
        let id = gateway::choose(config, named)?;
        let settings = config.gateways.iter().find(|gateway| gateway.id == id);
        match settings.and_then(|gateway| gateway.stand_in.clone()) {
            Some(control) => Ok(Self {
                gateway: id,
                control,
            }),
            None => bail!(
                "gateway `{id}` talks to the real WhatsApp, so only a real phone can do this; `make demo \
                 WHATSAPP=stand-in` starts one that does not"
            ),
        }
    }

    async fn tell(&self, what: &str, body: Value) -> anyhow::Result<()> {
        let address = self.control.join(what)?;
        let answer = client(&Trust::load(None)?)?
            .post(address)
            .body(body.to_string())
            .send()
            .await
            .context(
                "WhatsApp's stand-in does not answer; `make demo WHATSAPP=stand-in` starts it",
            )?;
        if answer.status().is_success() {
            return Ok(());
        }
        let said: Value =
            serde_json::from_slice(&answer.bytes().await.unwrap_or_default()).unwrap_or_default();
        let said = said["error"].as_str().unwrap_or("it does not say why");
        bail!("the phone could not do it: {said}")
    }
}

impl Scan {
    async fn run(&self, config: &Config, phone: &Phone) -> anyhow::Result<()> {
        let base = Base::open(config).await?;
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        let outside = Outside::build(config, &base, &tracker, &stop).await?;
        let shown = tokio::time::timeout(LIMIT, self.shown(&outside, &phone.gateway)).await;
        stop.cancel();
        tracker.close();
        let _in_time = tokio::time::timeout(super::LAST_WAIT, tracker.wait()).await;
        base.close().await;
        let Some(code) = shown.context("the gateway did not answer")?? else {
            bail!(
                "no code is shown for account `{}` now: press Link on the panel's page, and run this again when the \
                 code is there",
                self.account
            );
        };
        let Picture::Modules { link, .. } = code.picture() else {
            bail!("the code cannot be read");
        };
        let body = json!({ "qr": link.expose_secret(), "number": digits(&self.number) });
        phone.tell("scan", body).await
    }

    /// The code of the login that is going on. Nothing is started: the gateway tells a newer code than the one
    /// that is named, and this names none that ever was.
    async fn shown(&self, outside: &Outside, id: &GatewayId) -> anyhow::Result<Option<Code>> {
        let none = Code::new("data:image/png;base64,".into(), Picture::Image);
        let links = &outside.links;
        links.reach(id)?.link.ready(LIMIT).await?;
        let answer = links
            .await_login(id, &self.account, Some(&none), Duration::from_secs(1))
            .await?;
        Ok(answer.code)
    }
}

/// A number as WhatsApp names accounts: `+1 555 0100001` is `15550100001`. Under any other name the phone would link
/// a device that the gateway does not find again.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn a_number_is_its_digits() {
        assert_eq!(digits("+1 (555) 010-0001"), "15550100001");
    }
}
