//! The register's dates for calendars: whoever has a person's secret link reads what that person may read.

use std::sync::Arc;

use app::Panel;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::credential::calendar::{Dated, calendar};
use domain::credential::listed;
use domain::ports::{Calendars, Clock, Observations, Register, StoreError};

use super::sorry;

/// What the calendar is made of.
#[derive(Clone)]
pub(crate) struct Feed {
    calendars: Arc<dyn Calendars>,
    register: Arc<dyn Register>,
    observations: Arc<dyn Observations>,
    clock: Arc<dyn Clock>,
    /// Where browsers reach the panel, without a slash at the end.
    public_url: Arc<str>,
}

impl Feed {
    pub(crate) fn of(panel: &Panel) -> Self {
        Self {
            calendars: panel.calendars.clone(),
            register: panel.register.clone(),
            observations: panel.observations.clone(),
            clock: panel.clock.clone(),
            public_url: panel.public_url.clone(),
        }
    }

    async fn read(&self, token: &str) -> Result<Option<String>, StoreError> {
        if self.calendars.open(token).await?.is_none() {
            return Ok(None);
        }
        let now = self.clock.now();
        let listed = listed(self.register.list().await?, &*self.observations, now);
        let dated = listed.iter().map(|listed| Dated {
            credential: &listed.credential,
            gateway: listed.gateway.as_ref().map(|gateway| &*gateway.name),
            due: listed.due,
        });
        Ok(Some(calendar(dated, &self.public_url, now)))
    }
}

pub(crate) async fn follow(State(feed): State<Feed>, Path(token): Path<String>) -> Response {
    match feed.read(&token).await {
        Ok(Some(calendar)) => {
            let kind = "text/calendar; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], calendar).into_response()
        }
        Ok(None) => sorry::say(
            StatusCode::NOT_FOUND,
            "There is no such calendar",
            "The link was replaced or taken back, or it is cut off. Make another one on the credentials page.",
        ),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "The calendar could not be made"
            );
            let text = "The panel's database does not answer. The calendar asks again by itself.";
            sorry::say(
                StatusCode::SERVICE_UNAVAILABLE,
                "The panel could not answer",
                text,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::routing::get;
    use domain::credential::Kind;
    use domain::path;
    use tower::ServiceExt as _;

    use super::*;
    use crate::register::testing::{Listing, TOKEN, credential};

    async fn asked(listing: Listing, token: &str) -> (StatusCode, String) {
        let listing = Arc::new(listing);
        let feed = Feed {
            calendars: listing.clone(),
            register: listing.clone(),
            observations: listing.clone(),
            clock: listing,
            public_url: "https://panel.example".into(),
        };
        let router = Router::new().route(&path::calendar("{token}"), get(follow).with_state(feed));
        let request = Request::get(path::calendar(token));
        let request = request.body(Body::empty()).unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn due() -> Listing {
        Listing::of(vec![
            credential(Kind::GatewayKey, 183),
            credential(Kind::WhatsappSession, 12),
        ])
    }

    #[tokio::test]
    async fn whoever_has_the_link_reads_what_has_a_date() {
        let (status, calendar) = asked(due(), TOKEN).await;
        assert_eq!(status, StatusCode::OK);
        assert!(calendar.contains("SUMMARY:Rotate OpenClaw API key of OpenClaw on vps-i1\r\n"));
        assert!(calendar.contains("DTSTART;VALUE=DATE:20270112\r\n"));
        assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 1, "{calendar}");
    }

    #[tokio::test]
    async fn a_link_that_opens_nothing_tells_nothing() {
        let (status, said) = asked(due(), "another").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(!said.contains("API key"), "{said}");
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_no_empty_calendar() {
        let mut away = due();
        away.away = true;
        let (status, said) = asked(away, TOKEN).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!said.contains("VCALENDAR"), "{said}");
    }
}
