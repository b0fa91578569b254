//! What happens to the gateway's containers, as Docker tells it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptions;
use domain::fault::{Fault, FaultKind};
use domain::time::Timestamp;
use futures::channel::mpsc::Sender;
use futures::{SinkExt, Stream, StreamExt, TryStreamExt};
use tokio::time::Instant;

use crate::client::{Host, QUICK};
use crate::fault::docker;
use crate::moment::Moment;
use crate::names::Names;
use crate::stream::sending;

/// What the watcher of a gateway hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Listening from here on: inspect now, as nobody knows what happened before.
    Connected,
    /// Something happened to one of the gateway's containers.
    Event {
        /// Docker's word: `create`, `start`, `die`, `kill`, `oom`, `health_status: healthy`, …
        action: String,
        /// Which container.
        container_id: String,
        /// With `die`: how it ended.
        exit_code: Option<i64>,
        /// When.
        at: Timestamp,
    },
    /// Deaf until the next [`Watch::Connected`]. Said once for each reason in a row.
    Lost(Fault),
}

/// A silent daemon is asked this often whether it is still there.
const SILENCE: Duration = Duration::from_secs(15);
/// As long as an answer to the request for events may take to show as refused.
const SETTLING: Duration = Duration::from_millis(50);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

const ACTIONS: [&str; 12] = [
    "create",
    "start",
    "restart",
    "stop",
    "die",
    "kill",
    "oom",
    "pause",
    "unpause",
    "rename",
    "destroy",
    "health_status",
];

pub(crate) fn watch(host: Result<Arc<Host>, Fault>) -> impl Stream<Item = Watch> + Send {
    sending(move |mut to| async move {
        let host = match host {
            Ok(host) => host,
            Err(fault) => {
                // Never ends, as promised: there is nothing to hear, and nothing to hurry for.
                let _reader_gone = to.send(Watch::Lost(fault)).await;
                return std::future::pending().await;
            }
        };
        let mut pause = FIRST_PAUSE;
        let mut said: Option<String> = None;
        loop {
            let mut heard = None;
            let Err(fault) = listen(&host, &mut to, &mut heard).await else {
                return;
            };
            host.forget_version();
            if let Some(since) = heard {
                said = None;
                // One that breaks at once again and again is not worth hurrying for.
                if since.elapsed() > LONGEST_PAUSE {
                    pause = FIRST_PAUSE;
                }
            }
            if said.as_ref() != Some(&fault.message) {
                said = Some(fault.message.clone());
                if to.send(Watch::Lost(fault)).await.is_err() {
                    return;
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    })
}

/// One connection, until it breaks. `Ok` when nobody reads any more.
async fn listen(
    host: &Host,
    to: &mut Sender<Watch>,
    heard: &mut Option<Instant>,
) -> Result<(), Fault> {
    // Asked for from the daemon's present moment on, so nothing falls between this and the
    // inspection that `Connected` asks for.
    let info = host
        .call(
            QUICK,
            "answering",
            |docker| async move { docker.info().await },
        )
        .await?;
    let filters = HashMap::from([
        ("type".to_owned(), vec!["container".to_owned()]),
        ("event".to_owned(), ACTIONS.map(str::to_owned).to_vec()),
    ]);
    let options = EventsOptions {
        since: info
            .system_time
            .as_deref()
            .and_then(Moment::parse)
            .map(|now| now.query()),
        until: None,
        filters: Some(filters),
    };
    let mut events = host.docker().await?.events(Some(options));
    // Bollard asks when it is first polled, and a refusal comes at once.
    let mut first = tokio::time::timeout(SETTLING, events.next()).await.ok();
    if let Some(Some(Err(error))) = first {
        return Err(host.failed(error, "sending events").into());
    }
    *heard = Some(Instant::now());
    if to.send(Watch::Connected).await.is_err() {
        return Ok(());
    }
    loop {
        let heard = match first.take() {
            Some(heard) => Ok(heard),
            None => tokio::time::timeout(SILENCE, events.next()).await,
        };
        let event = match heard {
            Err(_) => {
                host.ping().await?;
                continue;
            }
            Ok(None) => {
                return Err(docker(
                    FaultKind::Unreachable,
                    "Docker ended the stream of events: it is stopping or was restarted.",
                ));
            }
            Ok(Some(Err(error))) => return Err(host.failed(error, "sending events").into()),
            Ok(Some(Ok(event))) => event,
        };
        if is_of(&host.names().await, &event)
            && let Some(event) = told(&event)
            && to.send(event).await.is_err()
        {
            return Ok(());
        }
    }
}

/// Ends of the gateway's containers within the last while, oldest first, as far as Docker remembers: it
/// keeps the last 256 events of all its containers, and none from before its own start.
pub(crate) async fn deaths(host: &Host, within: Duration) -> Result<Vec<Timestamp>, Fault> {
    let doing = "telling what happened before";
    // By the daemon's clock: an end that lies in its future would be waited for.
    let info = host
        .call(QUICK, doing, |docker| async move { docker.info().await })
        .await?;
    let Some(now) = info.system_time.as_deref().and_then(Moment::parse) else {
        return Ok(Vec::new());
    };
    let since = i64::from(now.seconds()).saturating_sub_unsigned(within.as_secs());
    let filters = HashMap::from([
        ("type".to_owned(), vec!["container".to_owned()]),
        ("event".to_owned(), vec!["die".to_owned()]),
    ]);
    let options = EventsOptions {
        since: Some(since.to_string()),
        until: Some(now.query()),
        filters: Some(filters),
    };
    let told: Vec<EventMessage> = host
        .call(QUICK, doing, |docker| async move {
            docker.events(Some(options)).try_collect().await
        })
        .await?;
    let names = host.names().await;
    let ours = told.iter().filter(|event| is_of(&names, event));
    Ok(ours.map(at).collect())
}

/// Whether it happened to one of the gateway's containers.
fn is_of(names: &Names, event: &EventMessage) -> bool {
    let attributes = event
        .actor
        .as_ref()
        .and_then(|actor| actor.attributes.as_ref());
    let label = |name: &str| attributes?.get(name).map(String::as_str);
    names.fit(label, label("name"))
}

fn at(event: &EventMessage) -> Timestamp {
    Timestamp::from_millis(match event.time_nano {
        Some(nanos) => nanos / 1_000_000,
        None => event.time.unwrap_or(0).saturating_mul(1_000),
    })
}

fn told(event: &EventMessage) -> Option<Watch> {
    let actor = event.actor.as_ref()?;
    let attributes = actor.attributes.clone().unwrap_or_default();
    Some(Watch::Event {
        action: event.action.clone()?,
        container_id: actor.id.clone()?,
        exit_code: attributes
            .get("exitCode")
            .and_then(|code| code.parse().ok()),
        at: at(event),
    })
}
