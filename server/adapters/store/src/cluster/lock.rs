//! Locks between processes, as files. The kernel frees them however their holder ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::error::{ClusterError, file};

/// Long enough for a start with recovery after a crash.
const PATIENCE: Duration = Duration::from_secs(150);
const PAUSE: Duration = Duration::from_millis(25);

/// Waits for the lock; it is free again when the file is dropped.
pub(super) async fn exclusive(path: &Path) -> Result<File, ClusterError> {
    let handle = open(path)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match handle.try_lock() {
            Ok(()) => return Ok(handle),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(TryLockError::WouldBlock) => {
                let folder = path.parent().unwrap_or(path).to_owned();
                return Err(ClusterError::Locked { folder });
            }
            Err(TryLockError::Error(source)) => return Err(file("locking", path)(source)),
        }
    }
}

/// Never waits long: it is held exclusively only for a moment by [`is_free`], under the start lock.
pub(super) fn shared(path: &Path) -> Result<File, ClusterError> {
    let handle = open(path)?;
    handle.lock_shared().map_err(file("locking", path))?;
    Ok(handle)
}

/// Whether nobody holds it, shared or not.
pub(super) fn is_free(path: &Path) -> Result<bool, ClusterError> {
    match open(path)?.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(file("locking", path)(source)),
    }
}

fn open(path: &Path) -> Result<File, ClusterError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(file("opening", path))
}
