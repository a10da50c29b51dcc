//! The client of the four requests about a call.

use crate::{CallId, CallRequest, CallsError};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// The API's default base URL.
pub const URL: &str = "https://api.openai.com";

/// The timeout of a request. OpenAI takes five seconds to say that the caller of an accepted call is gone.
const TIMEOUT: Duration = Duration::from_secs(8);

/// TLS cannot be configured on this machine.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum TlsError {
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

/// A client of the requests about calls, for one API key.
#[derive(Debug, Clone)]
pub struct Calls {
    http: reqwest::Client,
    tls: ClientConfig,
    url: String,
    key: SecretString,
}

impl Calls {
    /// Returns a client of the API at `url` (without a final slash).
    ///
    /// # Errors
    /// When TLS cannot be configured: the machine has no certificate authorities.
    pub fn new(url: &str, key: SecretString) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let tls = tls.with_platform_verifier()?.with_no_client_auth();
        Ok(Self { http: client(&tls)?, tls, url: url.trim_end_matches('/').to_owned(), key })
    }

    /// Returns the client with an empty connection pool. The certificate authorities are not read again, and TLS sessions are resumed.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn without_connections(&self) -> Result<Self, TlsError> {
        Ok(Self { http: client(&self.tls)?, ..self.clone() })
    }

    /// Returns a client with another key on the same connections.
    #[must_use]
    pub fn with_key(&self, key: SecretString) -> Self {
        Self { key, ..self.clone() }
    }

    /// Opens a connection, so that the first request does not wait for TLS.
    pub async fn warm_up(&self) {
        // The connection returns to the pool once the reply is read to its end.
        if let Ok(reply) = self.http.get(&self.url).send().await {
            let _ = reply.bytes().await;
        }
    }

    /// Sends a request about a call. Any 2xx is a success: OpenAI's documents name two.
    ///
    /// # Errors
    /// OpenAI's error, or no reply.
    pub async fn send(&self, call: &CallId, request: &CallRequest) -> Result<(), CallsError> {
        let post = self.http.post(format!("{}{}", self.url, request.path(call)));
        let post = match request.body() {
            Some(body) => post.json(&body),
            None => post,
        };
        let reply = post.bearer_auth(self.key.expose_secret()).send().await.map_err(unanswered)?;
        let (status, retry_after) = (reply.status(), seconds(reply.headers()));
        let body = reply.bytes().await.map_err(unanswered)?;
        if status.is_success() { Ok(()) } else { Err(CallsError::read(status.as_u16(), &body, retry_after)) }
    }
}

fn client(tls: &ClientConfig) -> Result<reqwest::Client, TlsError> {
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls.clone());
    Ok(client.timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()?)
}

/// Drops the URL from the error, because it holds the call's id.
fn unanswered(error: reqwest::Error) -> CallsError {
    let (is_unreached, reason) = (error.is_connect(), error.without_url().to_string());
    if is_unreached { CallsError::Unreached { reason } } else { CallsError::Unanswered { reason } }
}

fn seconds(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}
