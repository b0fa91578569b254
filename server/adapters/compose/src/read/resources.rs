//! Limits of a service, from its own keys or from `deploy`.

use crate::error::ComposeError;
use crate::fields::{Field, Table};
use crate::model::{Service, Ulimit};
use crate::yaml::Value;

/// What `deploy` adds. Outside of a swarm compose applies only these.
#[derive(Default)]
struct Deploy {
    memory_limit: Option<u64>,
    memory_reservation: Option<u64>,
    nano_cpus: Option<u64>,
    pids_limit: Option<i64>,
}

pub(super) fn read(table: &mut Table<'_>, service: &mut Service) -> Result<(), ComposeError> {
    let deploy_field = table.take("deploy");
    let deploy = match &deploy_field {
        Some(field) if !field.is_null() => deploy(field)?,
        _ => Deploy::default(),
    };
    let memory_limit = table.read("mem_limit", Field::bytes)?;
    let memory_reservation = table.read("mem_reservation", Field::bytes)?;
    let nano_cpus = table.read("cpus", Field::nano_cpus)?;
    let pids_limit = table.read("pids_limit", Field::whole)?;
    let both = |key, own, deployed| one_of(deploy_field.as_ref(), key, own, deployed);
    service.memory_limit_bytes = both("mem_limit", memory_limit, deploy.memory_limit)?;
    service.memory_reservation_bytes = both(
        "mem_reservation",
        memory_reservation,
        deploy.memory_reservation,
    )?;
    service.nano_cpus = both("cpus", nano_cpus, deploy.nano_cpus)?;
    service.pids_limit = one_of(
        deploy_field.as_ref(),
        "pids_limit",
        pids_limit,
        deploy.pids_limit,
    )?;
    service.memory_swap_bytes = table
        .read("memswap_limit", swap)?
        .filter(|bytes| *bytes != 0);
    service.shm_size_bytes = table
        .read("shm_size", Field::bytes)?
        .filter(|bytes| *bytes != 0);
    service.oom_score_adj = table.read("oom_score_adj", |field| match field.whole()? {
        score @ -1000..=1000 => Ok(score),
        _ => Err(field.invalid("must be from -1000 to 1000")),
    })?;
    service.ulimits = table
        .or_default("ulimits", Field::named)?
        .into_iter()
        .map(|(name, field)| Ok((name.to_owned(), ulimit(&field)?)))
        .collect::<Result<_, ComposeError>>()?;
    table.read("scale", single)?;
    Ok(())
}

/// Zero is the same as no limit, so it counts as not written.
fn one_of<T: Copy + PartialEq + From<u8>>(
    deploy: Option<&Field<'_>>,
    key: &str,
    own: Option<T>,
    deployed: Option<T>,
) -> Result<Option<T>, ComposeError> {
    match (own, deployed, deploy) {
        (Some(own), Some(deployed), Some(field)) if own != deployed => Err(field.invalid(format!(
            "and `{key}` set different limits; keep one of them"
        ))),
        _ => Ok(own.or(deployed).filter(|limit| *limit != T::from(0))),
    }
}

fn swap(field: &Field<'_>) -> Result<i64, ComposeError> {
    match field.scalar()?.as_deref() {
        Some("-1") => Ok(-1),
        _ => i64::try_from(field.bytes()?).map_err(|_| field.invalid("is too large")),
    }
}

fn ulimit(field: &Field<'_>) -> Result<Ulimit, ComposeError> {
    let limit = |field: &Field<'_>| match field.whole()? {
        limit @ -1.. => Ok(limit),
        _ => Err(field.invalid("must be -1, for unlimited, or more")),
    };
    if !matches!(field.node.value, Value::Map(_)) {
        let limit = limit(field)?;
        return Ok(Ulimit {
            soft: limit,
            hard: limit,
        });
    }
    let mut table = field.table()?;
    let soft = table.read("soft", limit)?;
    let hard = table.read("hard", limit)?;
    table.finish()?;
    match (soft, hard) {
        (Some(soft), Some(hard)) => Ok(Ulimit { soft, hard }),
        _ => Err(field.invalid("needs both `soft` and `hard`")),
    }
}

/// The panel looks after one container of a service.
fn single(field: &Field<'_>) -> Result<(), ComposeError> {
    match field.whole()? {
        1 => Ok(()),
        _ => Err(field.unsupported(
            "more or less than one container",
            "write 1 or remove the key",
        )),
    }
}

fn deploy(field: &Field<'_>) -> Result<Deploy, ComposeError> {
    let mut table = field.table()?;
    let mut deploy = Deploy::default();
    table.read("replicas", single)?;
    table.read("mode", |mode| match mode.text()? {
        "" | "replicated" => Ok(()),
        _ => Err(mode.unsupported("a mode other than `replicated`", "remove the key")),
    })?;
    if let Some(resources) = table.take("resources") {
        let mut table = resources.table()?;
        if let Some(limits) = table.take("limits") {
            let mut table = limits.table()?;
            deploy.memory_limit = table.read("memory", Field::bytes)?;
            deploy.nano_cpus = table.read("cpus", Field::nano_cpus)?;
            deploy.pids_limit = table.read("pids", Field::whole)?;
            table.finish()?;
        }
        if let Some(reservations) = table.take("reservations") {
            let mut table = reservations.table()?;
            deploy.memory_reservation = table.read("memory", Field::bytes)?;
            table.refuse(&[
                ("cpus", "remove it; it has no effect outside of a swarm"),
                ("devices", "remove it"),
                ("generic_resources", "remove it"),
            ])?;
            table.finish()?;
        }
        table.finish()?;
    }
    table.refuse(&[
        ("restart_policy", "use `restart` of the service"),
        ("labels", "use `labels` of the service"),
        (
            "placement",
            "remove it; it has no effect outside of a swarm",
        ),
        (
            "update_config",
            "remove it; it has no effect outside of a swarm",
        ),
        (
            "rollback_config",
            "remove it; it has no effect outside of a swarm",
        ),
        (
            "endpoint_mode",
            "remove it; it has no effect outside of a swarm",
        ),
    ])?;
    table.finish()?;
    Ok(deploy)
}
