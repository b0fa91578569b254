//! `panel serve`: the web panel until a signal ends it.

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::Arc;

use adapter_store::Notice;
use anyhow::Context as _;
use app::{Panel, Reveals};
use domain::operation::OperationId;
use domain::ports::Mail;
use futures::StreamExt as _;
use observe::Board;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::alerts::{Alerting, OwnMail};
use crate::audit::Custodian;
use crate::config::Config;
use crate::http::{self, Change, Hub, KnownPeople, Measured, Site, Topic};
use crate::old_keys::OldKeys;
use crate::register::{self, Reminding};
use crate::report::Reporting;
use crate::set_up;
use crate::wire::{self, Base, Boards, Outside, Renderer};

/// What the last tasks get before the panel ends without them.
const LAST_WAIT: std::time::Duration = std::time::Duration::from_secs(10);

/// What open connections get before operations are paused without waiting for them.
const CONNECTIONS_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

/// Runs until SIGINT or SIGTERM; then refuses new operations, lets a running step end and closes.
pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    let listener = listen(config.listen, "listen").await?;
    let metrics = match config.metrics_listen {
        Some(address) => Some(listen(address, "metrics_listen").await?),
        None => None,
    };
    let (assets, files) = http::load_site(&config.site_dir)?;
    let tracker = TaskTracker::new();
    // Two ends: first pages and streams, then, when operations have paused, everything else.
    let pages = CancellationToken::new();
    let rest = CancellationToken::new();
    let base = Base::open(&config).await?;
    base.store.prepare_sign_ins().await;
    let outside = Outside::build(&config, &base, &tracker, &rest).await?;
    outside.engine.refresh_holders().await;
    outside.engine.tend();
    let boards = outside.observe(&config, &base, &tracker, &rest).await;
    let people = Arc::new(KnownPeople::new(
        Arc::new(base.store.clone()),
        Arc::new(base.store.clone()),
        base.clock.clone(),
    ));
    let custodian = Custodian::open(&config, &base, &tracker)?;
    let panel = Panel {
        observations: boards.clone(),
        operations: Arc::new(outside.engine.clone()),
        audit: Arc::new(base.store.clone()),
        chain: Arc::new(custodian.clone()),
        trail: Arc::new(base.store.clone()),
        reports: Arc::new(base.store.clone()),
        reviews: Arc::new(base.store.clone()),
        review_policy: Arc::new(config.audit.policy.clone()),
        office_hours: config.audit.office_hours.clone().map(Arc::new),
        people: Arc::new(base.store.clone()),
        sessions: Arc::new(base.store.clone()),
        tokens: Arc::new(base.store.clone()),
        new_tokens: Arc::default(),
        invitations: Arc::new(base.store.clone()),
        second_factors: Arc::new(base.store.clone()),
        passkeys: Arc::new(base.store.clone()),
        provider: wire::provider(&config, &base)?,
        identities: Arc::new(base.store.clone()),
        mailboxes: Arc::new(base.store.clone()),
        views: Arc::new(base.store.clone()),
        second_factor_for: Arc::new(config.sign_in.second_factor_for.clone()),
        session_limits: config.sign_in.limits,
        factor_codes: Arc::default(),
        clock: base.clock.clone(),
        ids: base.ids.clone(),
        site: http::site_files(files),
        rendered: Arc::default(),
        reveals: Arc::new(Reveals::default()),
        scans: Arc::new(outside.scans.clone()),
        backups: Arc::new(outside.backups.clone()),
        folder: Arc::new(outside.folder.clone()),
        backup_keys: Arc::default(),
        keys: Arc::new(outside.keys.clone()),
        rotations: Arc::new(base.store.clone()),
        new_keys: Arc::default(),
        proposals: Arc::new(base.store.clone()),
        second_person: Arc::new(config.second_person()),
        secrets: Arc::clone(&outside.secrets),
        rotation_log: Arc::clone(&outside.log),
        viewings: Arc::default(),
        account_history: Arc::new(base.store.clone()),
        hand_offs: Arc::new(base.store.clone()),
        mail: config
            .mail
            .clone()
            .map(|mail| Arc::new(mail) as Arc<dyn Mail>),
        hand_off_links: Arc::default(),
        register: Arc::new(base.store.clone()),
        reminders: Arc::new(base.store.clone()),
        calendars: Arc::new(base.store.clone()),
        calendar_links: Arc::default(),
        public_url: config.public_url.as_str().trim_end_matches('/').into(),
    };
    set_up::link(&config, &*panel.invitations).await;
    if let Err(error) = panel.register.seed(&register::known(&config)).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "What the panel knows by itself could not be listed in the register; the next start does it"
        );
    }
    let reminding = Reminding {
        register: panel.register.clone(),
        reminders: panel.reminders.clone(),
        observations: boards.clone(),
        clock: base.clock.clone(),
        mail: panel.mail.clone(),
        public_url: panel.public_url.clone(),
    };
    tracker.spawn(reminding.run(rest.clone()));
    let alerts = Arc::new(base.store.clone());
    let (alert_to, alert_on) = (&config.audit.alert_to, &config.audit.alert_on);
    if let Some(alerting) = Alerting::of(&panel, alerts, alert_to, alert_on) {
        tracker.spawn(alerting.run(rest.clone()));
    }
    if let Some(own_mail) = OwnMail::of(&panel, Arc::new(base.store.clone())) {
        tracker.spawn(own_mail.run(rest.clone()));
    }
    if let Some(reporting) = Reporting::of(&panel, &config.audit.report_to) {
        tracker.spawn(reporting.run(rest.clone()));
    }
    let old_keys = OldKeys {
        gateways: outside
            .gateways
            .iter()
            .map(|gateway| gateway.id.clone())
            .collect(),
        rotations: panel.rotations.clone(),
        keys: panel.keys.clone(),
        secrets: panel.secrets.clone(),
        clock: base.clock.clone(),
    };
    tracker.spawn(old_keys.run(rest.clone()));
    tracker.spawn(custodian.run(rest.clone()));
    if let Some(metrics) = metrics {
        let router = http::metrics(Measured {
            register: panel.register.clone(),
            observations: boards.clone(),
            chain: panel.chain.clone(),
            reviews: panel.reviews.clone(),
            policy: panel.review_policy.clone(),
            clock: base.clock.clone(),
        });
        let serving =
            axum::serve(metrics, router).with_graceful_shutdown(rest.clone().cancelled_owned());
        tracker.spawn(serving.into_future());
    }
    let hub = Hub::new(
        Arc::new(Renderer(panel.clone())),
        base.clock.clone(),
        tracker.clone(),
        pages.clone(),
    );
    for board in boards.all() {
        tracker.spawn(tell_board(board.clone(), hub.clone(), rest.clone()));
    }
    tracker.spawn(tell_scans(
        outside.scans.changes(),
        hub.clone(),
        rest.clone(),
    ));
    tracker.spawn(tell_notices(
        base.store.clone(),
        outside.engine.clone(),
        boards.clone(),
        people.clone(),
        hub.clone(),
        rest.clone(),
    ));
    let router = http::router(Site {
        panel,
        assets,
        hub,
        people,
        logs: boards,
        gateways: outside
            .gateways
            .iter()
            .map(|gateway| gateway.id.clone())
            .collect(),
        store: base.store.clone(),
        public_url: config.public_url.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        stop: pages.clone(),
    })?;
    tracing::info!(listen = %config.listen, public_url = %config.public_url, "The panel is up at {}", config.public_url);
    let serving = axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(pages.clone().cancelled_owned());
    let running = Box::pin(async {
        let served = until_closed(serving.into_future(), &pages).await;
        tracing::info!("Stopping: operations pause where they are and go on at the next start");
        outside.engine.quiesce().await;
        rest.cancel();
        tracker.close();
        // A Docker call that ran past its limit may still hang; the journal knows where to go on.
        if tokio::time::timeout(LAST_WAIT, tracker.wait())
            .await
            .is_err()
        {
            tracing::warn!("Something still waits for Docker or a gateway; stopping all the same");
        }
        base.close().await;
        served.context("the web server failed")
    });
    tokio::select! {
        served = running => served,
        () = twice_told(&pages) => anyhow::bail!(
            "stopped at once by a second signal; operations go on at the next start"
        ),
    }
}

async fn listen(address: SocketAddr, key: &str) -> anyhow::Result<tokio::net::TcpListener> {
    let listener = tokio::net::TcpListener::bind(address).await;
    listener.with_context(|| {
        format!("cannot listen at {address}: is another program using it? (key `{key}`)")
    })
}

/// The server's end. Once it is to stop, whoever still holds a connection has [`CONNECTIONS_WAIT`]:
/// operations must pause in good time whatever a slow browser does.
async fn until_closed<S>(serving: S, pages: &CancellationToken) -> std::io::Result<()>
where
    S: Future<Output = std::io::Result<()>>,
{
    let too_long = async {
        pages.cancelled().await;
        tokio::time::sleep(CONNECTIONS_WAIT).await;
    };
    tokio::select! {
        served = serving => served,
        () = too_long => {
            tracing::warn!("Connections are still open; stopping without them");
            Ok(())
        }
    }
}

/// The first signal closes pages; resolves at the second one.
async fn twice_told(pages: &CancellationToken) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        tracing::error!("Signals cannot be received; the panel ends only when killed");
        return std::future::pending().await;
    };
    for _ in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // Open event streams end, so that the web server can.
        pages.cancel();
    }
}

/// Tells open pages that an observation changed.
async fn tell_board(board: Arc<Board>, hub: Hub, stop: CancellationToken) {
    let mut changes = board.subscribe();
    let topic = Topic::Gateway(board.observation().gateway.id.clone());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
        changes.borrow_and_update();
        hub.changed(Change::Of(topic.clone()));
    }
}

/// Tells open pages that another code is to be scanned.
async fn tell_scans(
    mut changes: tokio::sync::broadcast::Receiver<OperationId>,
    hub: Hub,
    stop: CancellationToken,
) {
    loop {
        let changed = tokio::select! {
            () = stop.cancelled() => return,
            changed = changes.recv() => changed,
        };
        match changed {
            Ok(operation) => tell_operation(&hub, operation),
            Err(RecvError::Lagged(_)) => hub.changed(Change::All),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Its page, and the screens that its code was handed off to.
fn tell_operation(hub: &Hub, id: OperationId) {
    hub.changed(Change::Of(Topic::Operation(id)));
    hub.changed(Change::Of(Topic::HandedOff(id)));
}

/// Takes what other panels and the command line did, by the database's notices.
async fn tell_notices(
    store: adapter_store::Store,
    engine: operations::Engine,
    boards: Arc<Boards>,
    people: Arc<KnownPeople>,
    hub: Hub,
    stop: CancellationToken,
) {
    let mut notices = std::pin::pin!(store.listen());
    loop {
        let notice = tokio::select! {
            () = stop.cancelled() => return,
            notice = notices.next() => notice,
        };
        match notice {
            Some(Notice::Operation { id, gateway, .. }) => {
                engine.on_notice(id).await;
                tell_operation(&hub, id);
                hub.changed(Change::Of(Topic::Operations(gateway.clone())));
                hub.changed(Change::Of(Topic::Gateway(gateway)));
            }
            Some(Notice::People(id)) => people.forget(Some(id)),
            Some(Notice::Lagged) => {
                engine.refresh_holders().await;
                people.forget(None);
                for board in boards.all() {
                    board.republish();
                }
                hub.changed(Change::All);
            }
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_stays_open_delays_a_stop_by_seconds_only() {
        let pages = CancellationToken::new();
        let mut closed = std::pin::pin!(until_closed(std::future::pending(), &pages));
        let hour = std::time::Duration::from_secs(3_600);
        assert!(tokio::time::timeout(hour, &mut closed).await.is_err());
        pages.cancel();
        let stopped = tokio::time::timeout(CONNECTIONS_WAIT * 2, closed).await;
        assert!(stopped.is_ok_and(|served| served.is_ok()));
    }
}
