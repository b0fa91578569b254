//! Writes transitions and samples down, in batches, and waits out a database that is away. When several
//! panels share a database, only the one that leads for a gateway writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::account_history::AccountChange;
use domain::fact::FactKind;
use domain::gateway::GatewayId;
use domain::history::{Sample, Transition};
use domain::ports::{Clock, History, StoreError};
use tokio::sync::{mpsc, watch};
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
    /// A change of an account.
    Account(AccountChange),
}

/// The one writer of history.
pub struct Keeper {
    history: Arc<dyn History>,
    clock: Arc<dyn Clock>,
    entries: mpsc::Receiver<Entry>,
    /// For which gateways this panel writes.
    leads: watch::Receiver<BTreeSet<GatewayId>>,
    /// Those of them that this writer has begun to write.
    led: BTreeSet<GatewayId>,
    /// What this panel saw last of the others: begun with when the lead comes.
    latest: BTreeMap<(GatewayId, FactKind), Transition>,
    transitions: Vec<Transition>,
    accounts: Vec<AccountChange>,
    samples: Vec<Sample>,
}

impl Keeper {
    /// The writer, for the gateways of which `leads` tells, and the queue that leads to it.
    pub fn new(
        history: Arc<dyn History>,
        clock: Arc<dyn Clock>,
        leads: watch::Receiver<BTreeSet<GatewayId>>,
    ) -> (Self, mpsc::Sender<Entry>) {
        let (sender, entries) = mpsc::channel(QUEUE);
        (
            Self {
                history,
                clock,
                entries,
                leads,
                led: BTreeSet::new(),
                latest: BTreeMap::new(),
                transitions: Vec::new(),
                accounts: Vec::new(),
                samples: Vec::new(),
            },
            sender,
        )
    }

    /// Runs until `stop`, then writes what is left.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut batch = tokio::time::interval(BATCH_EVERY);
        let mut roll_up = tokio::time::interval(ROLL_UP_EVERY);
        loop {
            tokio::select! {
                entry = self.entries.recv() => match entry {
                    Some(entry) => if self.enter(entry) {
                        self.write().await;
                    },
                    None => break,
                },
                Ok(()) = self.leads.changed() => {
                    self.follow_lead().await;
                    self.write().await;
                }
                _ = batch.tick() => {
                    self.follow_lead().await;
                    self.write().await;
                }
                _ = roll_up.tick() => {
                    if let Err(error) = self.history.roll_up(self.clock.now()).await {
                        tracing::warn!(error = &error as &dyn std::error::Error, "Samples could not be rolled up; the next try is in 5 minutes");
                    }
                }
                () = stop.cancelled() => break,
            }
        }
        while let Ok(entry) = self.entries.try_recv() {
            self.enter(entry);
        }
        self.write().await;
    }

    /// Takes an entry in; `true` when it should be written at once.
    fn enter(&mut self, entry: Entry) -> bool {
        match entry {
            Entry::Transition(transition) if self.led.contains(&transition.gateway) => {
                self.transitions.push(transition);
                return true;
            }
            Entry::Sample(sample) if self.led.contains(&sample.gateway) => {
                self.samples.push(sample);
            }
            Entry::Transition(transition) => {
                let key = (transition.gateway.clone(), transition.fact);
                self.latest.insert(key, transition);
            }
            Entry::Account(change) if self.led.contains(&change.gateway) => {
                self.accounts.push(change);
                return true;
            }
            // Another panel looks, too, and writes its own.
            Entry::Sample(_) | Entry::Account(_) => {}
        }
        false
    }

    /// Begins with the gateways that came, and leaves those that went to the panel that has them.
    async fn follow_lead(&mut self) {
        let leads = self.leads.borrow_and_update().clone();
        self.led.retain(|gateway| leads.contains(gateway));
        self.transitions.retain(|one| leads.contains(&one.gateway));
        self.accounts.retain(|one| leads.contains(&one.gateway));
        self.samples.retain(|one| leads.contains(&one.gateway));
        for gateway in leads {
            if self.led.contains(&gateway) {
                continue;
            }
            match self.take_over(&gateway).await {
                Ok(()) => drop(self.led.insert(gateway)),
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    gateway.id = %gateway,
                    "What was stored before could not be read; the next try is in 5 seconds"
                ),
            }
        }
    }

    /// What changed while nobody led, as far as it still holds: the last one of each fact.
    async fn take_over(&mut self, gateway: &GatewayId) -> Result<(), StoreError> {
        let stored = self.history.transitions(gateway, self.clock.now()).await?;
        let seen: Vec<Transition> = self
            .latest
            .extract_if(.., |(of, _), _| of == gateway)
            .map(|(_, transition)| transition)
            .collect();
        for mut transition in seen {
            let before = stored.iter().rfind(|one| one.fact == transition.fact);
            if before.is_none_or(|before| before.to != transition.to) {
                transition.from = before.map(|before| before.to);
                self.transitions.push(transition);
            }
        }
        self.transitions.sort_by_key(|transition| transition.at);
        Ok(())
    }

    /// Writes in order; what could not be written stays for the next time.
    async fn write(&mut self) {
        let Self {
            history,
            transitions,
            accounts,
            samples,
            ..
        } = self;
        while let Some(next) = transitions.first() {
            if let Err(error) = history.record_transition(next).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    waiting = transitions.len(),
                    "A transition could not be stored; it is kept for the next try"
                );
                return;
            }
            transitions.remove(0);
        }
        while let Some(next) = accounts.first() {
            if let Err(error) = history.record_account_change(next).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    waiting = accounts.len(),
                    "A change of an account could not be stored; it is kept for the next try"
                );
                return;
            }
            accounts.remove(0);
        }
        if samples.is_empty() {
            return;
        }
        match history.record_samples(samples).await {
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

#[cfg(test)]
mod tests;
