//! The Graph API client: call actions and text messages.

use crate::{Caller, GraphError, message_ref};
pub use api_client::TlsError;
use api_client::{ApiClient, NoReply};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::time::Duration;

/// The Graph API's default base URL.
pub const URL: &str = "https://graph.facebook.com/v26.0";

/// The timeout of a request. Meta lets a caller ring for about 30 s in all, and may take 5 s of them for each reply.
const TIMEOUT: Duration = Duration::from_secs(8);

/// A Graph API client for one access token.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) api: ApiClient,
    pub(crate) token: SecretString,
}

impl Graph {
    /// Returns a client of the Graph API at `url` (with its version, without a final slash).
    ///
    /// # Errors
    /// When TLS cannot be configured: the machine has no certificate authorities.
    pub fn new(url: &str, token: SecretString) -> Result<Self, TlsError> {
        Ok(Self { api: ApiClient::new(url, TIMEOUT)?, token })
    }

    /// Returns the client with an empty connection pool.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn without_connections(&self) -> Result<Self, TlsError> {
        Ok(Self { api: self.api.without_connections()?, token: self.token.clone() })
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
        let request = self.api.http().post(self.api.url(&format!("{number}/messages"))).json(&message);
        let reply = self.ask(request, &self.token).await?;
        let reply: Value = serde_json::from_slice(&reply).unwrap_or_default();
        Ok(reply["messages"][0]["id"].as_str().map(message_ref))
    }

    /// Opens a connection, so that the first action does not wait for TLS.
    pub async fn warm_up(&self) {
        self.api.warm_up().await;
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
        let request = self.api.http().post(self.api.url(path)).json(body);
        self.ask(request, token).await.map(drop)
    }

    /// Sends a request under a token, and returns the reply's body.
    pub(crate) async fn ask(
        &self,
        request: reqwest::RequestBuilder,
        token: &SecretString,
    ) -> Result<Vec<u8>, GraphError> {
        let reply = api_client::send(request, token).await?;
        if reply.is_success() {
            GraphError::check_success(&reply.body)?;
            return Ok(reply.body);
        }
        Err(GraphError::read(reply.status, &reply.body, reply.retry_after))
    }
}

impl From<NoReply> for GraphError {
    fn from(error: NoReply) -> Self {
        match error {
            NoReply::Unreached { reason } => Self::Unreached { reason },
            NoReply::Unanswered { reason } => Self::Unanswered { reason },
        }
    }
}

fn with_session(action: &str, call_id: &str, answer: &str) -> Value {
    json!({"messaging_product": "whatsapp", "call_id": call_id, "action": action,
        "session": {"sdp_type": "answer", "sdp": answer}})
}

fn without_session(action: &str, call_id: &str) -> Value {
    json!({"messaging_product": "whatsapp", "call_id": call_id, "action": action})
}
