//! The whole state folder, faked over the world.

use async_trait::async_trait;
use domain::fact::ContainerState;
use domain::fault::Fault;
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::ports::StateFolder;
use domain::survey::Survey;

use super::world::{Inner, World};

/// The folder moves only under a gateway that is stopped.
fn assert_stopped(inner: &Inner) {
    let runs = |state| state == ContainerState::Running;
    let runs = inner.boxes.iter().any(|found| runs(found.state));
    assert!(!runs, "the state folder was touched while the gateway ran");
}

#[async_trait]
impl StateFolder for World {
    async fn survey(&self, _: &GatewayId) -> Result<Survey, Fault> {
        self.call("survey", |inner, _| {
            let accounts = inner.accounts.iter().flatten();
            Ok(Survey {
                folder: "/home/node/.openclaw".to_owned(),
                volume: "volume openclaw_session_data".to_owned(),
                bytes: 250_000_000,
                config: true,
                links: accounts.map(|found| found.id.to_string()).collect(),
                devices: 2,
                agents: vec!["main".to_owned()],
                workspaces: vec!["workspace".to_owned()],
                plugins: vec!["@openclaw/whatsapp".to_owned()],
            })
        })
        .await
    }

    async fn set_aside(&self, _: &GatewayId, _: OperationId) -> Result<(), Fault> {
        self.call("wipe", |inner, _| {
            assert_stopped(inner);
            if inner.wiped.is_none() {
                inner.wiped = Some((inner.accounts.take(), inner.ails));
                inner.changed("wipe");
            }
            Ok(())
        })
        .await
    }

    async fn bring(&self, _: &GatewayId, _: OperationId) -> Result<(), Fault> {
        self.call("bring_config", |inner, _| {
            assert_stopped(inner);
            let Some((accounts, _)) = inner.wiped.clone() else {
                panic!("nothing was set aside");
            };
            inner.accounts = accounts;
            for found in inner.accounts.iter_mut().flatten() {
                found.linked = false;
                found.running = false;
                found.connected = false;
                found.phone = None;
                found.credential_age_ms = Some(0);
            }
            inner.changed("bring_config");
            Ok(())
        })
        .await
    }

    async fn put_back(&self, _: &GatewayId, _: OperationId) -> Result<(), Fault> {
        self.call("unwipe", |inner, _| {
            assert_stopped(inner);
            if let Some((accounts, ails)) = inner.wiped.take() {
                inner.accounts = accounts;
                inner.ails = ails;
                inner.login = None;
                inner.changed("unwipe");
            }
            Ok(())
        })
        .await
    }

    async fn clear(&self, _: &GatewayId, _: OperationId) -> Result<(), Fault> {
        self.call("clear_wiped", |inner, _| {
            if inner.wiped.take().is_some() {
                inner.changed("clear_wiped");
            }
            Ok(())
        })
        .await
    }
}
