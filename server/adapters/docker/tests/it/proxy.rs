//! A socket between adapter and daemon, to take the daemon away without stopping it for others.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::bench::{socket, unique};

/// The daemon, as seen through a socket of our own.
pub(crate) struct Proxy {
    pub(crate) path: PathBuf,
    running: Arc<Mutex<Option<JoinSet<()>>>>,
    frozen: watch::Sender<bool>,
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
            frozen: watch::Sender::new(false),
        }
    }

    /// Listens from now on.
    pub(crate) fn up(&self, mood: Mood) {
        self.down();
        let listener = UnixListener::bind(&self.path).unwrap();
        let frozen = self.frozen.subscribe();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // Ends, with all its connections, when the set is dropped.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, mood, frozen.clone()));
            }
        });
        *self.running.lock().unwrap() = Some(tasks);
    }

    /// From now on nothing passes, and nothing is cut either: a daemon that hangs.
    pub(crate) fn freeze(&self) {
        self.frozen.send_replace(true);
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

async fn serve(mut stream: UnixStream, mood: Mood, mut frozen: watch::Receiver<bool>) {
    match mood {
        Mood::Honest => {
            let mut daemon = UnixStream::connect(socket()).await.unwrap();
            tokio::select! {
                _ = async { frozen.wait_for(|frozen| *frozen).await.is_ok() } => std::future::pending().await,
                _ = tokio::io::copy_bidirectional(&mut stream, &mut daemon) => {}
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
