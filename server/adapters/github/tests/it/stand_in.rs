//! GitHub's part: one repository with secrets, and the faults it can be told to have.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_box::SecretKey;
use crypto_box::aead::OsRng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const REPOSITORY: &str = "example/infra";
pub(crate) const TOKEN: &str = "github_pat_hunter22hunter22";
pub(crate) const KEY_ID: &str = "568250167242549743";

/// What goes wrong, until told otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) enum Trouble {
    #[default]
    None,
    /// Requests whose `METHOD path` contains the text are answered with this.
    Answer(&'static str, u16, Vec<(&'static str, String)>),
    /// The same, with this text instead of JSON.
    Says(&'static str, String),
    /// They are never answered.
    Hangs(&'static str),
    /// A secret is taken, and its date stays.
    Forgets,
    /// A secret is taken, and its date is that of a year ago.
    GoesBack,
    /// A secret is taken, and not listed.
    Loses,
}

pub(crate) struct Seen {
    pub(crate) request: String,
    pub(crate) headers: BTreeMap<String, String>,
}

pub(crate) struct World {
    key: SecretKey,
    pub(crate) trouble: Trouble,
    pub(crate) archived: bool,
    pub(crate) push: bool,
    pub(crate) private: bool,
    pub(crate) scopes: Option<&'static str>,
    pub(crate) secrets: BTreeMap<String, (Vec<u8>, Timestamp)>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) now: Timestamp,
}

/// The stand-in, on loopback until the test ends.
pub(crate) struct StandIn {
    pub(crate) url: String,
    world: Arc<Mutex<World>>,
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let world = Arc::new(Mutex::new(World {
            key: SecretKey::generate(&mut OsRng),
            trouble: Trouble::None,
            archived: false,
            push: true,
            private: true,
            scopes: None,
            secrets: BTreeMap::new(),
            seen: Vec::new(),
            now: "2026-11-22T02:14:05Z".parse().unwrap(),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, world }
    }

    pub(crate) fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap())
    }

    pub(crate) fn has(&self, trouble: Trouble) {
        self.world(|world| world.trouble = trouble);
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.world(|world| world.seen.iter().map(|seen| seen.request.clone()).collect())
    }
}

async fn answer(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let asked = format!("{} {}", parts.method, parts.uri.path());
    let header = |name: &str| {
        let value = parts.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default().to_owned()
    };
    let headers = parts
        .headers
        .keys()
        .map(|name| (name.to_string(), header(name.as_str())));
    let trouble = {
        let mut world = world.lock().unwrap();
        let headers = headers.collect();
        world.seen.push(Seen {
            request: asked.clone(),
            headers,
        });
        world.trouble.clone()
    };
    match trouble {
        Trouble::Answer(at, code, headers) if asked.contains(at) => {
            // GitHub's own words could repeat what it was told.
            let said = json!({ "message": String::from_utf8_lossy(&body) });
            let mut response = reply(StatusCode::from_u16(code).unwrap(), &said);
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            return response;
        }
        Trouble::Says(at, text) if asked.contains(at) => return Response::new(Body::from(text)),
        Trouble::Hangs(at) if asked.contains(at) => std::future::pending().await,
        _ => {}
    }
    if header("authorization") != format!("Bearer {TOKEN}") {
        return reply(
            StatusCode::UNAUTHORIZED,
            &json!({ "message": "Bad credentials" }),
        );
    }
    let mut world = world.lock().unwrap();
    let (status, said) = world.carry_out(&asked, &body);
    let mut response = reply(status, &said);
    let headers = response.headers_mut();
    let now = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&world.now)
        .unwrap();
    headers.insert("date", now.parse().unwrap());
    if let Some(scopes) = world.scopes {
        headers.insert("x-oauth-scopes", HeaderValue::from_static(scopes));
    }
    response
}

impl World {
    fn carry_out(&mut self, asked: &str, body: &[u8]) -> (StatusCode, Value) {
        let gone = (StatusCode::NOT_FOUND, json!({ "message": "Not Found" }));
        let (method, path) = asked.split_once(' ').unwrap();
        let Some(path) = path.strip_prefix("/repos/example/infra") else {
            return gone;
        };
        match (method, path) {
            ("GET", "") => {
                let may = json!({ "admin": false, "push": self.push, "pull": true });
                let (archived, private) = (self.archived, self.private);
                let said = json!({
                    "full_name": REPOSITORY, "archived": archived, "private": private, "permissions": may,
                });
                (StatusCode::OK, said)
            }
            ("GET", "/actions/secrets/public-key") => {
                let key = STANDARD.encode(self.key.public_key().as_bytes());
                (StatusCode::OK, json!({ "key_id": KEY_ID, "key": key }))
            }
            (method, path) => {
                let Some(name) = path.strip_prefix("/actions/secrets/") else {
                    return gone;
                };
                match method {
                    "GET" => match self.secrets.get(name) {
                        Some((_, at)) => {
                            let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                            (
                                StatusCode::OK,
                                json!({ "name": name, "created_at": at, "updated_at": at }),
                            )
                        }
                        None => gone,
                    },
                    "PUT" => self.put(name, body),
                    _ => gone,
                }
            }
        }
    }

    fn put(&mut self, name: &str, body: &[u8]) -> (StatusCode, Value) {
        let body: Value = serde_json::from_slice(body).unwrap();
        let sealed = STANDARD
            .decode(body["encrypted_value"].as_str().unwrap())
            .unwrap();
        let (Ok(value), Some(KEY_ID)) = (self.key.unseal(&sealed), body["key_id"].as_str()) else {
            return (StatusCode::UNPROCESSABLE_ENTITY, json!({ "message": "no" }));
        };
        self.now += SignedDuration::from_mins(10);
        let before = self.secrets.get(name).map(|(_, at)| *at);
        let at = match self.trouble {
            Trouble::Forgets => before.unwrap(),
            Trouble::GoesBack => before.unwrap() - SignedDuration::from_hours(365 * 24),
            _ => self.now,
        };
        if !matches!(self.trouble, Trouble::Loses) {
            self.secrets.insert(name.to_owned(), (value, at));
        }
        match before {
            Some(_) => (StatusCode::NO_CONTENT, Value::Null),
            None => (StatusCode::CREATED, json!({})),
        }
    }
}

fn reply(status: StatusCode, said: &Value) -> Response<Body> {
    let body = match said {
        Value::Null => Body::empty(),
        said => Body::from(said.to_string()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
