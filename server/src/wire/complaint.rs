//! Why one of the panel's little programs for the gateway's Node failed.

use adapter_docker::ExecOutput;
use domain::fault::{Boundary, Fault, FaultKind};

/// What the program wrote, unless it failed; `failed` says what it did not do. Node's complaint names the error; paths in
/// it are no secret.
pub(super) fn said(output: ExecOutput, failed: &str) -> Result<String, Fault> {
    if output.exit_code == 0 {
        return Ok(output.stdout);
    }
    let why = output
        .stderr
        .lines()
        .find(|line| line.starts_with("Error: "))
        .unwrap_or("it did not say why");
    let why = format!("{failed}: {why}.");
    Err(Fault::new(FaultKind::Refused, Boundary::Gateway, why))
}
