use std::collections::BTreeSet;
use std::time::Duration;

use domain::gateway::GatewayId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::support::Database;

/// A panel that wants the lead until it is dropped.
struct Panel {
    leads: watch::Receiver<BTreeSet<GatewayId>>,
    stop: CancellationToken,
    racing: tokio::task::JoinHandle<()>,
}

impl Panel {
    async fn start(database: &Database, gateways: &[&str]) -> Self {
        let gateways = gateways.iter().map(|id| id.parse().unwrap()).collect();
        let stop = CancellationToken::new();
        let (leads, racing) = database.store().await.lead(gateways, stop.clone());
        let racing = tokio::spawn(racing);
        Self {
            leads,
            stop,
            racing,
        }
    }

    async fn leads_for(&mut self, gateways: &[&str]) {
        let wanted: BTreeSet<GatewayId> = gateways.iter().map(|id| id.parse().unwrap()).collect();
        let waiting = self.leads.wait_for(|leads| *leads == wanted);
        let got = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        got.expect("the lead in 30 s").unwrap();
    }

    async fn ends(self) {
        self.stop.cancel();
        self.racing.await.unwrap();
    }
}

#[tokio::test]
async fn one_panel_leads_and_when_it_ends_the_next_one_does() {
    let database = Database::fresh().await;
    let mut first = Panel::start(&database, &["g1"]).await;
    first.leads_for(&["g1"]).await;

    let mut second = Panel::start(&database, &["g1", "g2"]).await;
    second.leads_for(&["g2"]).await;

    first.ends().await;
    second.leads_for(&["g1", "g2"]).await;
}

#[tokio::test]
async fn a_lead_that_was_lost_with_its_connection_is_had_by_exactly_one_again() {
    let database = Database::fresh().await;
    let mut first = Panel::start(&database, &["g1"]).await;
    first.leads_for(&["g1"]).await;
    let mut second = Panel::start(&database, &["g1"]).await;
    second.leads_for(&[]).await;

    let ended = database
        .sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks
             WHERE locktype = 'advisory' AND granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .await
        .unwrap();
    assert_eq!(ended, 1);

    // The second one tries each second, the first one notices after that.
    second.leads_for(&["g1"]).await;
    first.leads_for(&[]).await;
}
