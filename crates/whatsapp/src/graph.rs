//! The Graph API client: call actions and text messages.

use crate::{Caller, GraphError, message_ref};
use reqwest::header::RETRY_AFTER;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The Graph API's default base URL.
pub const URL: &str = "https://graph.facebook.com/v26.0";

/// The timeout of a request. Meta lets a caller ring for about 30 s in all, and may take 5 s of them for each reply.
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

/// A Graph API client for one access token.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) http: reqwest::Client,
    tls: ClientConfig,
    pub(crate) url: String,
    pub(crate) token: SecretString,
}

impl Graph {
    /// Returns a client of the Graph API at `url` (with its version, without a final slash).
    ///
    /// # Errors
    /// When TLS cannot be configured: the machine has no certificate authorities.
    pub fn new(url: &str, token: SecretString) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let tls = tls.with_platform_verifier()?.with_no_client_auth();
        Ok(Self { http: client(&tls)?, tls, url: url.trim_end_matches('/').to_owned(), token })
    }

    /// Returns the client with an empty connection pool. The certificate authorities are not read again, and TLS sessions are resumed.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn without_connections(&self) -> Result<Self, TlsError> {
        Ok(Self { http: client(&self.tls)?, ..self.clone() })
    }

    /// Returns a client with another token on the same connections.
    #[must_use]
    pub fn with_token(&self, token: SecretString) -> Self {
        Self { token, ..self.clone() }
    }

    /// Sends our SDP answer while the call rings, so that media can connect.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn pre_accept(&self, number: &str, call_id: &str, answer: &str) -> Result<(), GraphError> {
        self.act(number, with_session("pre_accept", call_id, answer)).await
    }

    /// Accepts the call. The SDP answer must equal that of `pre_accept`, byte for byte.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn accept(&self, number: &str, call_id: &str, answer: &str) -> Result<(), GraphError> {
        self.act(number, with_session("accept", call_id, answer)).await
    }

    /// Rejects a ringing call. Only allowed before `accept`.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn reject(&self, number: &str, call_id: &str) -> Result<(), GraphError> {
        self.act(number, without_session("reject", call_id)).await
    }

    /// Hangs up.
    ///
    /// # Errors
    /// Meta's error, or no reply.
    pub async fn terminate(&self, number: &str, call_id: &str) -> Result<(), GraphError> {
        self.act(number, without_session("terminate", call_id)).await
    }

    /// Sends a text message and returns its [`message_ref`], under which Meta may later report that it failed; `None` when Meta returns no
    /// id.
    ///
    /// A call opens the window in which free text is allowed.
    ///
    /// # Errors
    /// Meta's error, no reply, or a caller with neither number nor user id.
    pub async fn send_text(
        &self,
        number: &str,
        to: &Caller,
        text: &str,
    ) -> Result<Option<String>, GraphError> {
        let mut message = json!({"messaging_product": "whatsapp", "recipient_type": "individual",
            "type": "text", "text": {"body": text}});
        match (&to.number, &to.user_id) {
            (Some(digits), _) => message["to"] = json!(digits),
            (None, Some(user_id)) => message["recipient"] = json!(user_id),
            (None, None) => {
                return Err(GraphError::Refused { code: 0, message: "the caller has no address".into() });
            }
        }
        let request = self.http.post(format!("{}/{number}/messages", self.url)).json(&message);
        let reply = self.ask(request, &self.token).await?;
        let reply: Value = serde_json::from_slice(&reply).unwrap_or_default();
        Ok(reply["messages"][0]["id"].as_str().map(message_ref))
    }

    /// Opens a connection, so that the first action does not wait for TLS.
    pub async fn warm_up(&self) {
        // The connection returns to the pool once the reply is read to its end.
        if let Ok(reply) = self.http.get(&self.url).send().await {
            let _ = reply.bytes().await;
        }
    }

    async fn act(&self, number: &str, action: Value) -> Result<(), GraphError> {
        self.post(&format!("{number}/calls"), &action, &self.token).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        body: &Value,
        token: &SecretString,
    ) -> Result<(), GraphError> {
        let request = self.http.post(format!("{}/{path}", self.url)).json(body);
        self.ask(request, token).await.map(drop)
    }

    /// Sends a request under a token, and returns the reply's body.
    pub(crate) async fn ask(
        &self,
        request: reqwest::RequestBuilder,
        token: &SecretString,
    ) -> Result<Vec<u8>, GraphError> {
        let reply = request.bearer_auth(token.expose_secret()).send().await.map_err(unanswered)?;
        let status = reply.status();
        let retry_after = seconds(reply.headers().get(RETRY_AFTER));
        let body = reply.bytes().await.map_err(unanswered)?;
        if status.is_success() {
            GraphError::check_success(&body)?;
            return Ok(body.into());
        }
        Err(GraphError::read(status.as_u16(), &body, retry_after))
    }
}

fn client(tls: &ClientConfig) -> Result<reqwest::Client, TlsError> {
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls.clone());
    Ok(client.timeout(TIMEOUT).build()?)
}

fn with_session(action: &str, call_id: &str, answer: &str) -> Value {
    json!({"messaging_product": "whatsapp", "call_id": call_id, "action": action,
        "session": {"sdp_type": "answer", "sdp": answer}})
}

fn without_session(action: &str, call_id: &str) -> Value {
    json!({"messaging_product": "whatsapp", "call_id": call_id, "action": action})
}

/// Drops the URL from the error, because it holds the number's id.
fn unanswered(error: reqwest::Error) -> GraphError {
    let (is_unreached, reason) = (error.is_connect(), error.without_url().to_string());
    if is_unreached { GraphError::Unreached { reason } } else { GraphError::Unanswered { reason } }
}

fn seconds(header: Option<&reqwest::header::HeaderValue>) -> Option<Duration> {
    header?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}
