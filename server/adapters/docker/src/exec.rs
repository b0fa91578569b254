//! Running a program inside the container.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use domain::fault::{Fault, FaultKind};
use futures::StreamExt;

use crate::client::{Host, QUICK};
use crate::fault::{Failed, docker};
use crate::inspect;

/// More than this of each stream is thrown away.
const MOST: usize = 1 << 20;
const DOING: &str = "running a program in the container";

/// How a program ended. Not scrubbed, so it does not print.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ExecOutput {
    /// 0 when it went well.
    pub exit_code: i64,
    /// What it wrote, up to a mebibyte.
    pub stdout: String,
    /// What it complained about, up to a mebibyte.
    pub stderr: String,
}

impl core::fmt::Debug for ExecOutput {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ExecOutput")
            .field("exit_code", &self.exit_code)
            .finish_non_exhaustive()
    }
}

/// What a program writes, while it does.
#[derive(Default)]
pub(crate) struct Written {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Written {
    pub(crate) fn take(&mut self, part: LogOutput) {
        let kept = if matches!(part, LogOutput::StdErr { .. }) {
            &mut self.stderr
        } else {
            &mut self.stdout
        };
        let room = MOST.saturating_sub(kept.len());
        kept.extend(part.into_bytes().iter().take(room));
    }

    pub(crate) fn output(self, exit_code: i64) -> ExecOutput {
        ExecOutput {
            exit_code,
            stdout: String::from_utf8_lossy(&self.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&self.stderr).into_owned(),
        }
    }
}

pub(crate) async fn exec(host: &Host, argv: &[&str], limit: Duration) -> Result<ExecOutput, Fault> {
    let found = host.inspect_current().await?;
    let running = found.filter(inspect::is_running).and_then(|found| found.id);
    let Some(id) = running else {
        return Err(docker(
            FaultKind::NotFound,
            "The gateway's container does not run, so nothing can be run inside it.",
        ));
    };
    let config = ExecConfig {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(argv.iter().map(|word| (*word).to_owned()).collect()),
        ..ExecConfig::default()
    };
    let exec = host
        .call(QUICK, DOING, |docker| async move {
            docker.create_exec(&id, config).await
        })
        .await?
        .id;
    let client = host.docker().await?;
    let reading = async {
        let started = client
            .start_exec(&exec, None)
            .await
            .map_err(|error| host.failed(error, DOING))?;
        let StartExecResults::Attached { mut output, input } = started else {
            return Ok::<_, Failed>(ExecOutput::default());
        };
        drop(input);
        let mut written = Written::default();
        while let Some(part) = output.next().await {
            written.take(part.map_err(|error| host.failed(error, DOING))?);
        }
        Ok(written.output(0))
    };
    let mut out = match tokio::time::timeout(limit, reading).await {
        Ok(read) => read.map_err(Fault::from)?,
        Err(_) => return Err(Failed::timed_out(limit, DOING).into()),
    };
    out.exit_code = exit_code(host, &exec).await?;
    Ok(out)
}

/// Docker knows the code a moment after the output has ended.
async fn exit_code(host: &Host, exec: &str) -> Result<i64, Fault> {
    for _ in 0..50 {
        let exec = exec.to_owned();
        let told = host
            .call(QUICK, DOING, |docker| async move {
                docker.inspect_exec(&exec).await
            })
            .await?;
        if told.running != Some(true)
            && let Some(code) = told.exit_code
        {
            return Ok(code);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(docker(
        FaultKind::Unexpected,
        "Docker does not say how the program in the container ended.",
    ))
}
