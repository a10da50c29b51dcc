//! The HTTPS client of a vendor's API: TLS with the machine's certificate authorities, a timeout, no redirects, replies of limited size, and
//! errors without the URL, which holds ids.

use reqwest::RequestBuilder;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// The largest reply that is read, in bytes.
const LARGEST_REPLY: usize = 1024 * 1024;

/// TLS cannot be configured on this machine.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum TlsError {
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

/// Connections to one API.
#[derive(Debug, Clone)]
pub struct ApiClient {
    http: reqwest::Client,
    tls: ClientConfig,
    url: String,
    timeout: Duration,
}

/// A reply, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`, if it holds seconds.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoReply {
    /// No connection could be opened, so nothing was sent.
    Unreached {
        /// The cause, without the URL.
        reason: String,
    },
    /// The request may have been received.
    Unanswered {
        /// The cause, without the URL.
        reason: String,
    },
}

impl ApiClient {
    /// Returns a client of the API at `url` (without a final slash), whose requests take at most `timeout` each.
    ///
    /// # Errors
    /// When TLS cannot be configured: the machine has no certificate authorities.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let tls = tls.with_platform_verifier()?.with_no_client_auth();
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { http: http(&tls, timeout)?, tls, url, timeout })
    }

    /// Returns the client with an empty connection pool. The certificate authorities are not read again, and TLS sessions are resumed.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn without_connections(&self) -> Result<Self, TlsError> {
        Ok(Self { http: http(&self.tls, self.timeout)?, ..self.clone() })
    }

    /// Opens a connection, so that the first request does not wait for TLS.
    pub async fn warm_up(&self) {
        // The connection returns to the pool once the reply is read to its end.
        if let Ok(reply) = self.http.get(&self.url).send().await {
            let _ = read(reply).await;
        }
    }

    /// Returns the URL of a path, with or without its first slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}/{}", self.url, path.trim_start_matches('/'))
    }

    /// Returns the connections, for requests that [`send`] sends.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }
}

impl Reply {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Sends a request with a bearer token, and returns the reply, whatever its status.
///
/// # Errors
/// When there is no reply, or a larger one than is read.
pub async fn send(request: RequestBuilder, token: &SecretString) -> Result<Reply, NoReply> {
    read(request.bearer_auth(token.expose_secret()).send().await?).await
}

async fn read(mut response: reqwest::Response) -> Result<Reply, NoReply> {
    let (status, retry_after) = (response.status().as_u16(), seconds(response.headers()));
    let mut body = vec![];
    while let Some(part) = response.chunk().await? {
        body.extend_from_slice(&part);
        if body.len() > LARGEST_REPLY {
            return Err(NoReply::Unanswered { reason: "the reply is larger than 1 MiB".to_owned() });
        }
    }
    Ok(Reply { status, retry_after, body })
}

/// Redirects are not followed: a vendor's API sends none, and a key must reach no other host.
fn http(tls: &ClientConfig, timeout: Duration) -> Result<reqwest::Client, TlsError> {
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls.clone());
    Ok(client.timeout(timeout).redirect(Policy::none()).build()?)
}

fn seconds(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

impl From<reqwest::Error> for NoReply {
    fn from(error: reqwest::Error) -> Self {
        let (is_unreached, reason) = (error.is_connect(), error.without_url().to_string());
        if is_unreached { Self::Unreached { reason } } else { Self::Unanswered { reason } }
    }
}
