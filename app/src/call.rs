//! The one door: no page and no form reaches a port without passing here.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use domain::action::{Action, STEP_UP, STEP_UP_GRACE};
use domain::audit::{AuditOutcome, NewAuditEvent};
use domain::can::{self, Permit};
use domain::gateway::{Gateway, GatewayId};
use domain::key_rotation::KeyRotation;
use domain::operation::{OperationId, OperationView};
use domain::person::{Actor, Role};
use domain::proposal::Proposal;
use domain::time::Timestamp;
use leptos::prelude::use_context;
use serde::{Deserialize, Serialize};

use crate::error::{OrSay as _, PanelError};
use crate::pages::encoded;
use crate::panel::{OwnSession, Panel, Viewer};

/// A request by somebody signed in.
#[derive(Clone)]
pub struct Call {
    panel: Panel,
    viewer: Arc<Viewer>,
}

/// What a password vouches for that was typed lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// That a form may be shown.
    ToAsk,
    /// That it may be sent, a little later.
    ToAct,
}

/// Proof that a form has sent the browser on to a page; what every form returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Went(());

impl Call {
    /// The present request.
    ///
    /// # Errors
    /// [`PanelError::SignedOut`] when nobody is signed in.
    pub fn current() -> Result<Self, PanelError> {
        let panel = use_context::<Panel>().ok_or_else(|| PanelError::Unavailable {
            id: "no-panel".to_owned(),
        })?;
        let viewer = use_context::<Arc<Viewer>>()
            .or_else(|| {
                use_context::<Parts>()?
                    .extensions
                    .get::<Arc<Viewer>>()
                    .cloned()
            })
            .ok_or(PanelError::SignedOut)?;
        Ok(Self { panel, viewer })
    }

    /// A call from its parts: event streams and tests.
    pub fn new(panel: Panel, viewer: Arc<Viewer>) -> Self {
        Self { panel, viewer }
    }

    /// The session of the present request; `None` where there is none to renew (tests). To be asked
    /// before anything is awaited.
    pub(crate) fn own_session() -> Option<Arc<dyn OwnSession>> {
        use_context::<Parts>()?.extensions.get().cloned()
    }

    /// The ports.
    pub fn panel(&self) -> &Panel {
        &self.panel
    }

    /// Who is looking.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.viewer.actor
    }

    /// Their role in what belongs to no gateway, as last read.
    pub fn role(&self) -> Role {
        self.viewer.role(None)
    }

    /// Their role on a gateway, as last read.
    pub fn role_on(&self, gateway: &GatewayId) -> Role {
        self.viewer.role(Some(gateway))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.panel.clock.now()
    }

    /// A number that leads from a page to the log.
    pub fn error_id(&self) -> String {
        let id = self.panel.ids.next().simple().to_string();
        id[id.len() - 8..].to_owned()
    }

    /// Whether the table lets them do what belongs to no gateway, without a trace: for buttons.
    ///
    /// # Errors
    /// The reason to show.
    pub fn may(&self, action: Action) -> Result<(), &'static str> {
        can::role_may(Some(self.role()), action).map_err(|denied| denied.why)
    }

    /// The same on a gateway.
    ///
    /// # Errors
    /// The reason to show.
    pub fn may_on(&self, action: Action, gateway: &GatewayId) -> Result<(), &'static str> {
        can::role_may(Some(self.role_on(gateway)), action).map_err(|denied| denied.why)
    }

    /// The permit to do `action`; a denial is audited.
    ///
    /// # Errors
    /// [`PanelError::NotAllowed`] with the table's reason; [`PanelError::Unconfirmed`] when the act asks for a
    /// password that was typed lately.
    pub async fn permit(
        &self,
        action: Action,
        gateway: Option<&GatewayId>,
    ) -> Result<Permit, PanelError> {
        match self.viewer.permit(action, gateway) {
            Ok(_) if !self.is_confirmed(action, STEP_UP + STEP_UP_GRACE) => {
                Err(PanelError::Unconfirmed)
            }
            Ok(permit) => Ok(permit),
            Err(denied) => {
                let event = NewAuditEvent {
                    gateway: gateway.cloned(),
                    note: Some(denied.why.to_owned()),
                    ..NewAuditEvent::new(
                        self.viewer.actor(gateway),
                        action.as_str(),
                        AuditOutcome::Denied,
                    )
                };
                // A refusal stands whether or not it can be written down.
                let written = self.panel.audit.record(event).await;
                if written.or_say(|| self.error_id()).is_err() {
                    tracing::warn!(action = action.as_str(), "Denied without an audit event");
                }
                Err(denied.into())
            }
        }
    }

    /// The same before the form of such an act is shown: what is opened in time can be sent.
    ///
    /// # Errors
    /// As [`Call::permit`].
    pub async fn permit_to_ask(
        &self,
        action: Action,
        gateway: Option<&GatewayId>,
    ) -> Result<(), PanelError> {
        self.permit(action, gateway).await?;
        if self.is_confirmed(action, STEP_UP) {
            Ok(())
        } else {
            Err(PanelError::Unconfirmed)
        }
    }

    /// For what concerns one's own account and asks for a password that was typed lately.
    ///
    /// # Errors
    /// [`PanelError::Unconfirmed`] when it was too long ago.
    pub fn confirmed(&self, asked: Confirmed) -> Result<(), PanelError> {
        let within = match asked {
            Confirmed::ToAsk => STEP_UP,
            Confirmed::ToAct => STEP_UP + STEP_UP_GRACE,
        };
        if self.now().since(self.viewer.confirmed_at) < within {
            Ok(())
        } else {
            Err(PanelError::Unconfirmed)
        }
    }

    fn is_confirmed(&self, action: Action, within: Duration) -> bool {
        !action.needs_step_up() || self.now().since(self.viewer.confirmed_at) < within
    }

    /// Whether they may read the whole audit trail.
    pub fn reads_all_audit(&self) -> bool {
        self.may(Action::ViewAudit).is_ok()
    }

    /// The gateways that they may read the audit trail of.
    pub fn audited_gateways(&self) -> Vec<Gateway> {
        let all = self.reads_all_audit();
        let mut gateways = self.panel.observations.gateways();
        gateways.retain(|gateway| all || self.may_on(Action::ViewAudit, &gateway.id).is_ok());
        gateways
    }

    /// As whom they read the audit trail, or what of it is about a gateway: whoever reads all of it reads that, too. A
    /// denial is audited.
    ///
    /// # Errors
    /// As [`Call::permit`].
    pub async fn reads_audit(&self, gateway: Option<&GatewayId>) -> Result<Actor, PanelError> {
        let of = gateway.filter(|_| !self.reads_all_audit());
        self.permit(Action::ViewAudit, of).await?;
        Ok(self.viewer.actor(of))
    }

    /// The gateways that they may look at.
    pub fn gateways(&self) -> Vec<Gateway> {
        let mut gateways = self.panel.observations.gateways();
        gateways.retain(|gateway| self.may_on(Action::ViewGateway, &gateway.id).is_ok());
        gateways
    }

    /// The gateway of a URL, for whoever may look at it.
    ///
    /// # Errors
    /// [`PanelError::Gone`] when there is none of that name; [`PanelError::NotAllowed`].
    pub async fn gateway(&self, id: &str) -> Result<Gateway, PanelError> {
        let mut gateways = self.panel.observations.gateways().into_iter();
        let gateway = gateways.find(|gateway| gateway.id.as_str() == id);
        let gateway =
            gateway.ok_or_else(|| PanelError::gone("There is no gateway of that name."))?;
        self.permit(Action::ViewGateway, Some(&gateway.id)).await?;
        Ok(gateway)
    }

    /// The rotation of a URL: the one that an operation did on this gateway.
    ///
    /// # Errors
    /// [`PanelError::Gone`] when there is none.
    pub async fn rotation(
        &self,
        gateway: &GatewayId,
        operation: &str,
    ) -> Result<KeyRotation, PanelError> {
        let gone =
            || PanelError::gone("No key was rotated by that operation. The link may be old.");
        let operation = OperationId(operation.parse().map_err(|_| gone())?);
        let found = self.panel.rotations.of(operation).await;
        found
            .or_say(|| self.error_id())?
            .filter(|rotation| rotation.gateway == *gateway)
            .ok_or_else(gone)
    }

    /// What waits for a second person, by its URL.
    ///
    /// # Errors
    /// [`PanelError::Gone`] when there is none; [`PanelError::NotAllowed`] when they may not look at its gateway.
    pub async fn proposal(&self, id: &str) -> Result<Proposal, PanelError> {
        let gone = || PanelError::gone("There is no such request. The link may be old.");
        let found = self
            .panel
            .proposals
            .proposal(id.parse().map_err(|_| gone())?)
            .await;
        let found = found.or_say(|| self.error_id())?.ok_or_else(gone)?;
        let gateway = found.command.gateway();
        self.permit(Action::ViewGateway, Some(gateway)).await?;
        Ok(found)
    }

    /// The operation of a URL, with its steps.
    ///
    /// # Errors
    /// [`PanelError::Gone`] when there is none; [`PanelError::NotAllowed`] when they may not look at its gateway.
    pub async fn operation(&self, id: &str) -> Result<OperationView, PanelError> {
        let gone = || PanelError::gone("There is no such operation. The link may be old.");
        let id = OperationId(id.parse().map_err(|_| gone())?);
        let view = self.panel.operations.view(id).await;
        let view = view.or_say(|| self.error_id())?.ok_or_else(gone)?;
        let gateway = view.operation.command.gateway();
        self.permit(Action::ViewGateway, Some(gateway)).await?;
        Ok(view)
    }
}

/// Sends the browser back to the page of a form, with what was typed and what is wrong with it: for what
/// costs to be typed again. Never with a secret.
pub(crate) fn redirect_back(page: &str, typed: &[(&str, &str)], error: &PanelError) -> Went {
    let mut url = format!("{page}?{}", error.as_query());
    for (name, value) in typed {
        url.extend(["&", name, "=", &encoded(value)]);
    }
    redirect_to(&url)
}

/// Sends the browser to a page of ours and ends the form: `return Ok(redirect_to(…))`.
pub(crate) fn redirect_to(path: &str) -> Went {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the helper that the ban names"
    )]
    leptos_axum::redirect(path);
    Went(())
}
