//! Parts of a page that change while one looks: rendered once for everybody of a role, embedded in the
//! page, and pushed when they change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::credential::Listed;
use domain::gateway::{Gateway, GatewayId};
use domain::history::{Incident, Strip};
use domain::logs::{Mark, Missed, Seam};
use domain::observation::Observation;
use domain::operation::{Operation, OperationView};
use domain::person::Role;
use domain::ports::StoreError;
use domain::proposal::Proposal;
use domain::scan::Scan;
use domain::time::Timestamp;
use serde::Serialize;

use crate::pages::logs::Filter;
use crate::pages::{gateway, hand_off, logs, operation, operations};
use crate::panel::Panel;
use crate::register;
use crate::reviews;
use crate::rungs::{Sight, Usual};
use crate::second;
use crate::ui::{frame, moment};

/// How long a rendered gateway may serve further views: what depends on the time alone (a fact going
/// stale, a wait that ends) shows within this.
const FRESH: Duration = Duration::from_secs(1);
/// How long the usual durations are believed.
const USUAL_FOR: Duration = Duration::from_secs(30);

/// An element of a page, by its id. Ages in it are still open: two fragments are the same when the
/// panel's knowledge is, however much time has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The element's id.
    pub id: &'static str,
    markup: String,
}

impl Fragment {
    /// An element with its id and its markup.
    pub fn new(id: &'static str, markup: String) -> Self {
        Self { id, markup }
    }

    /// The element as markup, its ages still open.
    pub(crate) fn open(&self) -> &str {
        &self.markup
    }

    /// The element as markup, ages written for `now`.
    pub fn html(&self, now: Timestamp) -> String {
        moment::fill(&self.markup, now)
    }
}

/// The fragments of a gateway's page for one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayFragments {
    /// The observation's revision that they show.
    pub revision: u64,
    /// In the order of the page.
    pub fragments: Vec<Fragment>,
    /// The whole content of the page, with the fragments in place.
    page: String,
}

impl GatewayFragments {
    /// The content of the page, ages written for `now`.
    pub(crate) fn page(&self, now: Timestamp) -> String {
        moment::fill(&self.page, now)
    }
}

/// The fragments of an operation's page.
pub fn operation_fragments(
    role: Role,
    view: &OperationView,
    scan: Option<&Scan>,
    now: Timestamp,
) -> Vec<Fragment> {
    operation::fragments(role, view, scan, now)
}

/// The fragments of the screen that an operation's code was handed off to.
pub fn handed_off_fragments(view: &OperationView, scan: Option<&Scan>) -> Vec<Fragment> {
    hand_off::fragments(view, scan)
}

/// What takes their place once the link is taken back.
pub fn taken_back() -> Vec<Fragment> {
    hand_off::taken_back()
}

/// The fragments of the list of a gateway's operations.
///
/// # Errors
/// When the database does not answer.
pub async fn operations_fragments(
    panel: &Panel,
    id: &GatewayId,
) -> Result<Vec<Fragment>, StoreError> {
    Ok(vec![operations::list(panel, id, None).await?])
}

/// Whether something runs, as the navigation of every page says it.
pub fn running(panel: &Panel, id: &GatewayId) -> Fragment {
    let holder = panel.operations.holder(id);
    Fragment::new("running", frame::running(holder.as_ref()))
}

/// What of `new` is not in `old`.
pub fn changed<'a>(old: &[Fragment], new: &'a [Fragment]) -> Vec<&'a Fragment> {
    new.iter().filter(|new| !old.contains(new)).collect()
}

/// Data of the event `patch`: `{"revision":7,"now":…,"fragments":[{"id":"verdict","html":"…"}]}`.
pub fn patch(revision: u64, fragments: &[&Fragment], now: Timestamp) -> String {
    #[derive(Serialize)]
    struct Piece {
        id: &'static str,
        html: String,
    }
    #[derive(Serialize)]
    struct Patch {
        revision: u64,
        now: i64,
        fragments: Vec<Piece>,
    }
    let fragments = fragments
        .iter()
        .map(|fragment| Piece {
            id: fragment.id,
            html: fragment.html(now),
        })
        .collect();
    json(&Patch {
        revision,
        now: now.as_millis(),
        fragments,
    })
}

/// Data of the event `tick`: `{"now":…}`, the server's time in milliseconds.
pub fn tick(now: Timestamp) -> String {
    format!(r#"{{"now":{}}}"#, now.as_millis())
}

/// Data of the event `tick` of the log page: how far the log was read, too.
pub fn log_tick(read: Mark, now: Timestamp) -> String {
    format!(r#"{{"now":{},"read":"{read}"}}"#, now.as_millis())
}

/// Data of the event `lines` of the log page: `{"html":"<li>…</li>…","read":"…"}`; `None` when the
/// filter drops every line and none is missing.
pub fn log_lines(missed: &Missed, filter: &Filter, read: Mark, now: Timestamp) -> Option<String> {
    #[derive(Serialize)]
    struct Lines {
        html: String,
        read: String,
    }
    let gap = match missed.seam {
        Seam::Open => logs::GAP,
        Seam::Closed => "",
    };
    let html = format!("{gap}{}", logs::items(&missed.lines, filter, now));
    let read = read.to_string();
    (!html.is_empty()).then(|| json(&Lines { html, read }))
}

fn json(of: &impl Serialize) -> String {
    serde_json::to_string(of).unwrap_or_else(|_| "{}".to_owned())
}

/// What was rendered lately.
#[derive(Default)]
pub struct Rendered {
    gateways: Mutex<HashMap<(GatewayId, Role), Kept>>,
    usual: Mutex<HashMap<GatewayId, (Timestamp, Arc<Usual>)>>,
    pub(crate) register: register::Kept,
    pub(crate) second: second::Kept,
    pub(crate) reviews: reviews::Kept,
}

struct Kept {
    of: Knowledge,
    at: Timestamp,
    fragments: Arc<GatewayFragments>,
}

/// What a gateway's page is made of, compared by identity.
struct Knowledge {
    observation: Option<Arc<Observation>>,
    strips: Arc<Vec<Strip>>,
    incidents: Arc<Vec<Incident>>,
    holder: Option<Operation>,
    usual: Arc<Usual>,
    register: Arc<Vec<Listed>>,
    proposal: Option<Arc<Proposal>>,
}

impl Knowledge {
    fn same(&self, other: &Self) -> bool {
        let observation = match (&self.observation, &other.observation) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        observation
            && Arc::ptr_eq(&self.strips, &other.strips)
            && Arc::ptr_eq(&self.incidents, &other.incidents)
            && Arc::ptr_eq(&self.usual, &other.usual)
            && Arc::ptr_eq(&self.register, &other.register)
            && self.holder == other.holder
            && self.proposal == other.proposal
    }
}

/// The fragments of a gateway's page as `role` may see them; `None` when there is no such gateway.
/// Cheap when nothing changed: event streams and page views share one rendering.
pub async fn gateway_fragments(
    panel: &Panel,
    role: Role,
    id: &GatewayId,
) -> Option<Arc<GatewayFragments>> {
    let gateways = panel.observations.gateways();
    let gateway = gateways.into_iter().find(|gateway| gateway.id == *id)?;
    let now = panel.clock.now();
    let knowledge = Knowledge {
        observation: panel.observations.observation(id),
        strips: panel.observations.strips(id),
        incidents: panel.observations.incidents(id),
        holder: panel.operations.holder(id),
        usual: usual(panel, id, now).await,
        register: register::known(panel, now).await,
        proposal: second::known(panel, id, now).await,
    };
    let key = (id.clone(), role);
    if let Some(kept) = lock(&panel.rendered.gateways).get(&key)
        && now.since(kept.at) < FRESH
        && kept.of.same(&knowledge)
    {
        return Some(Arc::clone(&kept.fragments));
    }
    let fragments = Arc::new(render(&gateway, role, &knowledge, now));
    let kept = Kept {
        of: knowledge,
        at: now,
        fragments: Arc::clone(&fragments),
    };
    lock(&panel.rendered.gateways).insert(key, kept);
    Some(fragments)
}

fn render(
    gateway: &Gateway,
    role: Role,
    knowledge: &Knowledge,
    now: Timestamp,
) -> GatewayFragments {
    let sight = Sight {
        gateway: &gateway.id,
        seen: knowledge.observation.as_deref(),
        holder: knowledge.holder.as_ref(),
        role,
        usual: &knowledge.usual,
        now,
    };
    let fragments = gateway::fragments(
        sight,
        &knowledge.strips,
        &knowledge.incidents,
        &knowledge.register,
        knowledge.proposal.as_deref(),
    );
    let page = gateway::compose(gateway, &fragments);
    GatewayFragments {
        revision: sight.seen.map_or(0, |seen| seen.revision),
        fragments,
        page,
    }
}

/// How long operations usually take, asked for now and then; a database that is away costs only this.
pub(crate) async fn usual(panel: &Panel, id: &GatewayId, now: Timestamp) -> Arc<Usual> {
    if let Some((at, usual)) = lock(&panel.rendered.usual).get(id)
        && now.since(*at) < USUAL_FOR
    {
        return Arc::clone(usual);
    }
    let before = {
        // Whoever comes while this one asks gets what was known before.
        let mut kept = lock(&panel.rendered.usual);
        let known = kept.entry(id.clone()).or_default();
        known.0 = now;
        Arc::clone(&known.1)
    };
    let asked = panel.operations.usual_durations(id).await;
    let mut kept = lock(&panel.rendered.usual);
    let usual = match (asked, before) {
        (Ok(usual), before) if *before != usual => Arc::new(usual),
        (_, before) => before,
    };
    kept.insert(id.clone(), (now, Arc::clone(&usual)));
    usual
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
