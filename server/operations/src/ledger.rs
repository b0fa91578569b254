//! Writing to the journal until it is written: a database that is away delays an operation, it does not
//! break it. Only a newer runner (fencing) ends the trying.

use std::sync::Arc;
use std::time::Duration;

use domain::operation::{Event, OperationId, Outcome, Recorded};
use domain::ports::{Fenced, Journal, StoreError};

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// One operation's journal, as its runner knows it.
pub(crate) struct Ledger {
    journal: Arc<dyn Journal>,
    id: OperationId,
    generation: i32,
    entries: Vec<Recorded>,
}

impl Ledger {
    pub(crate) fn new(journal: Arc<dyn Journal>, id: OperationId, generation: i32) -> Self {
        Self {
            journal,
            id,
            generation,
            entries: Vec::new(),
        }
    }

    /// What is known of the journal, oldest first, without gaps.
    pub(crate) fn entries(&self) -> &[Recorded] {
        &self.entries
    }

    fn known_to(&self) -> i64 {
        self.entries.last().map_or(0, |entry| entry.sequence)
    }

    /// Reads what others wrote since, once. [`Fenced`] when another runner took over.
    pub(crate) async fn peek(&mut self) -> Result<Result<(), Fenced>, StoreError> {
        let new = self.journal.events(self.id, self.known_to()).await?;
        self.entries.extend(new);
        let taken_over = self.entries.iter().any(|entry| {
            matches!(entry.event, Event::Adopted { generation } if generation > self.generation)
        });
        Ok(if taken_over { Err(Fenced) } else { Ok(()) })
    }

    /// Reads what others wrote since, until it worked.
    pub(crate) async fn sync(&mut self) -> Result<(), Fenced> {
        let mut pause = Pause::new(self.id);
        loop {
            match self.peek().await {
                Ok(done) => return done,
                Err(error) => pause.after(&error).await,
            }
        }
    }

    /// Appends an entry, until it is written.
    pub(crate) async fn append(&mut self, event: Event) -> Result<(), Fenced> {
        let mut pause = Pause::new(self.id);
        loop {
            let written = self.journal.append(self.id, self.generation, event.clone());
            match written.await {
                Ok(Ok(entry)) if entry.sequence == self.known_to() + 1 => {
                    self.entries.push(entry);
                    return Ok(());
                }
                // Somebody else (a wish to stop) wrote in between.
                Ok(Ok(_)) => return self.sync().await,
                Ok(Err(Fenced)) => return Err(Fenced),
                Err(error) => pause.after(&error).await,
            }
            // The answer may have been lost after the entry was written.
            let before = self.entries.len();
            self.sync().await?;
            if self.entries[before..]
                .iter()
                .any(|entry| entry.event == event)
            {
                return Ok(());
            }
        }
    }

    /// Writes the end, until it is written.
    pub(crate) async fn end(&mut self, outcome: &Outcome) -> Result<(), Fenced> {
        let mut pause = Pause::new(self.id);
        loop {
            let written = self.journal.end(self.id, self.generation, outcome.clone());
            match written.await {
                Ok(done) => return done,
                Err(error) => pause.after(&error).await,
            }
            self.sync().await?;
            let ended = |entry: &Recorded| matches!(entry.event, Event::Ended { .. });
            if self.entries.iter().any(ended) {
                return Ok(());
            }
        }
    }
}

/// Waits longer and longer; says so once.
struct Pause {
    id: OperationId,
    wait: Duration,
}

impl Pause {
    fn new(id: OperationId) -> Self {
        Self {
            id,
            wait: FIRST_WAIT,
        }
    }

    async fn after(&mut self, error: &StoreError) {
        if self.wait == FIRST_WAIT {
            tracing::warn!(
                operation.id = %self.id,
                error = error as &dyn core::error::Error,
                "The journal of operation `{}` cannot be written; trying until it can",
                self.id
            );
        }
        tokio::time::sleep(self.wait).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }
}
