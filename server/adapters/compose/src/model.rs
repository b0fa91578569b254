//! What a compose file says, after interpolation and in the words of the Docker Engine: absolute
//! paths, bytes, nanoseconds of CPU, one entry a published port.
//!
//! The reader refuses what has no place here, so whoever creates a container from a [`Service`]
//! and uses every field has left nothing out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

/// A compose file with everything it names.
#[derive(Clone, PartialEq, Eq)]
pub struct Project {
    /// `COMPOSE_PROJECT_NAME`, else `name:`, else the normalised name of the folder.
    pub name: String,
    /// The compose file that was read, absolute.
    pub file: PathBuf,
    /// The folder it lies in, absolute; relative paths start here.
    pub folder: PathBuf,
    /// Every service, also those behind a profile.
    pub services: BTreeMap<String, Service>,
    /// By the key used in the file, with `default` when a service relies on it.
    pub networks: BTreeMap<String, Network>,
    /// By the key used in the file.
    pub volumes: BTreeMap<String, Volume>,
    /// Each variable that the file interpolates or passes on, and where its value came from.
    pub env_names_used: BTreeMap<String, VariableUse>,
}

/// How a variable is used. Holds no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableUse {
    /// Where the value came from.
    pub source: VariableSource,
    /// The lines of the compose file that mention it, ascending.
    pub lines: BTreeSet<usize>,
}

/// Where the value of a variable came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableSource {
    /// The environment given by the caller, which wins over `.env`.
    Environment,
    /// The `.env` file beside the compose file.
    DotEnv,
    /// Nowhere: the default in the file, or nothing, took its place.
    Unset,
}

/// One service: what its container is created from.
///
/// Its `Debug` shows no value of `environment`, `labels`, `command`, `entrypoint` or the health
/// check, because secrets are interpolated into them.
#[derive(Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "compose has this many independent switches"
)]
pub struct Service {
    /// The image reference.
    pub image: String,
    /// `build:` stands beside `image:`. The panel never builds; without the image in the daemon
    /// the service cannot be created here.
    pub has_build: bool,
    /// `platform:`, as in `linux/amd64`.
    pub platform: Option<String>,
    /// When to pull.
    pub pull_policy: Option<PullPolicy>,
    /// A fixed container name instead of `<project>-<service>-1`.
    pub container_name: Option<String>,
    /// The fixed host name. Without one Docker uses the container id.
    pub hostname: Option<String>,
    /// The domain name.
    pub domainname: Option<String>,
    /// An init process as PID 1; `None` leaves it to the daemon.
    pub init: Option<bool>,
    /// What Docker does when the container ends.
    pub restart: RestartPolicy,
    /// Published ports, ranges expanded.
    pub ports: Vec<Port>,
    /// Ports exposed without being published, ranges expanded.
    pub expose: Vec<ExposedPort>,
    /// After `env_file`, interpolation and pass-through.
    pub environment: BTreeMap<String, String>,
    /// Names under `environment` without a value anywhere. Compose passes them to the Engine
    /// without `=`, which unsets what the image has.
    pub environment_unset: BTreeSet<String>,
    /// Volumes, bind mounts and tmpfs mounts from `volumes:`.
    pub mounts: Vec<Mount>,
    /// `tmpfs:`: the path in the container and its options (`""` for none).
    pub tmpfs: BTreeMap<String, String>,
    /// Networks to join, by descending priority, then by key. Empty when `network_mode` is set.
    pub networks: Vec<ServiceNetwork>,
    /// Replaces `networks`.
    pub network_mode: Option<NetworkMode>,
    /// `mem_limit` or `deploy.resources.limits.memory`.
    pub memory_limit_bytes: Option<u64>,
    /// `mem_reservation` or `deploy.resources.reservations.memory`.
    pub memory_reservation_bytes: Option<u64>,
    /// `memswap_limit`; -1 is unlimited.
    pub memory_swap_bytes: Option<i64>,
    /// `cpus` or `deploy.resources.limits.cpus`, in billionths of a CPU.
    pub nano_cpus: Option<u64>,
    /// `pids_limit` or `deploy.resources.limits.pids`; -1 is unlimited.
    pub pids_limit: Option<i64>,
    /// The size of `/dev/shm`.
    pub shm_size_bytes: Option<u64>,
    /// From -1000 to 1000.
    pub oom_score_adj: Option<i64>,
    /// `None` leaves the health check of the image alone.
    pub healthcheck: Option<Healthcheck>,
    /// The labels written in the file; [`Project::labels`] adds those of compose.
    pub labels: BTreeMap<String, String>,
    /// `None` is the image's own; an empty one clears it.
    pub command: Option<Vec<String>>,
    /// `None` is the image's own; an empty one clears it.
    pub entrypoint: Option<Vec<String>>,
    /// User and group, as in `1000:1000`.
    pub user: Option<String>,
    /// Further groups.
    pub group_add: Vec<String>,
    /// The working folder in the container.
    pub working_dir: Option<String>,
    /// Capabilities added.
    pub cap_add: Vec<String>,
    /// Capabilities dropped.
    pub cap_drop: Vec<String>,
    /// As in `no-new-privileges:true`.
    pub security_opt: Vec<String>,
    /// Kernel parameters.
    pub sysctls: BTreeMap<String, String>,
    /// The log driver.
    pub logging: Option<Logging>,
    /// Lines for `/etc/hosts`, in the file's order.
    pub extra_hosts: Vec<ExtraHost>,
    /// The root file system is read-only.
    pub read_only: bool,
    /// All privileges of the host.
    pub privileged: bool,
    /// Keeps standard input open.
    pub stdin_open: bool,
    /// Allocates a terminal.
    pub tty: bool,
    /// Services to start first.
    pub depends_on: BTreeMap<String, Dependency>,
    /// How long a stop waits before it kills; Docker's own default is ten seconds.
    pub stop_grace_period: Option<Duration>,
    /// The signal that asks it to stop.
    pub stop_signal: Option<String>,
    /// Limits by name.
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Name servers.
    pub dns: Vec<String>,
    /// Search domains.
    pub dns_search: Vec<String>,
    /// Resolver options.
    pub dns_options: Vec<String>,
    /// The service is part of the project only with one of these.
    pub profiles: Vec<String>,
}

/// What Docker does when the container ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Nothing.
    #[default]
    No,
    /// Starts it again, also after the daemon started.
    Always,
    /// Starts it again after a failure, at most so many times.
    OnFailure(Option<u32>),
    /// Like `Always`, but not after somebody stopped it.
    UnlessStopped,
}

/// When to pull the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullPolicy {
    /// Every time.
    Always,
    /// Only when it is not there, which is also the default.
    Missing,
    /// Never.
    Never,
}

/// One published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// `None` is every address of the host.
    pub host_ip: Option<IpAddr>,
    /// `None` lets Docker choose a free one.
    pub host_port: Option<u16>,
    /// The port in the container.
    pub container_port: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// One port exposed to other containers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExposedPort {
    /// The port in the container.
    pub port: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// The protocol of a port. `Display` writes it as Docker does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// The default.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// Something mounted into the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mount {
    /// A named volume.
    Volume {
        /// The key in [`Project::volumes`]; [`Project::volume_name`] is Docker's name.
        name: String,
        /// The absolute path in the container.
        target: String,
        /// Cannot be written to.
        read_only: bool,
        /// Does not copy what the image has at the target.
        no_copy: bool,
    },
    /// A file or folder of the host.
    Bind {
        /// Absolute.
        source: PathBuf,
        /// The absolute path in the container.
        target: String,
        /// Cannot be written to.
        read_only: bool,
        /// A missing source is made as an empty folder; otherwise it is an error.
        create_host_path: bool,
    },
    /// Memory.
    Tmpfs {
        /// The absolute path in the container.
        target: String,
        /// `None` is half of the host's memory.
        size_bytes: Option<u64>,
        /// File mode bits.
        mode: Option<u32>,
    },
}

/// One network that a service joins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceNetwork {
    /// The key in [`Project::networks`]; [`Project::network_name`] is Docker's name.
    pub name: String,
    /// The aliases written in the file. Compose itself adds the name of the service; so does
    /// [`Project::network_aliases`].
    pub aliases: Vec<String>,
    /// A fixed address.
    pub ipv4_address: Option<Ipv4Addr>,
    /// A fixed address.
    pub ipv6_address: Option<Ipv6Addr>,
    /// A fixed MAC address.
    pub mac_address: Option<String>,
}

/// A network other than those of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkMode {
    /// The network of the host.
    Host,
    /// No network.
    None,
    /// Docker's default bridge.
    Bridge,
    /// The network of another service's container.
    Service(String),
    /// The network of another container.
    Container(String),
}

/// The health check.
#[derive(Clone, PartialEq, Eq)]
pub enum Healthcheck {
    /// Also that of the image is off.
    Disabled,
    /// What differs from the image's.
    Check(Check),
}

/// The parts of a health check; what is absent comes from the image or Docker.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Check {
    /// In Docker's form: `["CMD", …]` or `["CMD-SHELL", …]`; `None` keeps the image's test.
    pub test: Option<Vec<String>>,
    /// Time between two checks.
    pub interval: Option<Duration>,
    /// Time one check may take.
    pub timeout: Option<Duration>,
    /// Failures in this time after the start do not count.
    pub start_period: Option<Duration>,
    /// Time between two checks in the start period.
    pub start_interval: Option<Duration>,
    /// Failures in a row that make it unhealthy.
    pub retries: Option<u32>,
}

/// The log driver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logging {
    /// `None` is the daemon's default.
    pub driver: Option<String>,
    /// Its options.
    pub options: BTreeMap<String, String>,
}

/// One line for `/etc/hosts`. `Display` writes `host:address`, as the Engine wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraHost {
    /// The name.
    pub host: String,
    /// An address, or `host-gateway`.
    pub address: String,
}

/// What to wait for in another service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The state to wait for.
    pub condition: Condition,
    /// Restart this service after compose updated the other one.
    pub restart: bool,
    /// When false, a missing one is only worth a warning.
    pub required: bool,
}

/// The state of another service to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It runs.
    Started,
    /// Its health check passes.
    Healthy,
    /// It ended with exit code 0.
    CompletedSuccessfully,
}

/// A limit; -1 is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ulimit {
    /// The soft limit.
    pub soft: i64,
    /// The hard limit.
    pub hard: i64,
}

/// A network of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Docker's name, resolved.
    pub name: String,
    /// Made by somebody else; never created here.
    pub external: bool,
    /// `None` is the daemon's default.
    pub driver: Option<String>,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// Has no way out.
    pub internal: bool,
    /// Other containers may join by hand.
    pub attachable: bool,
    /// IPv4 on or off.
    pub enable_ipv4: Option<bool>,
    /// IPv6 on or off.
    pub enable_ipv6: Option<bool>,
    /// Labels written in the file.
    pub labels: BTreeMap<String, String>,
    /// Address management.
    pub ipam: Option<Ipam>,
}

/// Address management of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ipam {
    /// `None` is the default driver.
    pub driver: Option<String>,
    /// Address pools.
    pub pools: Vec<IpamPool>,
    /// Options of the driver.
    pub options: BTreeMap<String, String>,
}

/// A pool of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpamPool {
    /// As in `172.30.0.0/16`.
    pub subnet: Option<String>,
    /// Containers get their addresses from here.
    pub ip_range: Option<String>,
    /// The gateway's address.
    pub gateway: Option<String>,
    /// Addresses in use by others.
    pub aux_addresses: BTreeMap<String, String>,
}

/// A named volume of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Docker's name, resolved.
    pub name: String,
    /// Made by somebody else; never created here.
    pub external: bool,
    /// `None` is `local`.
    pub driver: Option<String>,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// Labels written in the file.
    pub labels: BTreeMap<String, String>,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

impl fmt::Display for ExtraHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.address)
    }
}
