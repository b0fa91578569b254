//! The loops of an observer: one a fact, so that a hung probe blinds nothing but its own fact.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::fact::{ContainerState, FactKind, State};
use futures::StreamExt;
use rand::Rng;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::board::Board;
use crate::judge;
use crate::lease::look_for_lease;
use crate::senses::{ContainerNews, Senses};

/// How often resource use is shown anew.
const RESOURCES_EVERY: Duration = Duration::from_secs(5);

/// Time between looks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Process and accounts.
    pub probe: Duration,
    /// Public URL.
    pub edge: Duration,
    /// Container, besides Docker's own events.
    pub container: Duration,
    /// Compose folder.
    pub config: Duration,
}

/// Starts the observers of gateways.
pub struct Observers {
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// What the loops of one gateway share.
#[derive(Clone)]
struct Observer {
    board: Arc<Board>,
    senses: Arc<dyn Senses>,
    pace: Pace,
    /// Wakes every loop: something happened, look now. A loop that is just looking looks again afterwards.
    look: watch::Sender<()>,
    /// Wakes the stream of resource samples: another container may run.
    attach: Arc<Notify>,
}

impl Observers {
    /// Observers run in `tracker` until `stop`.
    pub fn new(tracker: TaskTracker, stop: CancellationToken) -> Self {
        Self { tracker, stop }
    }

    /// Begins to observe a gateway.
    pub fn observe(&self, board: Arc<Board>, senses: Arc<dyn Senses>, pace: Pace) {
        let observer = Observer {
            board,
            senses,
            pace,
            look: watch::Sender::new(()),
            attach: Arc::new(Notify::new()),
        };
        self.supervise("edge", observer.clone(), Observer::watch_edge);
        self.supervise("process", observer.clone(), Observer::watch_process);
        self.supervise("session", observer.clone(), Observer::watch_session);
        self.supervise("container", observer.clone(), Observer::watch_container);
        self.supervise("news", observer.clone(), Observer::watch_news);
        self.supervise("resources", observer.clone(), Observer::watch_resources);
        self.supervise("config", observer.clone(), Observer::watch_config);
        self.supervise("socket", observer.clone(), Observer::watch_socket);
        self.supervise("operations", observer, Observer::watch_operations);
    }

    /// Runs a loop for ever; a panic in it is logged and the loop begins anew.
    fn supervise<F>(
        &self,
        name: &'static str,
        observer: Observer,
        run: impl Fn(Observer) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        let inner = self.tracker.clone();
        self.tracker.spawn(async move {
            loop {
                let task = inner.spawn(run(observer.clone()));
                let abort = task.abort_handle();
                tokio::select! {
                    () = stop.cancelled() => return abort.abort(),
                    ended = task => {
                        let why = ended.err().map(|error| error.to_string()).unwrap_or_default();
                        tracing::error!(observer.loop_name = name, why, "An observer loop ended; it begins again in 5 seconds");
                    }
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_secs(5)) => {}
                }
            }
        });
    }
}

impl Observer {
    /// Waits for the next look: the pace with a tenth of jitter, or at once when something happened.
    async fn pause(&self, calls: &mut watch::Receiver<()>, pace: Duration) {
        let jitter = rand::rng().random_range(0.9..1.1);
        tokio::select! {
            () = tokio::time::sleep(pace.mul_f64(jitter)) => {}
            // Its sender is `self`. Calls come in flocks: one look answers them all.
            _ = calls.changed() => {
                tokio::time::sleep(Duration::from_millis(150)).await;
                calls.mark_unchanged();
            }
        }
    }

    /// Wakes every loop.
    fn call(&self) {
        self.look.send_replace(());
    }

    async fn watch_edge(self) {
        let mut calls = self.look.subscribe();
        loop {
            let seen = self.senses.edge().await;
            self.board.enter(FactKind::Edge, |all| &mut all.edge, seen);
            self.pause(&mut calls, self.pace.edge).await;
        }
    }

    async fn watch_process(self) {
        let mut calls = self.look.subscribe();
        loop {
            let seen = self.senses.process().await;
            let live = seen.detail.as_ref().is_some_and(|process| process.live);
            self.board
                .enter(FactKind::Process, |all| &mut all.process, seen);
            // While it does not answer, look more often: people wait for it.
            let pace = if live {
                self.pace.probe
            } else {
                self.pace.probe.min(Duration::from_secs(2))
            };
            self.pause(&mut calls, pace).await;
        }
    }

    async fn watch_session(self) {
        let mut calls = self.look.subscribe();
        loop {
            self.board.enter_accounts(self.senses.accounts().await);
            let well = self.board.observation().session.state == State::Ok;
            let pace = if well {
                self.pace.probe
            } else {
                self.pace.probe.min(Duration::from_secs(3))
            };
            self.pause(&mut calls, pace).await;
        }
    }

    async fn watch_container(self) {
        let mut calls = self.look.subscribe();
        loop {
            self.look_at_container().await;
            self.pause(&mut calls, self.pace.container).await;
        }
    }

    async fn look_at_container(&self) {
        let mut found = self.senses.container().await;
        if let Ok(Some(container)) = &mut found {
            self.carry_samples(container);
        }
        self.board.enter_container(found);
        look_for_lease(&self.board, &*self.senses).await;
    }

    /// Inspect knows no resource use: keep the last sample of the same container.
    fn carry_samples(&self, container: &mut domain::fact::Container) {
        let known = self.board.observation();
        if let Some(before) = known
            .container
            .detail
            .as_ref()
            .filter(|before| before.id == container.id)
            && container.state == ContainerState::Running
        {
            container.memory_bytes = before.memory_bytes;
            container.cpu_percent = before.cpu_percent;
        }
    }

    async fn watch_news(self) {
        let mut news = self.senses.news();
        while let Some(item) = news.next().await {
            match item {
                // Nobody listened before.
                ContainerNews::Connected => match self.senses.deaths().await {
                    Ok(told) => self.board.recall_deaths(&told),
                    Err(fault) => {
                        tracing::warn!(%fault, "What happened to the container before is not known");
                    }
                },
                // An `oom` is followed by its `die`.
                ContainerNews::Changed { action, at } => {
                    if action == "die" {
                        self.board.note_death(at);
                    }
                }
                ContainerNews::Lost(fault) => {
                    self.board.enter(
                        FactKind::Container,
                        |all| &mut all.container,
                        judge::blind(&fault),
                    );
                    continue;
                }
            }
            // First the container itself, so that a kill is on every page at once; then the others.
            self.look_at_container().await;
            self.call();
            self.attach.notify_waiters();
        }
    }

    async fn watch_resources(self) {
        loop {
            let mut samples = self.senses.resources();
            let mut shown: Option<tokio::time::Instant> = None;
            while let Some(Ok(sample)) = samples.next().await {
                // Docker sends one a second; nobody reads that fast, and every open page would move.
                if shown.is_some_and(|at| at.elapsed() < RESOURCES_EVERY) {
                    continue;
                }
                shown = Some(tokio::time::Instant::now());
                self.board.adjust(|all| {
                    if let Some(container) = all.container.detail.as_mut() {
                        container.memory_bytes = Some(sample.memory_bytes);
                        container.cpu_percent = sample.cpu_percent;
                    }
                });
            }
            tokio::select! {
                () = self.attach.notified() => {}
                () = tokio::time::sleep(Duration::from_secs(15)) => {}
            }
        }
    }

    async fn watch_config(self) {
        let mut calls = self.look.subscribe();
        loop {
            self.board.enter_config(self.senses.compare().await);
            self.pause(&mut calls, self.pace.config).await;
        }
    }

    async fn watch_socket(self) {
        loop {
            self.senses.socket_changed().await;
            self.call();
        }
    }

    /// What an operation changed is seen when it has ended, and not when its turn comes.
    async fn watch_operations(self) {
        let mut last = self.board.last_end();
        loop {
            last = Some(self.board.next_end(last).await);
            self.call();
        }
    }
}

#[cfg(test)]
mod tests;
