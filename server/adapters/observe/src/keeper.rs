//! Writes transitions and samples down, in batches, and waits out a database that is away.

use std::sync::Arc;
use std::time::Duration;

use domain::history::{Sample, Transition};
use domain::ports::{Clock, History};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many entries wait for a database that is away: at one probe a second this is an hour.
const QUEUE: usize = 4_096;
const BATCH_EVERY: Duration = Duration::from_secs(5);
const ROLL_UP_EVERY: Duration = Duration::from_secs(300);

/// Something to be stored.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A change of a fact.
    Transition(Transition),
    /// One look at a fact.
    Sample(Sample),
}

/// The one writer of history.
pub struct Keeper {
    history: Arc<dyn History>,
    clock: Arc<dyn Clock>,
    entries: mpsc::Receiver<Entry>,
}

impl Keeper {
    /// The writer and the queue that leads to it.
    pub fn new(history: Arc<dyn History>, clock: Arc<dyn Clock>) -> (Self, mpsc::Sender<Entry>) {
        let (sender, entries) = mpsc::channel(QUEUE);
        (
            Self {
                history,
                clock,
                entries,
            },
            sender,
        )
    }

    /// Runs until `stop`, then writes what is left.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut transitions: Vec<Transition> = Vec::new();
        let mut samples: Vec<Sample> = Vec::new();
        let mut batch = tokio::time::interval(BATCH_EVERY);
        let mut roll_up = tokio::time::interval(ROLL_UP_EVERY);
        loop {
            tokio::select! {
                entry = self.entries.recv() => match entry {
                    Some(Entry::Transition(transition)) => {
                        transitions.push(transition);
                        self.write(&mut transitions, &mut samples).await;
                    }
                    Some(Entry::Sample(sample)) => samples.push(sample),
                    None => break,
                },
                _ = batch.tick() => self.write(&mut transitions, &mut samples).await,
                _ = roll_up.tick() => {
                    if let Err(error) = self.history.roll_up(self.clock.now()).await {
                        tracing::warn!(error = &error as &dyn std::error::Error, "Samples could not be rolled up; the next try is in 5 minutes");
                    }
                }
                () = stop.cancelled() => break,
            }
        }
        while let Ok(entry) = self.entries.try_recv() {
            match entry {
                Entry::Transition(transition) => transitions.push(transition),
                Entry::Sample(sample) => samples.push(sample),
            }
        }
        self.write(&mut transitions, &mut samples).await;
    }

    /// Writes in order; what could not be written stays for the next time.
    async fn write(&self, transitions: &mut Vec<Transition>, samples: &mut Vec<Sample>) {
        while let Some(next) = transitions.first() {
            if let Err(error) = self.history.record_transition(next).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    waiting = transitions.len(),
                    "A transition could not be stored; it is kept for the next try"
                );
                return;
            }
            transitions.remove(0);
        }
        if samples.is_empty() {
            return;
        }
        match self.history.record_samples(samples).await {
            Ok(()) => samples.clear(),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    waiting = samples.len(),
                    "Samples could not be stored; they are kept for the next try"
                );
                let surplus = samples.len().saturating_sub(QUEUE);
                samples.drain(..surplus);
            }
        }
    }
}
