//! A gateway's log is read from Docker once, however many pages follow it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::gateway::GatewayId;
use domain::logs::{Level, LogLine};
use futures::StreamExt as _;
use futures::stream::{BoxStream, Stream};
use tokio::sync::broadcast::{self, error::RecvError};

/// Lines a slow reader may lag behind before some are skipped, and said to be.
const LAG: usize = 1_024;
/// A quiet log is looked after at this pace: whether anybody still reads.
const CHECK: Duration = Duration::from_secs(5);

type Readers = broadcast::Sender<Arc<LogLine>>;

/// The logs that are being followed.
#[derive(Clone, Default)]
pub(super) struct SharedLogs(Arc<Mutex<HashMap<GatewayId, Readers>>>);

impl SharedLogs {
    /// Follows a gateway's log; the first reader has `source` started, the last one ends it.
    pub(super) fn follow<S>(
        &self,
        gateway: &GatewayId,
        source: impl FnOnce() -> S,
    ) -> BoxStream<'static, LogLine>
    where
        S: Stream<Item = LogLine> + Send + 'static,
    {
        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = match logs.get(gateway) {
            Some(readers) => readers.subscribe(),
            None => {
                let (readers, lines) = broadcast::channel(LAG);
                logs.insert(gateway.clone(), readers.clone());
                tokio::spawn(
                    self.clone()
                        .pump(gateway.clone(), readers, source().boxed()),
                );
                lines
            }
        };
        reader(lines).boxed()
    }

    /// Whether nobody reads; then the log is forgotten while no new reader can come in between.
    fn left(&self, gateway: &GatewayId, readers: &Readers) -> bool {
        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = readers.receiver_count() == 0;
        if left {
            logs.remove(gateway);
        }
        left
    }

    async fn pump(
        self,
        gateway: GatewayId,
        readers: Readers,
        mut source: BoxStream<'static, LogLine>,
    ) {
        loop {
            tokio::select! {
                line = source.next() => match line {
                    // Nobody to send to is found out below.
                    Some(line) => drop(readers.send(Arc::new(line))),
                    None => {
                        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                        logs.remove(&gateway);
                        return;
                    }
                },
                () = tokio::time::sleep(CHECK) => {}
            }
            if self.left(&gateway, &readers) {
                return;
            }
        }
    }
}

fn reader(mut lines: broadcast::Receiver<Arc<LogLine>>) -> impl Stream<Item = LogLine> + Send {
    async_stream::stream! {
        loop {
            match lines.recv().await {
                Ok(line) => yield LogLine::clone(&line),
                Err(RecvError::Lagged(skipped)) => yield LogLine {
                    at: None,
                    level: Level::Warn,
                    text: format!("[panel] {skipped} lines were skipped here: they came faster than this page could take them. Load the page again to see them."),
                },
                Err(RecvError::Closed) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::mpsc;
    use tokio_stream::wrappers::UnboundedReceiverStream;

    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine {
            at: None,
            level: Level::Info,
            text: text.to_owned(),
        }
    }

    struct Docker {
        started: AtomicUsize,
        lines: Mutex<Option<mpsc::UnboundedSender<LogLine>>>,
    }

    impl Docker {
        fn source(&self) -> UnboundedReceiverStream<LogLine> {
            self.started.fetch_add(1, Ordering::SeqCst);
            let (sender, lines) = mpsc::unbounded_channel();
            *self.lines.lock().unwrap() = Some(sender);
            UnboundedReceiverStream::new(lines)
        }

        fn write(&self, text: &str) {
            let lines = self.lines.lock().unwrap();
            lines.as_ref().unwrap().send(line(text)).unwrap();
        }

        async fn is_left(&self) {
            let lines = self.lines.lock().unwrap().clone().unwrap();
            lines.closed().await;
        }
    }

    fn docker() -> Docker {
        Docker {
            started: AtomicUsize::new(0),
            lines: Mutex::default(),
        }
    }

    fn id() -> GatewayId {
        "openclaw".parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn two_readers_get_the_same_lines_from_one_reading() {
        let (logs, docker) = (SharedLogs::default(), docker());
        let mut one = logs.follow(&id(), || docker.source());
        let mut two = logs.follow(&id(), || docker.source());
        docker.write("up");
        assert_eq!(one.next().await.unwrap().text, "up");
        assert_eq!(two.next().await.unwrap().text, "up");
        assert_eq!(docker.started.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_reading_ends_with_its_last_reader_and_begins_again_with_the_next() {
        let (logs, docker) = (SharedLogs::default(), docker());
        drop(logs.follow(&id(), || docker.source()));
        docker.is_left().await;
        let mut again = logs.follow(&id(), || docker.source());
        docker.write("again");
        assert_eq!(again.next().await.unwrap().text, "again");
        assert_eq!(docker.started.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_told_how_many_lines_it_missed() {
        let (logs, docker) = (SharedLogs::default(), docker());
        let mut slow = logs.follow(&id(), || docker.source());
        let mut quick = logs.follow(&id(), || docker.source());
        for n in 0..LAG + 3 {
            docker.write(&n.to_string());
            quick.next().await.unwrap();
        }
        let told = slow.next().await.unwrap();
        assert!(told.text.contains("3 lines were skipped"), "{}", told.text);
        assert_eq!(slow.next().await.unwrap().text, "3");
    }
}
