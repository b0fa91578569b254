//! One service.

use super::{Reading, healthcheck, networks, ports, resources};
use crate::error::ComposeError;
use crate::fields::{Field, Table};
use crate::model::{Condition, Dependency, ExtraHost, Logging, PullPolicy, RestartPolicy, Service};
use crate::shell_words;
use crate::yaml::Value;

/// Keys of compose that change a container in ways the panel does not carry out.
const REFUSED: &[(&str, &str)] = &[
    ("annotations", "remove it"),
    ("attach", "remove it"),
    ("blkio_config", "remove it"),
    ("cgroup", "remove it"),
    ("cgroup_parent", "remove it"),
    ("configs", "mount the files by `volumes`"),
    ("cpu_count", "use `cpus`"),
    ("cpu_percent", "use `cpus`"),
    ("cpu_period", "use `cpus`"),
    ("cpu_quota", "use `cpus`"),
    ("cpu_rt_period", "use `cpus`"),
    ("cpu_rt_runtime", "use `cpus`"),
    ("cpu_shares", "use `cpus`"),
    ("cpuset", "use `cpus`"),
    ("credential_spec", "remove it"),
    ("develop", "remove it"),
    ("device_cgroup_rules", "remove it"),
    ("devices", "remove it"),
    (
        "extends",
        "write the whole service here, or share a part by an anchor and `<<`",
    ),
    ("external_links", "use `networks`"),
    ("gpus", "remove it"),
    ("ipc", "remove it"),
    ("isolation", "remove it"),
    ("label_file", "write the labels under `labels`"),
    ("links", "use the name of the service as host name"),
    ("mac_address", "set it under `networks`"),
    ("mem_swappiness", "remove it"),
    ("models", "remove it"),
    ("oom_kill_disable", "remove it"),
    ("pid", "remove it"),
    ("post_start", "remove it"),
    ("pre_start", "remove it"),
    ("pre_stop", "remove it"),
    ("provider", "remove it"),
    ("pull_refresh_after", "remove it"),
    ("runtime", "remove it"),
    ("secrets", "pass the values by `environment` and `.env`"),
    ("storage_opt", "remove it"),
    ("use_api_socket", "remove it"),
    ("userns_mode", "remove it"),
    ("uts", "remove it"),
    ("volumes_from", "name the volumes under `volumes`"),
];

impl Reading<'_> {
    pub(super) fn service(&self, field: &Field<'_>) -> Result<Service, ComposeError> {
        let mut table = field.table()?;
        let mut service = Service::default();
        table.refuse(REFUSED)?;
        image(field, &mut table, &mut service)?;
        identity(&mut table, &mut service)?;
        process(&mut table, &mut service)?;
        self.environment(&mut table, &mut service)?;
        self.mounts(&mut table, &mut service)?;
        networks::of_service(&mut table, &mut service)?;
        network_details(&mut table, &mut service)?;
        resources::read(&mut table, &mut service)?;
        privileges(&mut table, &mut service)?;
        service.healthcheck = table.read("healthcheck", healthcheck::read)?;
        service.logging = table.read("logging", logging)?;
        table.finish()?;
        Ok(service)
    }
}

fn image(
    field: &Field<'_>,
    table: &mut Table<'_>,
    service: &mut Service,
) -> Result<(), ComposeError> {
    let build = table.take("build");
    service.has_build = build.is_some();
    match (table.text("image")?, build) {
        (Some(image), _) => service.image = image,
        (None, Some(build)) => {
            return Err(build.unsupported(
                "building without an `image`",
                "build the image beforehand and name it by `image`",
            ));
        }
        (None, None) => return Err(field.invalid("has no `image`; add one")),
    }
    service.platform = table.text("platform")?;
    service.pull_policy = table.or_default("pull_policy", |field| match field.text()? {
        "" => Ok(None),
        "always" => Ok(Some(PullPolicy::Always)),
        "missing" | "if_not_present" => Ok(Some(PullPolicy::Missing)),
        "never" => Ok(Some(PullPolicy::Never)),
        _ => Err(field.unsupported("another policy", "use `always`, `missing` or `never`")),
    })?;
    Ok(())
}

fn identity(table: &mut Table<'_>, service: &mut Service) -> Result<(), ComposeError> {
    service.container_name = table.read("container_name", container_name)?;
    service.hostname = table.text("hostname")?;
    service.domainname = table.text("domainname")?;
    service.labels = table.or_default("labels", Field::labels)?;
    service.profiles = table.or_default("profiles", Field::texts)?;
    service.depends_on = table
        .or_default("depends_on", depends_on)?
        .into_iter()
        .collect();
    Ok(())
}

fn process(table: &mut Table<'_>, service: &mut Service) -> Result<(), ComposeError> {
    service.command = table.or_default("command", command)?;
    service.entrypoint = table.or_default("entrypoint", command)?;
    service.user = table.text("user")?;
    service.group_add = table.or_default("group_add", |field| {
        field
            .list()?
            .iter()
            .map(|item| Ok(item.scalar()?.unwrap_or_default()))
            .collect()
    })?;
    service.working_dir = table.text("working_dir")?;
    service.init = table.read("init", Field::flag)?;
    service.restart = table.or_default("restart", restart)?;
    service.stdin_open = table.flag("stdin_open")?;
    service.tty = table.flag("tty")?;
    service.stop_grace_period = table.read("stop_grace_period", Field::duration)?;
    service.stop_signal = table.text("stop_signal")?;
    Ok(())
}

fn network_details(table: &mut Table<'_>, service: &mut Service) -> Result<(), ComposeError> {
    service.ports = table.or_default("ports", ports::published)?;
    service.expose = table.or_default("expose", ports::exposed)?;
    service.extra_hosts = table.or_default("extra_hosts", extra_hosts)?;
    service.dns = table.or_default("dns", Field::text_or_texts)?;
    service.dns_search = table.or_default("dns_search", Field::text_or_texts)?;
    service.dns_options = table.or_default("dns_opt", Field::texts)?;
    Ok(())
}

fn privileges(table: &mut Table<'_>, service: &mut Service) -> Result<(), ComposeError> {
    service.cap_add = table.or_default("cap_add", Field::texts)?;
    service.cap_drop = table.or_default("cap_drop", Field::texts)?;
    service.security_opt = table.or_default("security_opt", security_opt)?;
    service.sysctls = table.or_default("sysctls", Field::labels)?;
    service.read_only = table.flag("read_only")?;
    service.privileged = table.flag("privileged")?;
    Ok(())
}

fn container_name(field: &Field<'_>) -> Result<String, ComposeError> {
    let name = field.text()?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.len() > 1 && name.chars().all(allowed) && !name.starts_with(['_', '.', '-']) {
        return Ok(name.to_owned());
    }
    Err(field.invalid(
        "must have two or more letters, digits, `_`, `.` and `-`, and start with a letter or digit",
    ))
}

/// Nothing keeps the image's own; an empty text or list clears it.
fn command(field: &Field<'_>) -> Result<Option<Vec<String>>, ComposeError> {
    match &field.node.value {
        Value::Null => Ok(None),
        Value::Text(text) => shell_words::split(text)
            .map(Some)
            .map_err(|problem| field.invalid(format!("{problem}; write it as a list of words"))),
        _ => {
            let words: Result<_, _> = field
                .list()?
                .iter()
                .map(|item| item.text().map(str::to_owned))
                .collect();
            words.map(Some)
        }
    }
}

fn restart(field: &Field<'_>) -> Result<RestartPolicy, ComposeError> {
    let (name, most) = match field.text()?.split_once(':') {
        Some((name, most)) => (name, Some(most)),
        None => (field.text()?, None),
    };
    match (name, most.map(str::parse)) {
        ("" | "no", None) => Ok(RestartPolicy::No),
        ("always", None) => Ok(RestartPolicy::Always),
        ("unless-stopped", None) => Ok(RestartPolicy::UnlessStopped),
        ("on-failure", None) => Ok(RestartPolicy::OnFailure(None)),
        ("on-failure", Some(Ok(most))) => Ok(RestartPolicy::OnFailure(Some(most))),
        _ => Err(field
            .invalid("must be `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:5`")),
    }
}

fn depends_on(field: &Field<'_>) -> Result<Vec<(String, Dependency)>, ComposeError> {
    let plain = Dependency {
        condition: Condition::Started,
        restart: false,
        required: true,
    };
    if let Value::List(_) = field.node.value {
        return Ok(field
            .texts()?
            .into_iter()
            .map(|name| (name, plain))
            .collect());
    }
    let mut dependencies = Vec::new();
    for (name, field) in field.named()? {
        let mut table = field.table()?;
        let condition = table.read("condition", |field| match field.text()? {
            "service_started" => Ok(Condition::Started),
            "service_healthy" => Ok(Condition::Healthy),
            "service_completed_successfully" => Ok(Condition::CompletedSuccessfully),
            _ => Err(field.invalid(
                "must be `service_started`, `service_healthy` or `service_completed_successfully`",
            )),
        })?;
        let restart = table.flag("restart")?;
        let required = table.read("required", Field::flag)?.unwrap_or(true);
        table.finish()?;
        let condition = condition.unwrap_or(plain.condition);
        dependencies.push((
            name.to_owned(),
            Dependency {
                condition,
                restart,
                required,
            },
        ));
    }
    Ok(dependencies)
}

fn logging(field: &Field<'_>) -> Result<Logging, ComposeError> {
    let mut table = field.table()?;
    let logging = Logging {
        driver: table.text("driver")?,
        options: table.or_default("options", Field::options)?,
    };
    table.finish()?;
    Ok(logging)
}

/// `["name=address"]`, `["name:address"]` or `{name: address}`.
fn extra_hosts(field: &Field<'_>) -> Result<Vec<ExtraHost>, ComposeError> {
    let mut written: Vec<(Field<'_>, String, String)> = Vec::new();
    if let Value::List(_) = field.node.value {
        for item in field.list()? {
            let text = item.text()?;
            let Some((host, addresses)) = text.split_once('=').or_else(|| text.split_once(':'))
            else {
                return Err(item.invalid("must be a name and an address, as in `db=10.0.0.5`"));
            };
            let (host, addresses) = (host.to_owned(), addresses.to_owned());
            written.extend(
                addresses
                    .split(',')
                    .map(|one| (item.clone(), host.clone(), one.into())),
            );
        }
    } else {
        for (host, field) in field.named()? {
            for address in field.text_or_texts()? {
                written.push((field.clone(), host.to_owned(), address));
            }
        }
    }
    written
        .into_iter()
        .map(|(field, host, address)| {
            let bare = address
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'));
            let address = bare.map_or(address.clone(), str::to_owned);
            if host.is_empty() || host.contains([':', '=']) || address.is_empty() {
                return Err(field.invalid("must be a name and an address, as in `db=10.0.0.5`"));
            }
            Ok(ExtraHost { host, address })
        })
        .collect()
}

fn security_opt(field: &Field<'_>) -> Result<Vec<String>, ComposeError> {
    for item in field.list()? {
        let text = item.text()?;
        let (name, value) = text.split_once(['=', ':']).unwrap_or((text, ""));
        match (name, value) {
            ("no-new-privileges", _) | ("seccomp", "unconfined" | "builtin") => {}
            ("seccomp", _) => {
                return Err(item.unsupported("a seccomp profile of its own", "remove it"));
            }
            ("systempaths", _) => return Err(item.unsupported("`systempaths`", "remove it")),
            (_, "") => return Err(item.invalid("must be an option as in `apparmor=unconfined`")),
            _ => {}
        }
    }
    field.texts()
}
