//! Ports, mounts, limits and rights.

use bollard::models::{HostConfig, Mount, MountType, RestartPolicyNameEnum};
use domain::words;

use super::{Collector, Side};

const DEFAULT_SHM_BYTES: i64 = 64 << 20;

pub(super) fn collect(side: &Side<'_>, to: &mut Collector) {
    let host = side.host;
    ports(host, to);
    restart(host, to);
    limits(host, to);
    let on = |flag: Option<bool>| flag.filter(|on| *on).map(|_| "on");
    to.asked("init process", on(host.init));
    to.asked("privileged", on(host.privileged));
    to.asked("read-only root file system", on(host.readonly_rootfs));
    let capability = |name: &str| {
        let name = name.to_ascii_uppercase();
        name.strip_prefix("CAP_").unwrap_or(&name).to_owned()
    };
    to.set("added capabilities", host.cap_add.as_ref(), capability);
    to.set("dropped capabilities", host.cap_drop.as_ref(), capability);
    to.set(
        "security options",
        host.security_opt.as_ref(),
        security_option,
    );
    to.set("extra hosts", host.extra_hosts.as_ref(), ToOwned::to_owned);
    to.set("further groups", host.group_add.as_ref(), ToOwned::to_owned);
    to.set("name servers", host.dns.as_ref(), ToOwned::to_owned);
    to.set(
        "search domains",
        host.dns_search.as_ref(),
        ToOwned::to_owned,
    );
    to.set(
        "resolver options",
        host.dns_options.as_ref(),
        ToOwned::to_owned,
    );
    for (name, value) in host.sysctls.iter().flatten() {
        to.asked(format!("kernel parameter {name}"), Some(value.as_str()));
    }
    for limit in host.ulimits.iter().flatten() {
        let name = limit.name.clone().unwrap_or_default();
        let (soft, hard) = (limit.soft.unwrap_or(-1), limit.hard.unwrap_or(-1));
        to.asked(format!("ulimit {name}"), Some(format!("{soft} to {hard}")));
    }
    logging(side, to);
}

fn ports(host: &HostConfig, to: &mut Collector) {
    for (port, bindings) in host.port_bindings.iter().flatten() {
        let mut places: Vec<String> = bindings
            .iter()
            .flatten()
            .map(|binding| {
                let ip = binding.host_ip.as_deref().filter(|ip| !ip.is_empty());
                let number = binding
                    .host_port
                    .as_deref()
                    .filter(|port| !matches!(*port, "" | "0"));
                let number = number.unwrap_or("a free port");
                match ip {
                    Some(ip) if ip.contains(':') => format!("[{ip}]:{number}"),
                    Some(ip) => format!("{ip}:{number}"),
                    None => format!("every address:{number}"),
                }
            })
            .collect();
        places.sort();
        places.dedup();
        to.asked(
            format!("port {port}"),
            (!places.is_empty()).then(|| places.join(", ")),
        );
    }
}

fn restart(host: &HostConfig, to: &mut Collector) {
    let policy = host.restart_policy.clone().unwrap_or_default();
    let retries = policy.maximum_retry_count.filter(|n| *n > 0);
    let text = match (policy.name, retries) {
        (None | Some(RestartPolicyNameEnum::EMPTY | RestartPolicyNameEnum::NO), _) => return,
        (Some(RestartPolicyNameEnum::ON_FAILURE), Some(most)) => format!("on-failure:{most}"),
        (Some(name), _) => name.to_string(),
    };
    to.asked("restart policy", Some(text));
}

fn limits(host: &HostConfig, to: &mut Collector) {
    let bytes = |count: i64| words::bytes(u64::try_from(count).unwrap_or(0));
    let set = |number: Option<i64>| number.filter(|n| *n > 0);
    let memory = set(host.memory);
    to.asked("memory limit", memory.map(exact_bytes));
    to.asked(
        "memory reservation",
        set(host.memory_reservation).map(exact_bytes),
    );
    // Docker fills in twice the memory, and -1 where the kernel cannot count swap.
    let twice = memory.map(|memory| memory.saturating_mul(2));
    if let Some(swap) = host.memory_swap.filter(|n| *n != 0 && Some(*n) != twice) {
        let text = if swap < 0 {
            "no limit".to_owned()
        } else {
            bytes(swap)
        };
        to.add("memory and swap limit", text, side_asked(swap));
    }
    to.asked(
        "CPU limit",
        set(host.nano_cpus).map(|nanos| {
            let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }),
    );
    to.asked("process limit", set(host.pids_limit).map(|n| n.to_string()));
    let shm = set(host.shm_size).filter(|n| *n != DEFAULT_SHM_BYTES);
    to.asked("shared memory", shm.map(exact_bytes));
    let score = host.oom_score_adj.filter(|n| *n != 0);
    to.asked("OOM score", score.map(|n| n.to_string()));
}

/// `-1` may be Docker's own doing; a number is somebody's.
fn side_asked(swap: i64) -> bool {
    swap > 0
}

/// Rounded for people, exact where rounding would hide a difference.
fn exact_bytes(count: i64) -> String {
    let count = u64::try_from(count).unwrap_or(0);
    if count.is_multiple_of(1 << 20) {
        words::bytes(count).replace(".0 ", " ")
    } else {
        format!("{count} B")
    }
}

/// `a:b` and `a=b` are the same; `no-new-privileges` alone means true.
fn security_option(option: &str) -> String {
    if option == "no-new-privileges" {
        return "no-new-privileges=true".to_owned();
    }
    match option.find([':', '=']) {
        Some(at) if &option[..at] == "seccomp" && option[at + 1..].starts_with('{') => {
            use sha2::{Digest, Sha256};
            let digest = hex::encode(Sha256::digest(&option[at + 1..]));
            format!("seccomp profile {}", &digest[..12])
        }
        Some(at) => format!("{}={}", &option[..at], &option[at + 1..]),
        None => option.to_owned(),
    }
}

/// The daemon fills in its own driver and options, so only the file can be known to ask for one.
fn logging(side: &Side<'_>, to: &mut Collector) {
    let Some(log) = &side.host.log_config else {
        return;
    };
    let asked = side.mounted.is_none();
    if let Some(driver) = log.typ.as_ref().filter(|driver| !driver.is_empty()) {
        to.add("log driver", driver.as_str(), asked);
    }
    for (name, value) in log.config.iter().flatten() {
        to.add_secret(format!("log option {name}"), value.as_str(), asked);
    }
}

pub(super) fn mounts(side: &Side<'_>, to: &mut Collector) {
    let host = side.host;
    for (path, options) in host.tmpfs.iter().flatten() {
        let mut options: Vec<&str> = options.split(',').filter(|word| !word.is_empty()).collect();
        options.sort_unstable();
        let text = if options.is_empty() {
            "memory".to_owned()
        } else {
            options.join(",")
        };
        to.asked(format!("tmpfs {path}"), Some(text));
    }
    for mount in host
        .mounts
        .iter()
        .flatten()
        .filter(|mount| mount.typ == Some(MountType::TMPFS))
    {
        let path = mount.target.clone().unwrap_or_default();
        to.asked(format!("tmpfs {path}"), Some(tmpfs(mount)));
    }
    let Some(mounted) = side.mounted else {
        asked_mounts(host, to);
        return;
    };
    for point in mounted {
        let path = point.destination.clone().unwrap_or_default();
        let source = point.source.clone().unwrap_or_default();
        let name = point.name.clone().unwrap_or_default();
        match point.typ.as_deref() {
            Some("volume") => {
                let anonymous = name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
                let own = anonymous
                    && side
                        .image
                        .is_none_or(|image| image.volumes.iter().flatten().any(|at| *at == path));
                to.add(
                    format!("mount {path}"),
                    access(format!("volume {name}"), point.rw == Some(false)),
                    !own,
                );
            }
            Some("bind") => {
                to.asked(
                    format!("mount {path}"),
                    Some(access(source, point.rw == Some(false))),
                );
            }
            _ => {}
        }
    }
}

fn asked_mounts(host: &HostConfig, to: &mut Collector) {
    for bind in host.binds.iter().flatten() {
        let mut parts = bind.split(':');
        let (source, path) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let read_only = parts
            .next()
            .is_some_and(|mode| mode.split(',').any(|word| word == "ro"));
        to.asked(
            format!("mount {path}"),
            Some(access(source.to_owned(), read_only)),
        );
    }
    for mount in host.mounts.iter().flatten() {
        let path = mount.target.clone().unwrap_or_default();
        let source = mount.source.clone().unwrap_or_default();
        let from = match mount.typ {
            Some(MountType::VOLUME) => format!("volume {source}"),
            Some(MountType::BIND) => source,
            _ => continue,
        };
        to.asked(
            format!("mount {path}"),
            Some(access(from, mount.read_only == Some(true))),
        );
    }
}

fn access(from: String, read_only: bool) -> String {
    if read_only {
        format!("{from}, read-only")
    } else {
        from
    }
}

fn tmpfs(mount: &Mount) -> String {
    let options = mount.tmpfs_options.clone().unwrap_or_default();
    let mut words = Vec::new();
    if let Some(mode) = options.mode.filter(|n| *n != 0) {
        words.push(format!("mode={mode:o}"));
    }
    if let Some(size) = options.size_bytes.filter(|n| *n > 0) {
        words.push(format!("size={size}"));
    }
    if words.is_empty() {
        "memory".to_owned()
    } else {
        words.join(",")
    }
}
