//! Ports, mounts, limits and rights, as Docker wants them.

use std::collections::HashMap;

use bollard::models::{
    HostConfig, HostConfigLogConfig, Mount, MountBindOptions, MountTmpfsOptions, MountType,
    MountVolumeOptions, PortBinding, ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};
use compose::{NetworkMode, Project, Service};
use domain::fault::Fault;

use super::{hash_map, signed};
use crate::project::{Read, invalid};

pub(super) fn host_config(read: &Read) -> Result<HostConfig, Fault> {
    let service = read.service();
    let (binds, mounts) = mounts(&read.project, service);
    let mut port_bindings = HashMap::new();
    for port in &service.ports {
        let binding = PortBinding {
            host_ip: port.host_ip.map(|ip| ip.to_string()),
            host_port: Some(
                port.host_port
                    .map(|port| port.to_string())
                    .unwrap_or_default(),
            ),
        };
        port_bindings
            .entry(format!("{}/{}", port.container_port, port.protocol))
            .or_insert_with(|| Some(Vec::new()))
            .get_or_insert_default()
            .push(binding);
    }
    let (restart, maximum) = match service.restart {
        compose::RestartPolicy::No => (RestartPolicyNameEnum::NO, None),
        compose::RestartPolicy::Always => (RestartPolicyNameEnum::ALWAYS, None),
        compose::RestartPolicy::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, None),
        compose::RestartPolicy::OnFailure(maximum) => {
            (RestartPolicyNameEnum::ON_FAILURE, maximum.map(i64::from))
        }
    };
    let filled = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    Ok(HostConfig {
        binds: (!binds.is_empty()).then_some(binds),
        mounts: (!mounts.is_empty()).then_some(mounts),
        port_bindings: Some(port_bindings),
        restart_policy: Some(RestartPolicy {
            name: Some(restart),
            maximum_retry_count: maximum,
        }),
        init: service.init,
        memory: service.memory_limit_bytes.map(signed),
        memory_reservation: service.memory_reservation_bytes.map(signed),
        memory_swap: service.memory_swap_bytes,
        nano_cpus: service.nano_cpus.map(signed),
        pids_limit: service.pids_limit,
        shm_size: service.shm_size_bytes.map(signed),
        oom_score_adj: service.oom_score_adj,
        cap_add: filled(&service.cap_add),
        cap_drop: filled(&service.cap_drop),
        security_opt: filled(&security(read)?),
        sysctls: (!service.sysctls.is_empty()).then(|| hash_map(&service.sysctls)),
        log_config: service.logging.as_ref().map(|logging| HostConfigLogConfig {
            typ: Some(logging.driver.clone().unwrap_or_default()),
            config: Some(hash_map(&logging.options)),
        }),
        extra_hosts: filled(
            &service
                .extra_hosts
                .iter()
                .map(ToString::to_string)
                .collect(),
        ),
        tmpfs: (!service.tmpfs.is_empty()).then(|| hash_map(&service.tmpfs)),
        readonly_rootfs: Some(service.read_only),
        privileged: Some(service.privileged),
        group_add: filled(&service.group_add),
        ulimits: (!service.ulimits.is_empty()).then(|| {
            let limits = service.ulimits.iter();
            limits
                .map(|(name, limit)| ResourcesUlimits {
                    name: Some(name.clone()),
                    soft: Some(limit.soft),
                    hard: Some(limit.hard),
                })
                .collect()
        }),
        dns: filled(&service.dns),
        dns_search: filled(&service.dns_search),
        dns_options: filled(&service.dns_options),
        ..HostConfig::default()
    })
}

/// Seccomp profiles are files here, and their text for the daemon.
fn security(read: &Read) -> Result<Vec<String>, Fault> {
    let mut options = Vec::new();
    for option in &read.service().security_opt {
        let profile = option
            .strip_prefix("seccomp=")
            .or_else(|| option.strip_prefix("seccomp:"));
        match profile {
            Some(file) if !matches!(file, "unconfined" | "builtin") && !file.starts_with('{') => {
                let path = read.project.folder.join(file);
                let text = std::fs::read_to_string(&path).map_err(|_| {
                    invalid(format!(
                        "The seccomp profile {} cannot be read.",
                        path.display()
                    ))
                })?;
                options.push(format!("seccomp={}", text.trim()));
            }
            _ => options.push(option.clone()),
        }
    }
    Ok(options)
}

fn mounts(project: &Project, service: &Service) -> (Vec<String>, Vec<Mount>) {
    let (mut binds, mut mounts) = (Vec::new(), Vec::new());
    for mount in &service.mounts {
        match mount {
            // Only this form makes a missing folder on every version of the Engine.
            compose::Mount::Bind {
                source,
                target,
                read_only,
                create_host_path: true,
            } => {
                let mode = if *read_only { "ro" } else { "rw" };
                binds.push(format!("{}:{target}:{mode}", source.display()));
            }
            compose::Mount::Bind {
                source,
                target,
                read_only,
                ..
            } => mounts.push(Mount {
                typ: Some(MountType::BIND),
                source: Some(source.display().to_string()),
                target: Some(target.clone()),
                read_only: Some(*read_only),
                bind_options: Some(MountBindOptions::default()),
                ..Mount::default()
            }),
            compose::Mount::Volume {
                name,
                target,
                read_only,
                no_copy,
            } => mounts.push(Mount {
                typ: Some(MountType::VOLUME),
                source: Some(project.volume_name(name)),
                target: Some(target.clone()),
                read_only: Some(*read_only),
                volume_options: Some(MountVolumeOptions {
                    no_copy: Some(*no_copy),
                    ..MountVolumeOptions::default()
                }),
                ..Mount::default()
            }),
            compose::Mount::Tmpfs {
                target,
                size_bytes,
                mode,
            } => mounts.push(Mount {
                typ: Some(MountType::TMPFS),
                target: Some(target.clone()),
                tmpfs_options: Some(MountTmpfsOptions {
                    size_bytes: size_bytes.map(signed),
                    mode: mode.map(i64::from),
                    options: None,
                }),
                ..Mount::default()
            }),
        }
    }
    (binds, mounts)
}

pub(super) fn network_mode(service: &Service, first: Option<&String>) -> Option<String> {
    match &service.network_mode {
        Some(NetworkMode::Host) => Some("host".to_owned()),
        Some(NetworkMode::None) => Some("none".to_owned()),
        Some(NetworkMode::Bridge) => Some("bridge".to_owned()),
        // Both are turned into a container's id before they are used.
        Some(NetworkMode::Service(name)) => Some(format!("service:{name}")),
        Some(NetworkMode::Container(name)) => Some(format!("container:{name}")),
        None => first.cloned(),
    }
}
