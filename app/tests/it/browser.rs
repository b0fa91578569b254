//! Asks the pages as a browser without JavaScript does: through the router that the server uses.

use std::sync::Arc;

use app::{OwnSession, Screen, Viewer};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use domain::hand_off::HandOff;
use domain::person::{Actor, Person, Roles};
use tower::ServiceExt as _;

use crate::fake_people::person;
use crate::fakes::{NOW, World, panel};

pub(crate) struct Browser {
    router: Router,
    viewer: Option<Arc<Viewer>>,
    session: Option<Arc<dyn OwnSession>>,
    screen: Option<Arc<Screen>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) html: String,
}

impl Browser {
    /// Signed in as anna with these roles.
    pub(crate) fn of(world: &Arc<World>, roles: impl Into<Roles>) -> Self {
        let roles = roles.into();
        let role = roles.everywhere;
        let person = Person {
            roles,
            ..person(1, "anna", role)
        };
        let actor = Actor::Person {
            id: person.id,
            name: person.name.clone(),
            role,
            address: None,
            browser: None,
            session: None,
            token: None,
        };
        let viewer = Viewer {
            actor,
            person,
            session: None,
            sessions: Arc::default(),
            signed_in_at: NOW,
            confirmed_at: NOW,
        };
        Self::with(world, Some(viewer))
    }

    pub(crate) fn signed_out(world: &Arc<World>) -> Self {
        Self::with(world, None)
    }

    pub(crate) fn with(world: &Arc<World>, viewer: Option<Viewer>) -> Self {
        let panel = panel(world);
        let router = app::outside(&panel).merge(app::inside(&panel));
        Self {
            router,
            viewer: viewer.map(Arc::new),
            session: None,
            screen: None,
        }
    }

    /// With a session that forms may renew.
    pub(crate) fn in_session(mut self, session: Arc<dyn OwnSession>) -> Self {
        self.session = Some(session);
        self
    }

    /// A device that has opened a one-time link.
    pub(crate) fn screen(mut self, opened: HandOff) -> Self {
        self.screen = Some(Arc::new(Screen(opened)));
        self
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        let request = Request::get(url);
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    /// Posts a form from the page `from`.
    pub(crate) async fn post(&self, from: &str, to: &str, form: &str) -> Answer {
        let request = Request::post(to)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::REFERER, format!("https://panel.example{from}"));
        self.ask(request.body(Body::from(form.to_owned())).unwrap())
            .await
    }

    async fn ask(&self, mut request: Request<Body>) -> Answer {
        let accept = header::HeaderValue::from_static("text/html");
        request.headers_mut().insert(header::ACCEPT, accept);
        if let Some(viewer) = &self.viewer {
            request.extensions_mut().insert(viewer.clone());
        }
        if let Some(session) = &self.session {
            request.extensions_mut().insert(session.clone());
        }
        if let Some(screen) = &self.screen {
            request.extensions_mut().insert(screen.clone());
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let location = response.headers().get(header::LOCATION);
        let location = location.map_or("", |value| value.to_str().unwrap());
        let location = location.replace("https://panel.example", "");
        let body = to_bytes(response.into_body(), 4 << 20).await.unwrap();
        Answer {
            status,
            location,
            html: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

impl Answer {
    /// The text of the page without markup, single spaced.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut inside = false;
        let body = self.html.split("<body").nth(1).unwrap_or(&self.html);
        for c in body.chars() {
            match c {
                '<' => inside = true,
                '>' if inside => {
                    inside = false;
                    text.push(' ');
                }
                c if !inside => text.push(c),
                _ => {}
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn says(&self, words: &str) -> bool {
        self.text().contains(words)
    }

    /// Elements opened by `start`, up to the next `end`.
    pub(crate) fn pieces(&self, start: &str, end: &str) -> Vec<&str> {
        let mut pieces = Vec::new();
        let mut rest = self.html.as_str();
        while let Some((_, after)) = rest.split_once(start) {
            let (piece, after) = after.split_once(end).unwrap_or((after, ""));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}
