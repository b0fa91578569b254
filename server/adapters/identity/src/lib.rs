//! An identity provider, by OpenID Connect: the authorization code flow with PKCE, everything about it found by discovery.
//!
//! Whatever comes back is checked against what was asked: state, issuer (RFC 9207 against mix-up), signature, audience,
//! nonce, times. A provider that does not answer costs nobody more than a sentence: nothing is asked of it before somebody
//! wants in.

mod http;
mod read;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::identity::{Answer, Asked, Claims, GroupRoles, Purpose, Refusal};
use domain::person::Role;
use domain::ports::{Clock, Errand, IdentityProvider, ProviderError};
use domain::time::Timestamp;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType,
    CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AdditionalProviderMetadata, AuthType, AuthorizationCode,
    ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, ProviderMetadata, RedirectUrl, Scope, StandardErrorResponse,
    StandardTokenResponse, TokenResponse as _, TokenUrl, UserInfoClaims, UserInfoUrl,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use url::Url;

use http::{Http, unreached};
use read::said;

/// How long the provider's own description of itself is good for the way there; on the way back it is asked again, since
/// keys change.
const KNOWN_FOR: Duration = Duration::from_secs(60);
/// Questions to the provider at a time: a flood at the door must not become one there.
const AT_ONCE: usize = 8;
/// How far the provider's clock may be ahead.
const AHEAD: Duration = Duration::from_secs(300);

/// What the panel is told of a provider.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its URL, letter by letter as it writes it into its tokens.
    pub issuer: String,
    /// What the panel is called there.
    pub client_id: String,
    /// The file with the panel's secret there: read when it is used, so that it can be changed under a running panel.
    pub client_secret_file: PathBuf,
    /// What people call it.
    pub name: String,
    /// The claim that lists groups.
    pub groups_claim: String,
    /// What the panel asks to be told, besides who it is.
    pub scopes: Vec<String>,
    /// Which role the members of a group have.
    pub roles: GroupRoles,
}

/// Whether what goes to a URL is read by nobody on the way: by TLS, or because it does not leave this machine.
pub fn is_private(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => url.host().is_some(),
        "http" => loopback,
        _ => false,
    }
}

/// A provider.
pub struct Provider {
    settings: Settings,
    /// Where it sends browsers back to.
    back: RedirectUrl,
    http: Http,
    clock: Arc<dyn Clock>,
    known: Mutex<Option<(Timestamp, Metadata)>>,
    places: Semaphore,
}

/// A URL of the panel's own is none.
#[derive(Debug, thiserror::Error)]
#[error("the address that the identity provider sends browsers back to: {0}")]
pub struct BadReturn(#[source] url::ParseError);

impl Provider {
    /// Asks nothing yet. `client` has its own limits, and follows no redirect.
    ///
    /// # Errors
    /// `back` is no URL.
    pub fn new(
        settings: Settings,
        back: String,
        client: reqwest::Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BadReturn> {
        Ok(Self {
            settings,
            back: RedirectUrl::new(back).map_err(BadReturn)?,
            http: Http::new(client),
            clock,
            known: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
        })
    }

    /// What the provider says of itself, as of a moment ago.
    async fn known(&self) -> Result<Metadata, ProviderError> {
        let now = self.clock.now();
        match self.remembered() {
            Some((at, metadata)) if now.since(at) < KNOWN_FOR => Ok(metadata),
            _ => self.discover().await,
        }
    }

    fn remembered(&self) -> Option<(Timestamp, Metadata)> {
        let known = self.known.lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the provider says of itself.
    async fn discover(&self) -> Result<Metadata, ProviderError> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone());
        let issuer = issuer.map_err(|error| untrusted(&error, "the issuer"))?;
        let ask = self.http.asking();
        let found = Metadata::discover_async(issuer, &ask).await;
        let found = found.map_err(|error| unreached(error, "its description of itself"))?;
        check_endpoints(&found)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((self.clock.now(), found.clone()));
        Ok(found)
    }

    async fn client(&self, metadata: &Metadata) -> Result<Client, ProviderError> {
        let secret = secret(&self.settings.client_secret_file).await?;
        let client = Client::from_provider_metadata(
            metadata.clone(),
            ClientId::new(self.settings.client_id.clone()),
            Some(ClientSecret::new(secret.expose_secret().to_owned())),
        );
        let ways = metadata.token_endpoint_auth_methods_supported();
        let posts = ways.is_some_and(|ways| {
            !ways.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && ways.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        let way = if posts {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        };
        Ok(client
            .set_auth_type(way)
            .set_redirect_uri(self.back.clone()))
    }

    /// The signed token, whole and for this question; and the key to ask for more.
    async fn exchange(
        &self,
        client: &Client,
        metadata: &Metadata,
        asked: &Asked,
        code: String,
    ) -> Result<(Token, openidconnect::AccessToken), ProviderError> {
        let ask = self.http.asking();
        let request = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| untrusted(&error, "its place for codes"))?
            .set_pkce_verifier(PkceCodeVerifier::new(asked.verifier.clone()));
        let answer = request.request_async(&ask).await;
        let answer = answer.map_err(http::no_token)?;
        let token = answer
            .id_token()
            .ok_or_else(|| bad("there is no id token in the answer to the code".to_owned()))?;
        let algorithms = metadata.id_token_signing_alg_values_supported().iter();
        // One that is signed with the panel's own secret, or not at all, proves nothing.
        let algorithms = algorithms
            .filter(|algorithm| is_by_a_key(algorithm))
            .cloned();
        let now = date(self.clock.now());
        let latest = date(self.clock.now().plus(AHEAD));
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(algorithms)
            .set_time_fn(move || now)
            .set_issue_time_verifier_fn(move |issued| {
                if issued > latest {
                    return Err("it was issued in the future".to_owned());
                }
                Ok(())
            });
        let nonce = Nonce::new(asked.nonce.clone());
        let claims = token.claims(&verifier, &nonce);
        let claims = claims.map_err(|error| untrusted(&error, "the id token"))?;
        if claims
            .authorized_party()
            .is_some_and(|party| party.as_str() != self.settings.client_id)
        {
            return Err(bad("the id token is for another party".to_owned()));
        }
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = token.signing_alg();
            let algorithm = algorithm.map_err(|error| untrusted(&error, "the id token"))?;
            let key = token.signing_key(&verifier);
            let key = key.map_err(|error| untrusted(&error, "the id token"))?;
            let hash = AccessTokenHash::from_token(answer.access_token(), algorithm, key);
            let hash = hash.map_err(|error| untrusted(&error, "the access token"))?;
            if hash != *expected {
                return Err(bad("the access token is not the id token's".to_owned()));
            }
        }
        Ok((claims.clone(), answer.access_token().clone()))
    }
}

#[async_trait]
impl IdentityProvider for Provider {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn role(&self, groups: &[String]) -> Option<Role> {
        self.settings.roles.strongest(groups)
    }

    async fn begin(&self, purpose: Purpose) -> Result<Errand, ProviderError> {
        let _place = self.places.try_acquire().map_err(|_| busy())?;
        let metadata = self.known().await?;
        let client = self.client(&metadata).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge);
        for scope in &self.settings.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        if purpose == Purpose::Confirm {
            request = request
                .add_prompt(CoreAuthPrompt::Login)
                .set_max_age(Duration::ZERO);
        }
        let (url, state, nonce) = request.url();
        Ok(Errand {
            url: url.into(),
            asked: Asked {
                purpose,
                state: state.secret().clone(),
                nonce: nonce.secret().clone(),
                verifier: verifier.secret().clone(),
                at: self.clock.now(),
            },
        })
    }

    async fn finish(&self, asked: &Asked, answer: Answer) -> Result<Claims, ProviderError> {
        // By their hashes: how long it takes says nothing of either.
        if Sha256::digest(&answer.state) != Sha256::digest(&asked.state) {
            let detail = "the state is another one than was sent".to_owned();
            let refusal = Refusal::Late;
            return Err(ProviderError { refusal, detail });
        }
        if !asked.is_open(self.clock.now()) {
            let detail = "the answer came too late".to_owned();
            let refusal = Refusal::Late;
            return Err(ProviderError { refusal, detail });
        }
        let _place = self.places.try_acquire().map_err(|_| busy())?;
        let metadata = self.discover().await?;
        // Of an error, too: another provider must not even say no for this one.
        check_answerer(&metadata, answer.issuer.as_deref())?;
        let Some(code) = answer.code.filter(|_| answer.error.is_none()) else {
            let why = answer.error.unwrap_or_else(|| "no code".to_owned());
            let why: String = why.chars().filter(|c| !c.is_control()).take(100).collect();
            return Err(ProviderError {
                refusal: Refusal::Declined,
                detail: format!("it sent the browser back with {why:?}"),
            });
        };
        let client = self.client(&metadata).await?;
        let (token, key) = self.exchange(&client, &metadata, asked, code).await?;
        let more = if read::is_enough(&token, &self.settings.groups_claim) {
            None
        } else {
            self.more(&client, &token, key).await?
        };
        let claims = said(&token, more.as_ref(), &self.settings.groups_claim);
        if !claims.subject.is_sound() {
            return Err(bad("the subject is no id that can be kept".to_owned()));
        }
        if asked.purpose == Purpose::Confirm && !asked.was_asked_anew(claims.proved_at) {
            return Err(ProviderError {
                refusal: Refusal::NotAskedAnew,
                detail: format!("auth_time is {:?}", claims.proved_at),
            });
        }
        Ok(claims)
    }
}

impl Provider {
    /// What the token leaves out, where the provider tells it; of the same subject, or not at all.
    async fn more(
        &self,
        client: &Client,
        token: &Token,
        key: openidconnect::AccessToken,
    ) -> Result<Option<More>, ProviderError> {
        let Ok(request) = client.user_info(key, Some(token.subject().clone())) else {
            return Ok(None);
        };
        let ask = self.http.asking();
        let more = request.request_async(&ask).await;
        more.map(Some).map_err(http::no_more)
    }
}

/// A mix-up: the answer of another provider, which would be given this one's code.
fn check_answerer(metadata: &Metadata, issuer: Option<&str>) -> Result<(), ProviderError> {
    let expected = metadata.issuer().as_str();
    match issuer {
        Some(given) if given == expected => Ok(()),
        Some(given) => {
            let given: String = given.chars().take(200).collect();
            Err(bad(format!(
                "the answer is of {given:?}, not of {expected:?}"
            )))
        }
        None if metadata
            .additional_metadata()
            .authorization_response_iss_parameter_supported =>
        {
            Err(bad(
                "the answer does not say of whom it is, though this provider always does"
                    .to_owned(),
            ))
        }
        None => Ok(()),
    }
}

/// The panel's secret, a code or a token would go over the net in the clear.
fn check_endpoints(metadata: &Metadata) -> Result<(), ProviderError> {
    let token = metadata.token_endpoint().map(TokenUrl::url);
    let more = metadata.userinfo_endpoint().map(UserInfoUrl::url);
    let urls = [
        Some(metadata.authorization_endpoint().url()),
        Some(metadata.jwks_uri().url()),
        token,
        more,
    ];
    match urls.into_iter().flatten().find(|url| !is_private(url)) {
        Some(url) => Err(bad(format!("it names {url}, which is not https"))),
        None => Ok(()),
    }
}

fn is_by_a_key(algorithm: &CoreJwsSigningAlgorithm) -> bool {
    use CoreJwsSigningAlgorithm as By;
    !matches!(
        algorithm,
        By::HmacSha256 | By::HmacSha384 | By::HmacSha512 | By::None
    )
}

async fn secret(file: &Path) -> Result<SecretString, ProviderError> {
    let read = tokio::fs::read_to_string(file).await;
    let text = read.map_err(|error| ProviderError {
        refusal: Refusal::Away,
        detail: format!("{} cannot be read: {error}", file.display()),
    })?;
    Ok(SecretString::from(text.trim().to_owned()))
}

fn date(at: Timestamp) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp_millis(at.as_millis()).unwrap_or_default()
}

fn busy() -> ProviderError {
    ProviderError {
        refusal: Refusal::Away,
        detail: "too many questions to it at once".to_owned(),
    }
}

fn bad(detail: String) -> ProviderError {
    ProviderError {
        refusal: Refusal::Untrusted,
        detail,
    }
}

fn untrusted(error: &(dyn std::error::Error + 'static), what: &str) -> ProviderError {
    bad(format!("{what}: {}", http::chain(error)))
}

/// Claims besides the standard ones.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Other {
    #[serde(flatten)]
    all: serde_json::Map<String, serde_json::Value>,
}

impl AdditionalClaims for Other {}

/// What the provider says of itself besides the standard.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Besides {
    /// RFC 9207.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Besides {}

type Token = openidconnect::IdTokenClaims<Other, CoreGenderClaim>;
type More = UserInfoClaims<Other, CoreGenderClaim>;

type Metadata = ProviderMetadata<
    Besides,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Fields = IdTokenFields<
    Other,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type Client = openidconnect::Client<
    Other,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_on_the_way_is_refused() {
        for good in [
            "https://id.example.org/realms/a",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "http://localhost:3000",
            "http://identity.localhost:3000",
        ] {
            assert!(is_private(&good.parse().unwrap()), "{good}");
        }
        for bad in [
            "http://id.example.org",
            "http://localhost.example.org",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "data:text/plain,a",
        ] {
            assert!(!is_private(&bad.parse().unwrap()), "{bad}");
        }
    }
}
