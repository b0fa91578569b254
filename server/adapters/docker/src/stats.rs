//! What the container uses.

use std::sync::Arc;
use std::time::Duration;

use bollard::models::{ContainerCpuStats, ContainerMemoryStats, ContainerStatsResponse};
use bollard::query_parameters::StatsOptions;
use domain::fault::Fault;
use domain::time::Timestamp;
use futures::channel::mpsc::Sender;
use futures::{SinkExt, Stream, StreamExt};

use crate::client::Host;
use crate::fault::Failed;
use crate::inspect;
use crate::stream::sending;

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatsSample {
    /// Memory in use, without the page cache that the kernel can take back.
    pub memory_bytes: u64,
    /// The limit, or the memory of the machine when there is none.
    pub memory_limit_bytes: Option<u64>,
    /// In percent of one core; `None` until Docker has two readings.
    pub cpu_percent: Option<f64>,
    /// When it was read.
    pub at: Timestamp,
}

/// Docker sends one a second; a busy machine is late, a hung daemon silent.
const SILENCE: Duration = Duration::from_secs(15);

pub(crate) fn stats(
    host: Result<Arc<Host>, Fault>,
) -> impl Stream<Item = Result<StatsSample, Fault>> + Send {
    sending(move |mut to| async move {
        let ended = match host {
            Ok(host) => sample(&host, &mut to).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = ended {
            let _reader_gone = to.send(Err(fault)).await;
        }
    })
}

async fn sample(host: &Host, to: &mut Sender<Result<StatsSample, Fault>>) -> Result<(), Fault> {
    let Some(found) = host.inspect_current().await? else {
        return Ok(());
    };
    let Some(id) = found.id.clone().filter(|_| inspect::is_running(&found)) else {
        return Ok(());
    };
    let options = StatsOptions {
        stream: true,
        one_shot: false,
    };
    let mut stats = host.docker().await?.stats(&id, Some(options));
    loop {
        match tokio::time::timeout(SILENCE, stats.next()).await {
            Err(_) => return Err(Failed::timed_out(SILENCE, "measuring the container").into()),
            Ok(None) => return Ok(()),
            Ok(Some(Err(error))) => {
                let failed = host.failed(error, "measuring the container");
                return if failed.is_missing() {
                    Ok(())
                } else {
                    Err(failed.into())
                };
            }
            // A container that has ended goes on being measured, with nothing in it.
            Ok(Some(Ok(measured))) => match read(&measured) {
                None => return Ok(()),
                Some(sample) => {
                    if to.send(Ok(sample)).await.is_err() {
                        return Ok(());
                    }
                }
            },
        }
    }
}

/// `None` when there was nothing to measure.
fn read(measured: &ContainerStatsResponse) -> Option<StatsSample> {
    let at = Timestamp::parse_rfc3339(measured.read.as_deref()?)?;
    let memory = measured.memory_stats.as_ref()?;
    Some(StatsSample {
        memory_bytes: without_cache(memory)?,
        memory_limit_bytes: memory.limit.filter(|limit| *limit > 0),
        cpu_percent: cpu_percent(measured.cpu_stats.as_ref(), measured.precpu_stats.as_ref()),
        at,
    })
}

/// As the docker CLI counts: `total_inactive_file` with control groups 1, `inactive_file` with 2.
fn without_cache(memory: &ContainerMemoryStats) -> Option<u64> {
    let usage = memory.usage?;
    let stats = memory.stats.as_ref();
    let inactive = stats.and_then(|stats| {
        stats
            .get("total_inactive_file")
            .or_else(|| stats.get("inactive_file"))
            .copied()
    });
    Some(usage.saturating_sub(inactive.filter(|cache| *cache < usage).unwrap_or(0)))
}

fn cpu_percent(now: Option<&ContainerCpuStats>, before: Option<&ContainerCpuStats>) -> Option<f64> {
    let (now, before) = (now?, before?);
    let total = |stats: &ContainerCpuStats| stats.cpu_usage.as_ref()?.total_usage;
    let machine = now
        .system_cpu_usage?
        .checked_sub(before.system_cpu_usage.filter(|n| *n > 0)?)?;
    let used = total(now)?.checked_sub(total(before)?)?;
    if machine == 0 {
        return None;
    }
    let listed = now
        .cpu_usage
        .as_ref()
        .and_then(|usage| usage.percpu_usage.as_ref())
        .map(Vec::len);
    let cores = now
        .online_cpus
        .filter(|n| *n > 0)
        .or_else(|| u32::try_from(listed?).ok())?;
    Some(ratio(used, machine) * f64::from(cores) * 100.0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "nanoseconds of a second lose nothing that shows"
)]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(json: &str) -> ContainerStatsResponse {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_sample_of_control_groups_1_counts_without_cache() {
        let sample = read(&measured(
            r#"{"read":"2026-11-22T21:04:36.5Z","preread":"2026-11-22T21:04:35.5Z",
            "cpu_stats":{"cpu_usage":{"total_usage":300000000,"percpu_usage":[1,2]},"system_cpu_usage":12000000000,"online_cpus":2},
            "precpu_stats":{"cpu_usage":{"total_usage":100000000},"system_cpu_usage":10000000000,"online_cpus":2},
            "memory_stats":{"usage":1000,"limit":4000,"stats":{"total_inactive_file":300,"inactive_file":200}}}"#,
        ))
        .unwrap();
        assert_eq!(
            (sample.memory_bytes, sample.memory_limit_bytes),
            (700, Some(4000))
        );
        assert!((sample.cpu_percent.unwrap() - 20.0).abs() < 0.001);
    }

    #[test]
    fn the_first_sample_has_no_cpu_and_group_2_has_its_own_word() {
        let sample = read(&measured(
            r#"{"read":"2026-11-22T21:04:36.5Z",
            "cpu_stats":{"cpu_usage":{"total_usage":300},"system_cpu_usage":12000,"online_cpus":2},
            "precpu_stats":{"cpu_usage":{"total_usage":0}},
            "memory_stats":{"usage":1000,"limit":4000,"stats":{"inactive_file":200}}}"#,
        ))
        .unwrap();
        assert_eq!((sample.memory_bytes, sample.cpu_percent), (800, None));
    }

    #[test]
    fn what_docker_sends_of_an_ended_container_is_no_sample() {
        let empty = measured(
            r#"{"read":"0001-01-01T00:00:00Z","preread":"0001-01-01T00:00:00Z","cpu_stats":{"cpu_usage":{"total_usage":0}},"memory_stats":{}}"#,
        );
        assert_eq!(read(&empty), None);
    }
}
