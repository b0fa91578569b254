//! Live fragments, rendered by the pages' own components.

use app::Panel;
use async_trait::async_trait;
use domain::operation::{OperationId, OperationView};
use domain::person::Role;

use crate::http::{Look, Render, Topic};

/// Renders what event streams push.
pub(crate) struct Renderer(pub(crate) Panel);

impl Renderer {
    async fn view(&self, id: OperationId) -> Option<OperationView> {
        match self.0.operations.view(id).await {
            Ok(view) => view,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "An operation could not be read for its page"
                );
                None
            }
        }
    }
}

#[async_trait]
impl Render for Renderer {
    async fn render(&self, topic: &Topic, role: Role) -> Option<Look> {
        match topic {
            Topic::Gateway(id) => {
                let rendered = app::live::gateway_fragments(&self.0, role, id).await?;
                let mut fragments = rendered.fragments.clone();
                fragments.push(app::live::running(&self.0, id));
                Some(Look {
                    revision: rendered.revision,
                    fragments,
                })
            }
            Topic::Operations(id) => {
                let mut fragments = match app::live::operations_fragments(&self.0, id).await {
                    Ok(fragments) => fragments,
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "The operations could not be read for their page"
                        );
                        return None;
                    }
                };
                fragments.push(app::live::running(&self.0, id));
                Some(Look {
                    revision: 0,
                    fragments,
                })
            }
            Topic::HandedOff(id) => {
                let view = self.view(*id).await?;
                let scan = self.0.scans.of(*id);
                Some(Look {
                    revision: u64::try_from(view.sequence).unwrap_or(0),
                    fragments: app::live::handed_off_fragments(&view, scan.as_ref()),
                })
            }
            Topic::Operation(id) => {
                let view = self.view(*id).await?;
                let scan = self.0.scans.of(*id);
                let now = self.0.clock.now();
                let mut fragments = app::live::operation_fragments(role, &view, scan.as_ref(), now);
                fragments.push(app::live::running(
                    &self.0,
                    view.operation.command.gateway(),
                ));
                Some(Look {
                    revision: u64::try_from(view.sequence).unwrap_or(0),
                    fragments,
                })
            }
        }
    }
}
