use std::sync::Mutex;

use async_trait::async_trait;
use domain::account_history::Standing;
use domain::fact::State;
use domain::gateway::AccountId;
use domain::time::Timestamp;
use tokio::task::JoinHandle;

use super::*;

/// What is stored, by whomever.
#[derive(Default)]
struct Table {
    transitions: Mutex<Vec<Transition>>,
    samples: Mutex<Vec<Sample>>,
}

#[async_trait]
impl History for Table {
    async fn record_transition(&self, transition: &Transition) -> Result<(), StoreError> {
        self.transitions.lock().unwrap().push(transition.clone());
        Ok(())
    }
    async fn record_samples(&self, samples: &[Sample]) -> Result<(), StoreError> {
        self.samples.lock().unwrap().extend_from_slice(samples);
        Ok(())
    }
    async fn transitions(
        &self,
        gateway: &GatewayId,
        _from: Timestamp,
    ) -> Result<Vec<Transition>, StoreError> {
        let mut all = self.transitions.lock().unwrap().clone();
        all.retain(|transition| transition.gateway == *gateway);
        Ok(all)
    }
    async fn unobserved(
        &self,
        _gateway: &GatewayId,
        _from: Timestamp,
    ) -> Result<Vec<(Timestamp, Timestamp)>, StoreError> {
        Ok(Vec::new())
    }
    async fn record_account_change(&self, _: &AccountChange) -> Result<(), StoreError> {
        Ok(())
    }
    async fn account_standings(
        &self,
        _: &GatewayId,
    ) -> Result<BTreeMap<AccountId, Standing>, StoreError> {
        Ok(BTreeMap::new())
    }
    async fn roll_up(&self, _now: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(43_200_000)
    }
}

struct Panel {
    table: Arc<Table>,
    lead: watch::Sender<BTreeSet<GatewayId>>,
    entries: mpsc::Sender<Entry>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Panel {
    fn beside(table: &Arc<Table>) -> Self {
        let (lead, leads) = watch::channel(BTreeSet::new());
        let (keeper, entries) = Keeper::new(table.clone(), Arc::new(Noon), leads);
        let stop = CancellationToken::new();
        Self {
            table: table.clone(),
            lead,
            entries,
            stop: stop.clone(),
            running: tokio::spawn(keeper.run(stop)),
        }
    }

    async fn sees(&self, fact: FactKind, to: State, at: i64) {
        let at = Timestamp::from_millis(at);
        let gateway: GatewayId = "g1".parse().unwrap();
        let sample = Sample {
            gateway: gateway.clone(),
            fact,
            at,
            state: to,
            latency_ms: None,
        };
        let transition = Transition {
            gateway,
            fact,
            from: None,
            to,
            headline: String::new(),
            reason: String::new(),
            at,
            operation: None,
            planned_by: None,
        };
        self.entries.send(Entry::Sample(sample)).await.unwrap();
        let transition = Entry::Transition(transition);
        self.entries.send(transition).await.unwrap();
        self.idle().await;
    }

    async fn leads(&self, yes: bool) {
        let gateways = yes.then(|| "g1".parse().unwrap()).into_iter().collect();
        self.lead.send_replace(gateways);
        self.idle().await;
    }

    /// On the paused clock time passes only when every task waits.
    async fn idle(&self) {
        tokio::time::sleep(BATCH_EVERY).await;
    }

    fn stored(&self) -> Vec<(FactKind, Option<State>, State)> {
        let all = self.table.transitions.lock().unwrap();
        all.iter().map(|one| (one.fact, one.from, one.to)).collect()
    }

    fn samples(&self) -> usize {
        self.table.samples.lock().unwrap().len()
    }

    async fn ends(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

use FactKind::{Edge, Session};
use State::{Down, Ok as Well, Warn};

#[tokio::test(start_paused = true)]
async fn of_two_panels_only_the_leader_writes() {
    let table = Arc::new(Table::default());
    let (one, two) = (Panel::beside(&table), Panel::beside(&table));
    one.leads(true).await;
    for panel in [&one, &two] {
        panel.sees(Edge, Down, 1_000).await;
    }
    assert_eq!(one.stored(), [(Edge, None, Down)]);
    assert_eq!(one.samples(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_takes_over_writes_what_has_changed_since_and_still_holds() {
    let table = Arc::new(Table::default());
    let (one, two) = (Panel::beside(&table), Panel::beside(&table));
    one.leads(true).await;
    for panel in [&one, &two] {
        panel.sees(Edge, Well, 1_000).await;
        panel.sees(Session, Well, 1_000).await;
    }
    one.ends().await;
    two.sees(Session, Down, 2_000).await;
    two.sees(Session, Warn, 3_000).await;
    assert_eq!(two.stored().len(), 2, "nobody leads yet");
    two.leads(true).await;
    two.sees(Session, Well, 4_000).await;
    assert_eq!(
        two.stored()[2..],
        [(Session, Some(Well), Warn), (Session, None, Well)]
    );
}

#[tokio::test(start_paused = true)]
async fn who_lost_the_lead_writes_no_more() {
    let table = Arc::new(Table::default());
    let panel = Panel::beside(&table);
    panel.leads(true).await;
    panel.sees(Edge, Well, 1_000).await;
    panel.leads(false).await;
    panel.sees(Edge, Down, 2_000).await;
    assert_eq!(panel.stored(), [(Edge, None, Well)]);
    assert_eq!(panel.samples(), 1);
}
