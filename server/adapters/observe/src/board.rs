//! The present knowledge of one gateway, and the history it leaves.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::account_history::{self, AccountChange, Standing};
use domain::compare::Comparison;
use domain::fact::{Account, Container, Fact, FactKind, State};
use domain::fault::Fault;
use domain::gateway::{AccountId, Gateway};
use domain::history::{self, Incident, Sample, Strip, Transition};
use domain::observation::Observation;
use domain::operation::{AT_ONCE, Operation, OperationId, Outcome};
use domain::ports::Clock;
use domain::time::Timestamp;
use tokio::sync::watch;

use crate::judge;
use crate::keeper::Entry;
use crate::planned::Planned;
use crate::senses::Seen;

const DAY: Duration = Duration::from_secs(86_400);
/// 48 bars of half an hour.
const BARS: u32 = 48;
const BAR_MILLIS: i64 = 30 * 60 * 1_000;

/// Holds the observation of one gateway and tells everybody when it changes.
pub struct Board {
    clock: Arc<dyn Clock>,
    planned: Arc<dyn Planned>,
    keeper: tokio::sync::mpsc::Sender<Entry>,
    inner: Mutex<Inner>,
    published: watch::Sender<Arc<Observation>>,
}

struct Inner {
    observation: Observation,
    transitions: VecDeque<Transition>,
    unobserved: Vec<(Timestamp, Timestamp)>,
    strips: Arc<Vec<Strip>>,
    incidents: Arc<Vec<Incident>>,
    strips_made_at: Timestamp,
    /// Ends of the container that are not older than an hour.
    deaths: Vec<Death>,
    /// Operations of before the panel came, which may explain some of them.
    before: Vec<Operation>,
    /// How each account stands.
    accounts: BTreeMap<AccountId, Standing>,
    /// When they were last asked.
    accounts_asked_at: Timestamp,
    /// Whether this panel has heard of them: until then that they cannot be asked is no news.
    accounts_heard: bool,
}

struct Death {
    at: Timestamp,
    planned: bool,
}

/// What the database remembers of a gateway's last 24 hours.
#[derive(Default)]
pub struct Remembered {
    /// Changes of facts, oldest first.
    pub transitions: Vec<Transition>,
    /// When nobody looked.
    pub unobserved: Vec<(Timestamp, Timestamp)>,
    /// The latest operations.
    pub operations: Vec<Operation>,
    /// How each account stood last.
    pub accounts: BTreeMap<AccountId, Standing>,
}

impl Board {
    /// A board without any look yet.
    pub fn new(
        gateway: Gateway,
        clock: Arc<dyn Clock>,
        planned: Arc<dyn Planned>,
        keeper: tokio::sync::mpsc::Sender<Entry>,
        remembered: Remembered,
    ) -> Self {
        let now = clock.now();
        let observation = Observation::blank(gateway, now);
        let inner = Inner {
            observation: observation.clone(),
            transitions: remembered.transitions.into(),
            unobserved: remembered.unobserved,
            strips: Arc::default(),
            incidents: Arc::default(),
            strips_made_at: Timestamp::default(),
            deaths: Vec::new(),
            before: remembered.operations,
            accounts: remembered.accounts,
            accounts_asked_at: now,
            accounts_heard: false,
        };
        Self {
            clock,
            planned,
            keeper,
            inner: Mutex::new(inner),
            published: watch::Sender::new(Arc::new(observation)),
        }
    }

    /// Resolves when the newest operation of the gateway has ended and is another than `before`; with its id.
    pub(crate) async fn next_end(&self, before: Option<OperationId>) -> OperationId {
        let gateway = self.published.borrow().gateway.id.clone();
        self.planned.next_end(&gateway, before).await
    }

    /// The newest operation of the gateway, when it has ended.
    pub(crate) fn last_end(&self) -> Option<OperationId> {
        let latest = self.planned.latest(&self.published.borrow().gateway.id);
        latest
            .filter(|latest| latest.ended_at.is_some())
            .map(|latest| latest.id)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while holding the lock leaves plain data behind, which the next probe overwrites.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present time, as the board has it.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The present knowledge.
    pub fn observation(&self) -> Arc<Observation> {
        self.published.borrow().clone()
    }

    /// Resolves at every change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Observation>> {
        self.published.subscribe()
    }

    /// Says again what is known, so that ages and verdict are made anew.
    pub fn republish(&self) {
        let inner = self.lock();
        self.published
            .send_replace(Arc::new(inner.observation.clone()));
    }

    /// Enters the result of a look at a fact.
    pub fn enter<D: Clone + PartialEq>(
        &self,
        kind: FactKind,
        fact_of: impl Fn(&mut Observation) -> &mut Fact<D>,
        seen: Seen<D>,
    ) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let gateway = inner.observation.gateway.id.clone();
        let fact = fact_of(&mut inner.observation);
        let first = fact.checked_at.is_none();
        let before = fact.state;
        let changed = first || before != seen.state;
        if changed {
            fact.since = now;
        }
        fact.state = seen.state;
        fact.headline = seen.headline;
        fact.reason = seen.reason;
        fact.checked_at = Some(now);
        // The last known details stay readable while a fact is unknown.
        if seen.detail.is_some() || seen.state != State::Unknown {
            fact.detail = seen.detail;
        }
        let (headline, reason) = (fact.headline.clone(), fact.reason.clone());
        let last = inner.transitions.iter().rfind(|last| last.fact == kind);
        let goes_on = last.filter(|last| first && last.to == seen.state);
        let begun = goes_on.map(|last| last.at);
        let from = last.map(|last| last.to);
        let latest = self.planned.latest(&gateway);
        let left = seen.state != State::Ok
            && last.is_some_and(|last| is_left_behind(last, latest.as_ref(), now));
        if let Some(begun) = begun {
            // After a restart of the panel the same state goes on: keep its beginning.
            fact_of(&mut inner.observation).since = begun;
        }
        if (changed && begun.is_none()) || left {
            let cause = latest.filter(|operation| operation.plans(kind, now));
            let transition = Transition {
                gateway: gateway.clone(),
                fact: kind,
                from,
                to: seen.state,
                headline,
                reason,
                at: now,
                operation: cause.as_ref().map(|operation| operation.id),
                planned_by: cause.map(|operation| {
                    format!(
                        "{} by {}",
                        operation.command.title(),
                        operation.asked_by.name()
                    )
                }),
            };
            inner.transitions.push_back(transition.clone());
            self.keep(Entry::Transition(transition));
            inner.strips_made_at = Timestamp::default();
        }
        self.keep(Entry::Sample(Sample {
            gateway,
            fact: kind,
            at: now,
            state: seen.state,
            latency_ms: seen.latency_ms,
        }));
        inner.observation.revision += 1;
        self.published
            .send_replace(Arc::new(inner.observation.clone()));
    }

    /// Enters a look at the container, with what is known of its ends.
    pub fn enter_container(&self, mut found: Result<Option<Container>, Fault>) {
        if let Ok(Some(container)) = &mut found {
            container.restarts_last_hour = self.deaths_last_hour();
        }
        let seen = match found {
            Ok(found) => judge::container(found, self.clock.now()),
            Err(fault) => judge::blind(&fault),
        };
        self.enter(FactKind::Container, |all| &mut all.container, seen);
    }

    /// Enters a look at the accounts.
    pub fn enter_accounts(&self, accounts: Result<Option<Vec<Account>>, Fault>) {
        self.follow_accounts(&accounts);
        let seen = match accounts {
            Ok(accounts) => judge::session(accounts),
            Err(fault) => judge::blind(&fault),
        };
        self.enter(FactKind::Session, |all| &mut all.session, seen);
    }

    /// Notes what became of each account.
    fn follow_accounts(&self, told: &Result<Option<Vec<Account>>, Fault>) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let gateway = inner.observation.gateway.id.clone();
        inner.accounts_heard |= matches!(told, Ok(Some(_)));
        if !inner.accounts_heard {
            return;
        }
        let asked_before = std::mem::replace(&mut inner.accounts_asked_at, now);
        let stand: Vec<Found> = match told {
            Ok(Some(accounts)) => accounts
                .iter()
                .map(|account| {
                    let (code, cause) = account_history::cause(account, asked_before);
                    Found {
                        account: account.id.clone(),
                        to: Standing::of(account),
                        since: account_history::since(account, asked_before, now),
                        code,
                        cause,
                    }
                })
                .collect(),
            Ok(None) => blind(&inner.accounts, "the gateway has no WhatsApp channel"),
            Err(fault) => blind(&inner.accounts, fault.message.trim_end_matches('.')),
        };
        let latest = self.planned.latest(&gateway);
        for found in stand {
            if inner.accounts.insert(found.account.clone(), found.to) == Some(found.to) {
                continue;
            }
            let by = latest
                .as_ref()
                .filter(|_| !account_history::by_phone(found.to, found.code))
                .filter(|operation| match (found.since, operation.ended_at) {
                    // What is known to the moment is nobody's doing once the operation has ended.
                    (Some(since), Some(ended)) if since > ended.plus(AT_ONCE) => false,
                    _ => operation.plans(FactKind::Session, now),
                });
            self.keep(Entry::Account(AccountChange {
                gateway: gateway.clone(),
                account: found.account,
                at: found.since.unwrap_or(now),
                to: found.to,
                code: found.code,
                cause: found.cause,
                operation: by.map(|operation| operation.id),
                planned_by: by.map(|operation| {
                    let (title, by) = (operation.command.title(), operation.asked_by.name());
                    format!("{title} by {by}")
                }),
            }));
        }
    }

    /// Enters a comparison of the compose folder with the container.
    pub fn enter_config(&self, compared: Result<Comparison, Fault>) {
        self.enter(
            FactKind::Config,
            |all| &mut all.config,
            judge::config(compared),
        );
    }

    /// Changes details that are no fact of their own (resource use, the lease).
    pub fn adjust(&self, with: impl FnOnce(&mut Observation)) {
        let mut inner = self.lock();
        let before = inner.observation.clone();
        with(&mut inner.observation);
        if inner.observation != before {
            inner.observation.revision += 1;
            self.published
                .send_replace(Arc::new(inner.observation.clone()));
        }
    }

    /// Notes that the container ended just now.
    pub fn note_death(&self, at: Timestamp) {
        let mut inner = self.lock();
        if inner.deaths.iter().any(|death| death.at == at) {
            return;
        }
        let latest = self.planned.latest(&inner.observation.gateway.id);
        // By the panel's clock, as the operation's own times: Docker's may be another machine's.
        let now = self.clock.now();
        let planned = latest.is_some_and(|latest| latest.plans(FactKind::Container, now));
        inner.deaths.push(Death { at, planned });
    }

    /// Notes ends of the container of which Docker tells only now; those noted before count once.
    pub fn recall_deaths(&self, told: &[Timestamp]) {
        let mut inner = self.lock();
        let latest = self.planned.latest(&inner.observation.gateway.id);
        for at in told {
            if inner.deaths.iter().any(|death| death.at == *at) {
                continue;
            }
            let mut operations = inner.before.iter().chain(&latest);
            let planned = operations.any(|one| one.plans(FactKind::Container, *at));
            inner.deaths.push(Death { at: *at, planned });
        }
    }

    /// Unplanned ends within the last hour.
    pub fn deaths_last_hour(&self) -> u32 {
        let from = self.clock.now().minus(Duration::from_secs(3_600));
        let mut inner = self.lock();
        inner.deaths.retain(|death| death.at >= from);
        let unplanned = inner.deaths.iter().filter(|death| !death.planned).count();
        u32::try_from(unplanned).unwrap_or(u32::MAX)
    }

    fn keep(&self, entry: Entry) {
        // A full queue means that the database has been away for long: samples may be lost then, the
        // keeper says so; the page itself stays right.
        if self.keeper.try_send(entry).is_err() {
            tracing::warn!("History queue is full; an entry was dropped");
        }
    }

    fn refresh(&self, inner: &mut Inner) {
        let now = self.clock.now();
        if now.since(inner.strips_made_at) < Duration::from_secs(60) {
            return;
        }
        inner.strips_made_at = now;
        let from = now.minus(DAY);
        // The last transition before the window carries its state in.
        while inner.transitions.len() > FactKind::ALL.len() {
            let Some(oldest) = inner.transitions.front() else {
                break;
            };
            let replaced = inner
                .transitions
                .iter()
                .skip(1)
                .any(|other| other.fact == oldest.fact && other.at < from);
            if oldest.at >= from || !replaced {
                break;
            }
            inner.transitions.pop_front();
        }
        let transitions = inner.transitions.make_contiguous();
        let strips = FactKind::ALL
            .into_iter()
            .map(|kind| history::strip(kind, transitions, &inner.unobserved, now, BARS, BAR_MILLIS))
            .collect();
        let recent = history::incidents(transitions)
            .into_iter()
            .filter(|incident| incident.to.is_none_or(|to| to >= from))
            .collect();
        inner.strips = Arc::new(strips);
        inner.incidents = Arc::new(recent);
    }

    /// The strips of the last 24 hours.
    pub fn strips(&self) -> Arc<Vec<Strip>> {
        let mut inner = self.lock();
        self.refresh(&mut inner);
        inner.strips.clone()
    }

    /// The incidents of the last 24 hours, newest first.
    pub fn incidents(&self) -> Arc<Vec<Incident>> {
        let mut inner = self.lock();
        self.refresh(&mut inner);
        inner.incidents.clone()
    }
}

/// What a look found out about an account.
struct Found {
    account: AccountId,
    to: Standing,
    /// When that began, where the gateway says so.
    since: Option<Timestamp>,
    code: Option<u16>,
    cause: String,
}

/// Every account that is known, when none can be asked.
fn blind(accounts: &BTreeMap<AccountId, Standing>, why: &str) -> Vec<Found> {
    let known = accounts.keys();
    known
        .map(|account| Found {
            account: account.clone(),
            to: Standing::Unknown,
            since: None,
            code: None,
            cause: why.to_owned(),
        })
        .collect()
}

/// Whether the operation that planned this change has failed: what is still bad then is nobody's plan.
fn is_left_behind(last: &Transition, latest: Option<&Operation>, now: Timestamp) -> bool {
    latest.is_some_and(|latest| {
        let failed = matches!(
            latest.outcome,
            Some(Outcome::Failed { .. } | Outcome::Stuck { .. })
        );
        failed && last.operation == Some(latest.id) && latest.is_past(now)
    })
}

#[cfg(test)]
mod tests;
