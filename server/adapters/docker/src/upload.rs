//! Laying files into the container.

use bollard::query_parameters::UploadToContainerOptionsBuilder;
use bytes::Bytes;
use domain::fault::{Fault, FaultKind};

use crate::client::{Host, QUICK};
use crate::fault::docker;
use crate::inspect;

const DOING: &str = "laying files into the container";

/// Unpacks a tar archive into a folder of the running container, with the owners that it names by number.
/// (Docker's own `copyUIDGID` looks the container's user up on the host: “getent unable to find entry”.)
pub(crate) async fn upload(host: &Host, folder: &str, tar: Bytes) -> Result<(), Fault> {
    let found = host.inspect_current().await?;
    let running = found.filter(inspect::is_running).and_then(|found| found.id);
    let Some(id) = running else {
        return Err(docker(
            FaultKind::NotFound,
            "The gateway's container does not run, so nothing can be laid into it.",
        ));
    };
    let options = UploadToContainerOptionsBuilder::new().path(folder).build();
    host.call(QUICK, DOING, |client| async move {
        let body = bollard::body_full(tar);
        client.upload_to_container(&id, Some(options), body).await
    })
    .await
    .map_err(Fault::from)
}
