//! Running a program on the gateway's volumes while the gateway itself is stopped: in a container of its own, from the
//! gateway's image, as the gateway's user, without a network, that is gone afterwards.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, HostConfig, HostConfigLogConfig, Mount,
    MountType,
};
use bollard::query_parameters::{
    CreateContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    StartContainerOptions, WaitContainerOptions,
};
use domain::fault::{Fault, FaultKind};
use futures::StreamExt as _;

use crate::client::{Host, QUICK, SLOW};
use crate::exec::{ExecOutput, Written};
use crate::fault::{Failed, docker};
use crate::inspect;
use crate::names::PROJECT;

/// Marks such containers: the value is the name of the gateway's container, which no two have on one daemon.
const HELPER: &str = "panel.helper";
const DOING: &str = "running a program beside the gateway";
/// Where the program looks for its folder; nothing else of the gateway's environment is passed on.
const PASSED_ON: [&str; 3] = ["HOME", "OPENCLAW_HOME", "OPENCLAW_STATE_DIR"];

/// Runs `argv`; one that a killed panel left behind is removed first.
pub(crate) async fn beside(
    host: &Host,
    argv: &[&str],
    limit: Duration,
) -> Result<ExecOutput, Fault> {
    let Some(gateway) = host.inspect_current().await? else {
        return Err(docker(
            FaultKind::NotFound,
            "The gateway has no container, so its volumes are not known.",
        ));
    };
    if inspect::is_running(&gateway) {
        return Err(docker(
            FaultKind::Refused,
            "The gateway runs: its volumes must not be touched from beside.",
        ));
    }
    let name = inspect::name(&gateway);
    sweep(host, &name).await?;
    let done = run(host, &gateway, argv, limit).await;
    // Also after a timeout, when it still runs.
    let swept = sweep(host, &name).await;
    let output = done?;
    swept?;
    Ok(output)
}

async fn run(
    host: &Host,
    gateway: &ContainerInspectResponse,
    argv: &[&str],
    limit: Duration,
) -> Result<ExecOutput, Fault> {
    let body = body(gateway, argv);
    let name = format!("{}.panel-helper", inspect::name(gateway));
    let options = CreateContainerOptions {
        name: Some(name),
        ..CreateContainerOptions::default()
    };
    let id = host
        .call(SLOW, DOING, |docker| async move {
            docker.create_container(Some(options), body).await
        })
        .await?
        .id;
    let started = id.clone();
    host.call(SLOW, DOING, |docker| async move {
        docker
            .start_container(&started, None::<StartContainerOptions>)
            .await
    })
    .await?;
    let exit_code = ended(host, &id, limit).await?;
    let options = LogsOptionsBuilder::new().stdout(true).stderr(true).build();
    let read = host
        .call(SLOW, DOING, |docker| async move {
            let mut parts = docker.logs(&id, Some(options));
            let mut written = Written::default();
            while let Some(part) = parts.next().await {
                written.take(part?);
            }
            Ok(written)
        })
        .await?;
    Ok(read.output(exit_code))
}

/// Waits for its end; the exit code.
async fn ended(host: &Host, id: &str, limit: Duration) -> Result<i64, Fault> {
    let client = host.docker().await?;
    let mut waiting = client.wait_container(id, None::<WaitContainerOptions>);
    let answer = tokio::time::timeout(limit, waiting.next()).await;
    match answer {
        Err(_) => Err(Failed::timed_out(limit, DOING).into()),
        Ok(Some(Ok(answer))) => Ok(answer.status_code),
        // Another exit code than 0 is an error to the client.
        Ok(Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. }))) => Ok(code),
        Ok(Some(Err(error))) => Err(host.failed(error, DOING).into()),
        Ok(None) => Err(docker(
            FaultKind::Unexpected,
            "Docker did not say how the program beside the gateway ended.",
        )),
    }
}

/// As little as it needs, and no more rights than the gateway has.
fn body(gateway: &ContainerInspectResponse, argv: &[&str]) -> ContainerCreateBody {
    let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    let (config, own) = (gateway.config.as_ref(), gateway.host_config.as_ref());
    let environment = config.and_then(|config| config.env.as_ref());
    let environment = environment.map(|all| {
        let wanted = |line: &&String| {
            let name = line.split_once('=').map_or("", |(name, _)| name);
            PASSED_ON.contains(&name)
        };
        all.iter().filter(wanted).cloned().collect()
    });
    ContainerCreateBody {
        image: gateway.image.clone(),
        user: config.and_then(|config| config.user.clone()),
        env: environment,
        // Whatever the image would start with.
        entrypoint: words(argv.get(..1).unwrap_or_default()),
        cmd: words(argv.get(1..).unwrap_or_default()),
        labels: Some(HashMap::from([
            (HELPER.to_owned(), inspect::name(gateway)),
            // The image may carry the labels of a project.
            (PROJECT.to_owned(), String::new()),
        ])),
        network_disabled: Some(true),
        host_config: Some(HostConfig {
            mounts: Some(mounts(gateway)),
            network_mode: Some("none".to_owned()),
            cap_add: own.and_then(|own| own.cap_add.clone()),
            cap_drop: own.and_then(|own| own.cap_drop.clone()),
            security_opt: own.and_then(|own| own.security_opt.clone()),
            userns_mode: own.and_then(|own| own.userns_mode.clone()),
            group_add: own.and_then(|own| own.group_add.clone()),
            // Whatever the daemon's own default is: its output is read back.
            log_config: Some(HostConfigLogConfig {
                typ: Some("json-file".to_owned()),
                config: None,
            }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// The gateway's volumes and the host's folders. (Docker's own `VolumesFrom` fails on a container with a tmpfs among its
/// mounts: “get: no such volume”.)
fn mounts(gateway: &ContainerInspectResponse) -> Vec<Mount> {
    let mounts = gateway.mounts.iter().flatten();
    mounts
        .filter_map(|mount| {
            let (typ, source) = match mount.typ.as_deref()? {
                "volume" => (MountType::VOLUME, mount.name.clone()),
                "bind" => (MountType::BIND, mount.source.clone()),
                _ => return None,
            };
            Some(Mount {
                typ: Some(typ),
                source: Some(source?),
                target: mount.destination.clone(),
                read_only: mount.rw.map(|rw| !rw),
                ..Mount::default()
            })
        })
        .collect()
}

/// Removes what such runs left, never the volumes.
async fn sweep(host: &Host, gateway: &str) -> Result<(), Fault> {
    let left = host.labelled(&[(HELPER, gateway)]).await?;
    for id in left.into_iter().filter_map(|one| one.id) {
        let options = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(false)
            .build();
        let removed = host
            .call(QUICK, "removing the panel's helper", |docker| async move {
                docker.remove_container(&id, Some(options)).await
            })
            .await;
        match removed {
            Err(failed) if !failed.is_missing() => return Err(failed.into()),
            _ => {}
        }
    }
    Ok(())
}
