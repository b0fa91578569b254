//! A socket between adapter and daemon, to take the daemon away without stopping it for others.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use crate::bench::{socket, unique};

/// The daemon, as seen through a socket of our own.
pub(crate) struct Proxy {
    pub(crate) path: PathBuf,
    running: Arc<Mutex<Option<JoinSet<()>>>>,
}

/// What the socket does with a connection.
#[derive(Clone, Copy)]
pub(crate) enum Mood {
    /// Passes it on to the daemon.
    Honest,
    /// Takes it and never answers.
    Mute,
    /// Answers with these bytes and hangs up.
    Says(&'static [u8]),
}

impl Proxy {
    pub(crate) fn new() -> Self {
        Self {
            path: std::env::temp_dir().join(format!("pt-{}.sock", unique().simple())),
            running: Arc::default(),
        }
    }

    /// Listens from now on.
    pub(crate) fn up(&self, mood: Mood) {
        self.down();
        let listener = UnixListener::bind(&self.path).unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // Ends, with all its connections, when the set is dropped.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, mood));
            }
        });
        *self.running.lock().unwrap() = Some(tasks);
    }

    /// Cuts every connection and is gone.
    pub(crate) fn down(&self) {
        drop(self.running.lock().unwrap().take());
        drop(std::fs::remove_file(&self.path));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.down();
    }
}

async fn serve(mut stream: UnixStream, mood: Mood) {
    match mood {
        Mood::Honest => {
            if let Ok(mut daemon) = UnixStream::connect(socket()).await {
                drop(tokio::io::copy_bidirectional(&mut stream, &mut daemon).await);
            }
        }
        Mood::Mute => std::future::pending().await,
        Mood::Says(bytes) => {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut asked = [0; 4096];
            drop(stream.read(&mut asked).await);
            drop(stream.write_all(bytes).await);
        }
    }
}
