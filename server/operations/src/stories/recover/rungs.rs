//! The stories that are rungs, and what is special about each.

use domain::gateway::{AccountId, GatewayId};
use domain::operation::Command;

use super::super::reconnect::Reconnect;
use super::super::recreate::Recreate;
use super::super::relink::Relink;
use super::super::restart::Restart;
use super::super::start::Start;
use super::State;
use super::choose::Kind;
use super::climb::{Rung, Tried};

/// What a wait for a new process is made of.
const UNTIL_UP: &[&str] = &["await_live", "await_ready", "check_accounts"];

impl Rung for Start {
    const KIND: Kind = Kind::Start;
    const SETTLES: &'static str = "start";
    const STAYS: Option<&'static str> = Some("start");
    const SKIPPABLE: &'static [&'static str] = UNTIL_UP;
    fn command(gateway: GatewayId, _: AccountId) -> Command {
        Command::Start { gateway }
    }
    fn slot(state: &mut State) -> &mut Tried<Self> {
        &mut state.start
    }
}

impl Rung for Reconnect {
    const KIND: Kind = Kind::Reconnect;
    const SETTLES: &'static str = "start_account";
    const STAYS: Option<&'static str> = None;
    const SKIPPABLE: &'static [&'static str] = &["await_connect"];
    fn command(gateway: GatewayId, account: AccountId) -> Command {
        Command::Reconnect { gateway, account }
    }
    fn slot(state: &mut State) -> &mut Tried<Self> {
        &mut state.reconnect
    }
}

impl Rung for Restart {
    const KIND: Kind = Kind::Restart;
    const SETTLES: &'static str = "restart";
    const STAYS: Option<&'static str> = Some("restart");
    const SKIPPABLE: &'static [&'static str] = UNTIL_UP;
    fn command(gateway: GatewayId, _: AccountId) -> Command {
        Command::Restart { gateway }
    }
    fn slot(state: &mut State) -> &mut Tried<Self> {
        &mut state.restart
    }
}

impl Rung for Recreate {
    const KIND: Kind = Kind::Recreate;
    const SETTLES: &'static str = "check_accounts";
    const STAYS: Option<&'static str> = Some("remove_old");
    const SKIPPABLE: &'static [&'static str] = &["check_accounts"];
    fn command(gateway: GatewayId, _: AccountId) -> Command {
        Command::Recreate {
            gateway,
            seen: None,
        }
    }
    fn slot(state: &mut State) -> &mut Tried<Self> {
        &mut state.recreate
    }
    /// The look touches nothing; from there on a failure brings the old container back.
    fn ends(step: &str) -> bool {
        step != "look"
    }
}

impl Rung for Relink {
    const KIND: Kind = Kind::Relink;
    const SETTLES: &'static str = "show_code";
    const STAYS: Option<&'static str> = Some("connect");
    const SKIPPABLE: &'static [&'static str] = &[];
    fn command(gateway: GatewayId, account: AccountId) -> Command {
        Command::Relink { gateway, account }
    }
    fn slot(state: &mut State) -> &mut Tried<Self> {
        &mut state.relink
    }
}
