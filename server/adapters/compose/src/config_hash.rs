//! A fingerprint of what a container is created from.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::model::{
    Check, Healthcheck, Logging, Mount, NetworkMode, Project, RestartPolicy, Service,
    ServiceNetwork,
};

impl Project {
    /// SHA-256, in hex, over the service as it was read: the same for the same meaning, whatever
    /// the order, comments and variables in the file.
    ///
    /// It is taken over JSON with sorted keys that holds everything a container is created from,
    /// with the networks and volumes under Docker's names. Left out, as compose leaves them out,
    /// is what changes no container: `depends_on`, `profiles`, `pull_policy`, `build`. It is not
    /// the hash that docker compose computes, so its next `up` by hand recreates the container.
    pub fn config_hash(&self, service: &str) -> Option<String> {
        let normal = self.normal_form(self.services.get(service)?);
        Some(hex::encode(Sha256::digest(json!(normal).to_string())))
    }

    fn normal_form(&self, service: &Service) -> BTreeMap<&'static str, Value> {
        // Taken apart whole, so that a new field cannot be forgotten here.
        let Service {
            image,
            has_build: _,
            platform,
            pull_policy: _,
            container_name,
            hostname,
            domainname,
            init,
            restart,
            ports,
            expose,
            environment,
            environment_unset,
            mounts,
            tmpfs,
            networks,
            network_mode,
            memory_limit_bytes,
            memory_reservation_bytes,
            memory_swap_bytes,
            nano_cpus,
            pids_limit,
            shm_size_bytes,
            oom_score_adj,
            healthcheck,
            labels,
            command,
            entrypoint,
            user,
            group_add,
            working_dir,
            cap_add,
            cap_drop,
            security_opt,
            sysctls,
            logging,
            extra_hosts,
            read_only,
            privileged,
            stdin_open,
            tty,
            depends_on: _,
            stop_grace_period,
            stop_signal,
            ulimits,
            dns,
            dns_search,
            dns_options,
            profiles: _,
        } = service;
        BTreeMap::from([
            ("image", json!(image)),
            ("platform", json!(platform)),
            ("container_name", json!(container_name)),
            ("hostname", json!(hostname)),
            ("domainname", json!(domainname)),
            ("init", json!(init)),
            ("restart", json!(self::restart(*restart))),
            (
                "ports",
                json!(
                    ports
                        .iter()
                        .map(|port| json!([
                            port.host_ip.map(|ip| ip.to_string()),
                            port.host_port,
                            port.container_port,
                            port.protocol.to_string(),
                        ]))
                        .collect::<Vec<_>>()
                ),
            ),
            (
                "expose",
                json!(
                    expose
                        .iter()
                        .map(|port| format!("{}/{}", port.port, port.protocol))
                        .collect::<Vec<_>>()
                ),
            ),
            ("environment", json!(environment)),
            ("environment_unset", json!(environment_unset)),
            (
                "mounts",
                json!(
                    mounts
                        .iter()
                        .map(|mount| self.mount(mount))
                        .collect::<Vec<_>>()
                ),
            ),
            ("tmpfs", json!(tmpfs)),
            (
                "networks",
                json!(
                    networks
                        .iter()
                        .map(|network| self.joined(network))
                        .collect::<Vec<_>>()
                ),
            ),
            (
                "network_mode",
                json!(network_mode.as_ref().map(self::network_mode)),
            ),
            ("memory_limit_bytes", json!(memory_limit_bytes)),
            ("memory_reservation_bytes", json!(memory_reservation_bytes)),
            ("memory_swap_bytes", json!(memory_swap_bytes)),
            ("nano_cpus", json!(nano_cpus)),
            ("pids_limit", json!(pids_limit)),
            ("shm_size_bytes", json!(shm_size_bytes)),
            ("oom_score_adj", json!(oom_score_adj)),
            (
                "healthcheck",
                json!(healthcheck.as_ref().map(self::healthcheck)),
            ),
            ("labels", json!(labels)),
            ("command", json!(command)),
            ("entrypoint", json!(entrypoint)),
            ("user", json!(user)),
            ("group_add", json!(group_add)),
            ("working_dir", json!(working_dir)),
            ("cap_add", json!(cap_add)),
            ("cap_drop", json!(cap_drop)),
            ("security_opt", json!(security_opt)),
            ("sysctls", json!(sysctls)),
            (
                "logging",
                json!(
                    logging
                        .as_ref()
                        .map(|Logging { driver, options }| json!([driver, options]))
                ),
            ),
            (
                "extra_hosts",
                json!(
                    extra_hosts
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                ),
            ),
            ("read_only", json!(read_only)),
            ("privileged", json!(privileged)),
            ("stdin_open", json!(stdin_open)),
            ("tty", json!(tty)),
            ("stop_grace_period", json!(stop_grace_period.map(nanos))),
            ("stop_signal", json!(stop_signal)),
            (
                "ulimits",
                json!(
                    ulimits
                        .iter()
                        .map(|(name, limit)| (name, [limit.soft, limit.hard]))
                        .collect::<BTreeMap<_, _>>()
                ),
            ),
            ("dns", json!(dns)),
            ("dns_search", json!(dns_search)),
            ("dns_options", json!(dns_options)),
        ])
    }

    fn mount(&self, mount: &Mount) -> Value {
        match mount {
            Mount::Volume {
                name,
                target,
                read_only,
                no_copy,
            } => {
                json!(["volume", self.volume_name(name), target, read_only, no_copy])
            }
            Mount::Bind {
                source,
                target,
                read_only,
                create_host_path,
            } => {
                let source = source.display().to_string();
                json!(["bind", source, target, read_only, create_host_path])
            }
            Mount::Tmpfs {
                target,
                size_bytes,
                mode,
            } => json!(["tmpfs", target, size_bytes, mode]),
        }
    }

    fn joined(&self, network: &ServiceNetwork) -> Value {
        let ServiceNetwork {
            name,
            aliases,
            ipv4_address,
            ipv6_address,
            mac_address,
        } = network;
        json!([
            self.network_name(name),
            aliases,
            ipv4_address.map(|address| address.to_string()),
            ipv6_address.map(|address| address.to_string()),
            mac_address,
        ])
    }
}

fn restart(policy: RestartPolicy) -> String {
    match policy {
        RestartPolicy::No => "no".to_owned(),
        RestartPolicy::Always => "always".to_owned(),
        RestartPolicy::UnlessStopped => "unless-stopped".to_owned(),
        RestartPolicy::OnFailure(most) => format!("on-failure:{}", most.unwrap_or_default()),
    }
}

fn network_mode(mode: &NetworkMode) -> String {
    match mode {
        NetworkMode::Host => "host".to_owned(),
        NetworkMode::None => "none".to_owned(),
        NetworkMode::Bridge => "bridge".to_owned(),
        NetworkMode::Service(service) => format!("service:{service}"),
        NetworkMode::Container(container) => format!("container:{container}"),
    }
}

fn healthcheck(healthcheck: &Healthcheck) -> Value {
    let Healthcheck::Check(check) = healthcheck else {
        return json!("disabled");
    };
    let Check {
        test,
        interval,
        timeout,
        start_period,
        start_interval,
        retries,
    } = check;
    json!([
        test,
        interval.map(nanos),
        timeout.map(nanos),
        start_period.map(nanos),
        start_interval.map(nanos),
        retries,
    ])
}

fn nanos(duration: Duration) -> String {
    duration.as_nanos().to_string()
}
