//! Taking files out of the container.

use std::io;

use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use bytes::Bytes;
use domain::fault::{Fault, FaultKind};
use futures::{Stream, StreamExt as _};

use crate::client::Host;
use crate::fault::docker;

pub(crate) async fn download(
    host: &Host,
    path: &str,
) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<>, Fault> {
    let found = host.inspect_current().await?;
    // What does not run keeps its files and volumes, too.
    let Some(id) = found.and_then(|found| found.id) else {
        return Err(docker(
            FaultKind::NotFound,
            "The gateway has no container, so nothing can be taken out of it.",
        ));
    };
    let client = host.docker().await?;
    let options = DownloadFromContainerOptionsBuilder::new()
        .path(path)
        .build();
    let parts = client.download_from_container(&id, Some(options));
    Ok(Box::pin(parts.map(|part| part.map_err(io::Error::other))))
}
