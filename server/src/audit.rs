//! What keeps the audit trail honest: checkpoints that are signed and leave the house, and checks of the whole chain,
//! by themselves and when somebody asks.

mod archive;
mod deliver;
mod file;
mod key;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapter_store::{Archives, CheckWhen, Store, Way};
use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use domain::audit::{
    Archive, AuditOutcome, Check, Checkpoint, Doubt, Flaw, NewAuditEvent, PublicKey, act,
};
use domain::can::Permit;
use domain::person::Actor;
use domain::ports::{AuditChain, AuditTrail as _, ChainStanding, Clock, StoreError, Verified};
use domain::report::Month;
use domain::time::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::archive::Folder;
pub(crate) use self::archive::LastLine;
use self::deliver::Deliveries;
use self::file::CheckpointFile;
use self::key::AuditKey;
use crate::config::Config;
use crate::rounds::Rounds;
use crate::wire::Base;

/// How often it is looked whether something is due.
const EVERY: Duration = Duration::from_secs(300);
/// How often a checkpoint is made, if there are events to make it of.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(3_600);
/// How often the whole chain is checked.
const CHECK_EVERY: Duration = Duration::from_secs(6 * 3_600);
/// How long somebody who asked for a check waits for it.
const PATIENCE: Duration = Duration::from_secs(15);

/// Makes checkpoints, sends them away, and checks the chain. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Custodian {
    store: Store,
    clock: Arc<dyn Clock>,
    key: Arc<AuditKey>,
    /// Whose signature counts; everybody's when there are none.
    trusted: Arc<[PublicKey]>,
    file: Arc<CheckpointFile>,
    deliveries: Arc<Deliveries>,
    folder: Arc<Folder>,
    tracker: TaskTracker,
    /// Since when a check runs that somebody asked for.
    checking_since: Arc<Mutex<Option<Timestamp>>>,
}

impl Custodian {
    /// With its key, which is made when there is none.
    pub(crate) fn open(
        config: &Config,
        base: &Base,
        tracker: &TaskTracker,
    ) -> anyhow::Result<Self> {
        let folder = &config.data_dir;
        let key = AuditKey::load_or_create(folder)
            .context("the key that signs checkpoints of the audit trail cannot be used")?;
        let trusted = &config.audit.checkpoint_keys;
        ensure!(
            trusted.is_empty() || trusted.contains(&key.public()),
            "audit.checkpoint_keys does not name this panel's own key: add {}, or bring back the key that it had",
            key.public()
        );
        Ok(Self {
            store: base.store.clone(),
            clock: base.clock.clone(),
            key: Arc::new(key),
            trusted: trusted.as_slice().into(),
            file: Arc::new(CheckpointFile::within(folder)),
            deliveries: Arc::new(Deliveries::new(config)?),
            folder: Arc::new(Folder::new(config)),
            tracker: tracker.clone(),
            checking_since: Arc::default(),
        })
    }

    /// Until `stop`: a checkpoint each hour, a check every six hours, whatever has not left the house, and what is old
    /// enough to be archived.
    pub(crate) async fn run(self, stop: CancellationToken) {
        tracing::info!(
            audit.key = %self.key.public(),
            "Checkpoints of the audit trail are signed with the key {}",
            self.key.public()
        );
        let mut rounds = Rounds::every(EVERY, stop.clone());
        while rounds.next().await {
            tokio::select! {
                // A check that is cut short is done anew after the next start.
                () = stop.cancelled() => return,
                () = self.round() => {}
            }
        }
    }

    async fn round(&self) {
        let rounds = [
            // First, so that a checkpoint which leaves the house knows of it.
            (
                "Old events of the audit trail could not be archived",
                self.archive_if_due().await,
            ),
            (
                "A checkpoint of the audit trail could not be made",
                self.checkpoint(CHECKPOINT_EVERY).await.map(drop),
            ),
            (
                "Checkpoints of the audit trail could not be sent away",
                self.deliver().await,
            ),
            (
                "The audit trail could not be checked",
                self.check_if_due().await,
            ),
        ];
        for (what, done) in rounds {
            if let Err(error) = done {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    "{what}; tried again in {} s",
                    EVERY.as_secs()
                );
            }
        }
    }

    /// A signed checkpoint of the last event, in the database, in the file and in the log; `None` when the last one is
    /// younger than `every` or knows that event.
    pub(crate) async fn checkpoint(&self, every: Duration) -> anyhow::Result<Option<Checkpoint>> {
        let key = Arc::clone(&self.key);
        let sign = move |head, at| key.sign(head, at);
        let Some(made) = self.store.make_checkpoint(every, sign).await? else {
            return Ok(None);
        };
        self.keep(made.clone()).await?;
        Ok(Some(made))
    }

    /// In the file and in the log.
    async fn keep(&self, made: Checkpoint) -> anyhow::Result<()> {
        let (file, line) = (Arc::clone(&self.file), made.clone());
        tokio::task::spawn_blocking(move || file.append(&line))
            .await?
            .context("the file with the checkpoints of the audit trail cannot be written")?;
        tracing::info!(
            audit.sequence = made.sequence,
            audit.hash = %made.hash,
            audit.signature = %made.signature,
            "Checkpoint of the audit trail: {}",
            serde_json::to_string(&made)?
        );
        Ok(())
    }

    async fn check_if_due(&self) -> anyhow::Result<()> {
        let last = self.store.last_audit_check().await?;
        let now = self.clock.now();
        if last.is_some_and(|last| now.since(last.at) < CHECK_EVERY) {
            return Ok(());
        }
        let check = self.check(CheckWhen::Due(CHECK_EVERY), &[]).await?;
        // A check that finds nothing is no event; one that does is, so that managers are told.
        if let Some(check) = check.filter(|check| !check.is_whole()) {
            self.note_check(&check, Actor::Panel).await;
        }
        Ok(())
    }

    /// Checks the whole chain, also against checkpoints that were `brought` from elsewhere, and keeps the result; `None`
    /// when another panel is at it.
    async fn check(
        &self,
        when: CheckWhen,
        brought: &[Checkpoint],
    ) -> anyhow::Result<Option<Check>> {
        let file = Arc::clone(&self.file);
        // Checkpoints first: one that is made meanwhile may know more than the check sees.
        let (mut checkpoints, mut flaws) = tokio::task::spawn_blocking(move || file.read())
            .await?
            .context("the file with the checkpoints of the audit trail cannot be read")?;
        let stored = self.store.checkpoints(0).await?.into_iter();
        let stored = stored.map(|stored| stored.checkpoint);
        for other in stored.chain(brought.iter().cloned()) {
            if !checkpoints.contains(&other) {
                checkpoints.push(other);
            }
        }
        checkpoints.retain(|checkpoint| {
            let (sequence, at) = (checkpoint.sequence, checkpoint.at);
            if !key::is_signed(checkpoint) {
                flaws.push(Flaw::Signature { sequence, at });
                return false;
            }
            let is_ours = self.trusted.is_empty() || self.trusted.contains(&checkpoint.key);
            if !is_ours {
                flaws.push(Flaw::Key { sequence, at });
            }
            is_ours
        });
        let own = self.clone();
        let signed = move |end: &Checkpoint| own.signed(end);
        let checked = self.store.check_audit(when, checkpoints, flaws, signed);
        let check = checked.await?;
        if let Some(check) = &check {
            tell(check);
        }
        Ok(check)
    }

    /// Whether the checkpoint of an archive is by a key whose archives count: the panel's own, or one that is named. By an
    /// archive events are let go; that everybody's signature counts on other checkpoints is no reason to.
    fn signed(&self, end: &Checkpoint) -> Result<(), Doubt> {
        if !key::is_signed(end) {
            return Err(Doubt::Signature);
        }
        let is_ours = end.key == self.key.public() || self.trusted.contains(&end.key);
        if is_ours { Ok(()) } else { Err(Doubt::Key) }
    }

    /// What stands in the database as archives, and what of it is believed.
    async fn archives(&self) -> Result<Archives, StoreError> {
        self.store.archives(&|end| self.signed(end)).await
    }

    /// The same for somebody who asked, with its event in the trail.
    pub(crate) async fn check_for(
        &self,
        actor: Actor,
        brought: &[Checkpoint],
    ) -> anyhow::Result<Check> {
        let checked = self.check(CheckWhen::Now, brought).await?;
        let check = checked.context("a check that was asked for was not made")?;
        self.note_check(&check, actor).await;
        Ok(check)
    }

    async fn note_check(&self, check: &Check, actor: Actor) {
        let outcome = if check.is_whole() {
            AuditOutcome::Succeeded
        } else {
            AuditOutcome::Failed
        };
        let event = NewAuditEvent {
            note: Some(check.sentence()),
            duration_ms: Some(check.took_ms),
            ..NewAuditEvent::new(actor, act::VERIFY_AUDIT, outcome)
        };
        // What was found is told even where nothing can be written any more.
        if let Err(error) = self.store.record(event).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "A check of the audit trail could not be audited"
            );
        }
    }

    /// Whether the panel's own role could change the trail.
    pub(crate) async fn is_unguarded(&self) -> Result<bool, StoreError> {
        self.store.may_change_the_trail().await
    }

    fn set_checking(&self, since: Option<Timestamp>) -> Option<Timestamp> {
        std::mem::replace(&mut *self.checking(), since)
    }

    fn checking(&self) -> MutexGuard<'_, Option<Timestamp>> {
        let checking = self.checking_since.lock();
        checking.unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(check: &Check) {
    let sentence = check.sentence();
    if check.is_whole() {
        tracing::info!(audit.events = check.events, "Audit trail: {sentence}");
    } else {
        tracing::error!(audit.events = check.events, "Audit trail: {sentence}");
    }
}

#[async_trait]
impl AuditChain for Custodian {
    async fn standing(&self) -> Result<ChainStanding, StoreError> {
        let mut undelivered = Vec::new();
        for (way, words) in [(Way::Url, "to the URL"), (Way::Mail, "by mail")] {
            if !self.deliveries.uses(way) {
                continue;
            }
            let delivery = self.store.delivery(way).await?;
            if let Some(why) = delivery.and_then(|delivery| delivery.failed) {
                undelivered.push(format!("Checkpoints cannot be sent {words}: {why}"));
            }
        }
        if let Some(why) = self.store.alert_failure().await? {
            undelivered.push(format!("The last alert could not be mailed: {why}"));
        }
        let month = Month::last_whole(self.clock.now());
        if let Some(why) = self.store.report_failure(month).await? {
            undelivered.push(format!("The monthly report could not be mailed: {why}"));
        }
        undelivered.extend(self.folder.failure());
        let checking_since = *self.checking();
        Ok(ChainStanding {
            archived: self.archived().await?,
            sequence: self.store.last_audit_event().await?,
            last: self.store.last_audit_check().await?,
            checking_since,
            is_unguarded: self.is_unguarded().await?,
            undelivered,
        })
    }

    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        let made = Self::checkpoint(self, Duration::ZERO).await;
        let made = made.map_err(|error| not_made(error.into()))?;
        match made {
            Some(made) => Ok(made),
            // Another one came first, and knows as much.
            None => self
                .store
                .last_checkpoint()
                .await?
                .ok_or_else(|| not_made("there is no event to make a checkpoint of".into())),
        }
    }

    async fn archived(&self) -> Result<Option<Archive>, StoreError> {
        Ok(self.archives().await?.last)
    }

    async fn verify(&self, permit: Permit) -> Result<Verified, StoreError> {
        let now = self.clock.now();
        if let Some(since) = self.set_checking(Some(now)) {
            // One at a time: it reads everything there is.
            self.set_checking(Some(since));
            return Ok(Verified::GoesOn);
        }
        let (custodian, actor) = (self.clone(), permit.actor().clone());
        let checking = self.tracker.spawn(async move {
            let checked = custodian.check_for(actor, &[]).await;
            custodian.set_checking(None);
            checked
        });
        match tokio::time::timeout(PATIENCE, checking).await {
            Err(_) => Ok(Verified::GoesOn),
            Ok(Ok(Ok(check))) => Ok(Verified::Done(check)),
            Ok(Ok(Err(error))) => Err(not_checked(error.into())),
            Ok(Err(error)) => {
                self.set_checking(None);
                Err(not_checked(error.into()))
            }
        }
    }
}

fn not_made(source: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError {
        doing: "making a checkpoint of the audit trail",
        source,
    }
}

fn not_checked(source: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError {
        doing: "checking the audit trail",
        source,
    }
}
