//! Docker, faked over the world.

use std::time::Duration;

use async_trait::async_trait;
use domain::compare::Comparison;
use domain::fact::{Container, ContainerState};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::logs::{Level, LogLine};
use domain::operation::OperationId;
use domain::ports::Containers;
use domain::time::Timestamp;

use super::world::{Box as FakeContainer, CANARY, Cure, Fate, Inner, NAME, World};

fn missing(id: &str) -> Fault {
    Fault::new(
        FaultKind::NotFound,
        Boundary::Docker,
        format!("no such container: {id}"),
    )
}

fn conflict(why: &str) -> Fault {
    Fault::new(FaultKind::Refused, Boundary::Docker, why)
}

fn start(inner: &mut Inner, id: &str, now: Timestamp) -> Result<(), Fault> {
    let other = inner
        .boxes
        .iter()
        .any(|found| found.state == ContainerState::Running && found.id != id);
    let found = inner.find(id).ok_or_else(|| missing(id))?;
    if found.state == ContainerState::Running {
        return Ok(());
    }
    if other {
        return Err(conflict("port is already allocated"));
    }
    found.state = ContainerState::Running;
    found.started_at = Some(now);
    found.exit_code = None;
    let new = found.operation.is_some();
    // A new process runs every account.
    inner.stopped.clear();
    inner.plugin.loaded = inner.plugin.installed;
    inner.cure(if new { Cure::Recreate } else { Cure::Restart });
    inner.changed("start");
    Ok(())
}

fn stop(inner: &mut Inner, id: &str, now: Timestamp) -> Result<(), Fault> {
    let found = inner.find(id).ok_or_else(|| missing(id))?;
    if !matches!(
        found.state,
        ContainerState::Running | ContainerState::Paused
    ) {
        return Ok(());
    }
    if found.fate == Fate::Stubborn {
        inner.kill(id, now);
    } else {
        found.state = ContainerState::Exited;
        found.exit_code = Some(0);
        found.finished_at = Some(now);
        found.suspended = false;
        inner.lease = None;
    }
    inner.changed("stop");
    Ok(())
}

#[async_trait]
impl Containers for World {
    async fn current(&self, gateway: &GatewayId) -> Result<Option<Container>, Fault> {
        self.find(gateway, NAME).await
    }

    async fn find(&self, _: &GatewayId, name_or_id: &str) -> Result<Option<Container>, Fault> {
        self.call("find", |inner, now| {
            let found = inner.find(name_or_id).cloned();
            Ok(found.map(|found| inner.inspect(&found, now)))
        })
        .await
    }

    async fn compare(&self, _: &GatewayId) -> Result<Comparison, Fault> {
        self.call("compare", |inner, _| Ok(inner.comparison.clone()))
            .await
    }

    async fn create(
        &self,
        _: &GatewayId,
        operation: OperationId,
        fingerprint: &str,
    ) -> Result<String, Fault> {
        self.call("create", |inner, _| {
            let ours = |found: &&FakeContainer| found.operation == Some(operation);
            if let Some(made) = inner.boxes.iter().find(ours) {
                return Ok(made.id.clone());
            }
            if inner.comparison.fingerprint != fingerprint {
                return Err(Fault::new(
                    FaultKind::Invalid,
                    Boundary::Compose,
                    "the folder changed",
                ));
            }
            if inner.find(NAME).is_some() {
                return Err(conflict("the name is taken"));
            }
            let id = inner.next_id();
            let hostname = if inner.comparison.fixed_hostname {
                "openclaw-gateway".to_owned()
            } else {
                id[..12].to_owned()
            };
            let new = FakeContainer {
                id: id.clone(),
                name: NAME.to_owned(),
                state: ContainerState::Created,
                started_at: None,
                finished_at: None,
                exit_code: None,
                operation: Some(operation),
                hostname,
                fate: inner.new_fate,
                suspended: false,
                has_state: inner.new_has_state,
                key: inner.key.reaches,
            };
            inner.add(new);
            inner.changed("create");
            Ok(id)
        })
        .await
    }

    async fn start(&self, _: &GatewayId, id: &str) -> Result<(), Fault> {
        self.call("start", |inner, now| start(inner, id, now)).await
    }

    async fn stop(&self, _: &GatewayId, id: &str, _: Duration) -> Result<(), Fault> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.call("stop", |inner, now| stop(inner, id, now)).await
    }

    async fn restart(&self, _: &GatewayId, id: &str, _: Duration) -> Result<(), Fault> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.call("restart", |inner, now| {
            stop(inner, id, now)?;
            start(inner, id, now)
        })
        .await
    }

    async fn rename(&self, _: &GatewayId, id: &str, name: &str) -> Result<(), Fault> {
        self.call("rename", |inner, _| {
            if inner.find(name).is_some_and(|found| found.id != id) {
                return Err(conflict("the name is taken"));
            }
            let found = inner.find(id).ok_or_else(|| missing(id))?;
            if found.name != name {
                name.clone_into(&mut found.name);
                inner.changed("rename");
            }
            Ok(())
        })
        .await
    }

    async fn remove(&self, _: &GatewayId, id: &str) -> Result<(), Fault> {
        self.call("remove", |inner, _| {
            let runs = |found: &FakeContainer| found.state == ContainerState::Running;
            if inner.find(id).is_some_and(|found| runs(found)) {
                return Err(conflict("it is running"));
            }
            let before = inner.boxes.len();
            inner.boxes.retain(|found| found.id != id);
            if inner.boxes.len() < before {
                inner.changed("remove");
            }
            Ok(())
        })
        .await
    }

    async fn logs(&self, _: &GatewayId, id: &str, _: u32) -> Result<Vec<LogLine>, Fault> {
        self.call("logs", |inner, now| {
            let found = inner.find(id).cloned().ok_or_else(|| missing(id))?;
            let seen = inner.inspect(&found, now);
            let mut texts = vec![format!("gateway key {CANARY}")];
            if seen.state == ContainerState::Restarting || seen.restart_count > 0 {
                let why = match found.fate {
                    Fate::Starved { .. } => "state lease heartbeat did not become ready",
                    _ => "Another Gateway owner lease is still active for this state directory",
                };
                texts.push(format!("Gateway failed to start: {why}"));
            }
            let line = |text| LogLine {
                at: Some(now),
                level: Level::Info,
                text,
            };
            Ok(texts.into_iter().map(line).collect())
        })
        .await
    }
}
