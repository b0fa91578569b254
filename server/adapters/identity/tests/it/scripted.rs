//! A provider that does what it is told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_gateway::http::{Trust, client};
use adapter_identity::{Provider, Settings};
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::identity::{Answer, Asked, Claims, GroupRoles, Purpose};
use domain::person::Role;
use domain::ports::{Clock, IdentityProvider as _, ProviderError};
use domain::time::Timestamp;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use url::Url;

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const CODE: &str = "code-of-ida";
const KEY: &str = "access-token-of-ida";

/// A clock that is moved by hand.
pub(crate) struct Hands(AtomicI64);

impl Hands {
    pub(crate) fn forward(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap();
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Who signs a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    /// The provider.
    ByItself,
    /// A key that is not in its list.
    ByAnother,
    /// Nobody: the signature is left out.
    Not,
}

/// What the provider says and does.
pub(crate) struct Script {
    /// Put over the good claims of a token; `null` takes one away.
    pub(crate) claims: Value,
    /// The same for its description of itself.
    pub(crate) metadata: Value,
    /// What it tells besides the token.
    pub(crate) more: Option<Value>,
    /// Who signs.
    pub(crate) signed: Signed,
    /// The header of tokens.
    pub(crate) header: Value,
    /// It fails itself.
    pub(crate) down: bool,
    /// What the token endpoint was asked.
    pub(crate) seen: Vec<BTreeMap<String, String>>,
    issuer: String,
    nonce: String,
    challenge: String,
    /// The code opened something already.
    used: bool,
}

type Shared = Arc<Mutex<Script>>;

/// The provider, the panel's side of it, and a clock.
pub(crate) struct World {
    pub(crate) provider: Provider,
    pub(crate) script: Shared,
    pub(crate) clock: Arc<Hands>,
    _folder: tempfile::TempDir,
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn over(good: &mut Value, change: &Value) {
    let (Some(good), Some(change)) = (good.as_object_mut(), change.as_object()) else {
        return;
    };
    for (name, value) in change {
        if value.is_null() {
            good.remove(name);
        } else {
            good.insert(name.clone(), value.clone());
        }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script {
            claims: json!({}),
            metadata: json!({}),
            more: None,
            signed: Signed::ByItself,
            header: json!({ "alg": "EdDSA", "kid": "1" }),
            down: false,
            seen: Vec::new(),
            issuer: issuer.clone(),
            nonce: String::new(),
            challenge: String::new(),
            used: false,
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/more", get(more))
            .with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().unwrap();
        let file: PathBuf = folder.path().join("secret");
        std::fs::write(&file, "hunter22\n").unwrap();
        let roles = BTreeMap::from([
            ("ops".to_owned(), Role::Operator),
            ("staff".to_owned(), Role::Viewer),
        ]);
        let settings = Settings {
            issuer,
            client_id: "panel".to_owned(),
            client_secret_file: file,
            name: "Example".to_owned(),
            groups_claim: "groups".to_owned(),
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            roles: GroupRoles::new(roles).unwrap(),
        };
        let clock = Arc::new(Hands(AtomicI64::new(NOW * 1_000)));
        let back = "https://panel.example.org/sign-in/oidc/return".to_owned();
        let client = client(&Trust::load(None).unwrap()).unwrap();
        let provider = Provider::new(settings, back, client, clock.clone()).unwrap();
        Self {
            provider,
            script,
            clock,
            _folder: folder,
        }
    }

    pub(crate) fn issuer(&self) -> String {
        self.script.lock().unwrap().issuer.clone()
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }

    /// The way there: what is remembered, and what the provider was asked.
    pub(crate) async fn begin(&self, purpose: Purpose) -> (Asked, BTreeMap<String, String>) {
        let errand = self.provider.begin(purpose).await.unwrap();
        let url: Url = errand.url.parse().unwrap();
        let query: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        self.set(|script| {
            script.nonce.clone_from(&query["nonce"]);
            script.challenge.clone_from(&query["code_challenge"]);
            script.used = false;
        });
        (errand.asked, query)
    }

    /// There and back, as a browser does it.
    pub(crate) async fn sign_in(&self) -> Result<Claims, ProviderError> {
        let (asked, _) = self.begin(Purpose::SignIn).await;
        let answer = self.answer(&asked);
        self.provider.finish(&asked, answer).await
    }

    /// What the browser brings back.
    pub(crate) fn answer(&self, asked: &Asked) -> Answer {
        Answer {
            state: asked.state.clone(),
            code: Some(CODE.to_owned()),
            issuer: Some(self.issuer()),
            error: None,
        }
    }
}

async fn describe(State(script): State<Shared>) -> Response {
    let script = script.lock().unwrap();
    if script.down {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let issuer = &script.issuer;
    let mut all = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/more"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
        "authorization_response_iss_parameter_supported": true,
    });
    over(&mut all, &script.metadata);
    Json(all).into_response()
}

async fn keys() -> Response {
    let public = URL_SAFE_NO_PAD.encode(key(1).verifying_key().as_bytes());
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "1", "use": "sig", "alg": "EdDSA", "x": public });
    Json(json!({ "keys": [key] })).into_response()
}

async fn token(
    State(script): State<Shared>,
    headers: HeaderMap,
    Form(given): Form<BTreeMap<String, String>>,
) -> Response {
    let mut script = script.lock().unwrap();
    let known = format!("Basic {}", STANDARD.encode("panel:hunter22"));
    let authorised = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value == known.as_str());
    let verifier = given.get("code_verifier").cloned().unwrap_or_default();
    let proof = URL_SAFE_NO_PAD.encode(<sha2::Sha256 as sha2::Digest>::digest(verifier));
    let right = authorised
        && !script.used
        && given.get("code").is_some_and(|code| code == CODE)
        && proof == script.challenge;
    script.seen.push(given);
    if !right {
        let error = Json(json!({ "error": "invalid_grant" }));
        return (StatusCode::BAD_REQUEST, error).into_response();
    }
    script.used = true;
    let token = id_token(&script);
    Json(json!({ "access_token": KEY, "token_type": "Bearer", "id_token": token })).into_response()
}

fn id_token(script: &Script) -> String {
    let mut claims = json!({
        "iss": script.issuer,
        "sub": "248289761001",
        "aud": "panel",
        "exp": NOW + 300,
        "iat": NOW,
        "nonce": script.nonce,
        "preferred_username": "ida",
        "email": "ida@example.org",
        "email_verified": true,
        "groups": ["ops", "chess"],
    });
    over(&mut claims, &script.claims);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&script.header), part(&claims));
    let key = key(match script.signed {
        Signed::ByAnother => 2,
        Signed::ByItself | Signed::Not => 1,
    });
    let signature = match script.header["alg"].as_str() {
        _ if script.signed == Signed::Not => Vec::new(),
        // As if the secret that the panel knows were a key.
        Some("HS256") => hmac(b"hunter22", signed.as_bytes()),
        _ => key.sign(signed.as_bytes()).to_bytes().to_vec(),
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// RFC 2104 with SHA-256, for a key that is shorter than a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    use sha2::{Digest as _, Sha256};
    let padded = |with: u8| -> Vec<u8> {
        let mut block = [with; 64];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        block.to_vec()
    };
    let inner = Sha256::digest([padded(0x36), text.to_vec()].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

async fn more(State(script): State<Shared>, headers: HeaderMap) -> Response {
    let script = script.lock().unwrap();
    let known = format!("Bearer {KEY}");
    let authorised = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value == known.as_str());
    match &script.more {
        Some(more) if authorised => Json(more.clone()).into_response(),
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}
