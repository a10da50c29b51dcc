//! The Graph API's call actions, and the one message we send.

use crate::{Caller, GraphError};
use reqwest::header::RETRY_AFTER;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::time::Duration;

/// Where the Graph API is unless told otherwise.
pub const URL: &str = "https://graph.facebook.com/v26.0";

/// So long we wait for a reply. Meta gives a caller about 30 s of ringing in all, and may take 5 s of them for each reply.
const TIMEOUT: Duration = Duration::from_secs(8);

/// The Graph API, for one access token.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: SecretString,
}

impl Graph {
    /// A client of the Graph API at `url` (with its version, without a final slash).
    ///
    /// # Errors
    /// When there is no TLS to be had: no certificate authorities on this machine.
    pub fn new(url: &str, token: SecretString) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), token })
    }

    /// The same connections, with another token.
    #[must_use]
    pub fn with_token(&self, token: SecretString) -> Self {
        Self { token, ..self.clone() }
    }

    /// Tells Meta our answer while it still rings, so that media can connect.
    ///
    /// # Errors
    /// What Meta says.
    pub async fn pre_accept(&self, number: &str, call_id: &str, answer: &str) -> Result<(), GraphError> {
        self.act(number, with_session("pre_accept", call_id, answer)).await
    }

    /// Picks up. The answer must be, byte for byte, the one of `pre_accept`.
    ///
    /// # Errors
    /// What Meta says.
    pub async fn accept(&self, number: &str, call_id: &str, answer: &str) -> Result<(), GraphError> {
        self.act(number, with_session("accept", call_id, answer)).await
    }

    /// Does not pick up. Only before `accept`.
    ///
    /// # Errors
    /// What Meta says.
    pub async fn reject(&self, number: &str, call_id: &str) -> Result<(), GraphError> {
        self.act(number, without_session("reject", call_id)).await
    }

    /// Hangs up.
    ///
    /// # Errors
    /// What Meta says.
    pub async fn terminate(&self, number: &str, call_id: &str) -> Result<(), GraphError> {
        self.act(number, without_session("terminate", call_id)).await
    }

    /// Sends a text message. A call opens the window in which free text is allowed.
    ///
    /// # Errors
    /// What Meta says, or that the caller has neither number nor user id.
    pub async fn send_text(&self, number: &str, to: &Caller, text: &str) -> Result<(), GraphError> {
        let mut message = json!({"messaging_product": "whatsapp", "recipient_type": "individual",
            "type": "text", "text": {"body": text}});
        match (&to.number, &to.user_id) {
            (Some(digits), _) => message["to"] = json!(digits),
            (None, Some(user_id)) => message["recipient"] = json!(user_id),
            (None, None) => {
                return Err(GraphError::Refused { code: 0, message: "the caller has no address".into() });
            }
        }
        self.post(&format!("{number}/messages"), &message, &self.token).await
    }

    /// Opens a connection, so that the first action need not wait for TLS.
    pub async fn warm_up(&self) {
        let _ = self.http.get(&self.url).send().await;
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

    /// Sends a request under a token, and gives the reply's body back.
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
            return Ok(body.into());
        }
        Err(GraphError::read(status.as_u16(), &body, retry_after))
    }
}

fn with_session(action: &str, call_id: &str, answer: &str) -> Value {
    json!({"messaging_product": "whatsapp", "call_id": call_id, "action": action,
        "session": {"sdp_type": "answer", "sdp": answer}})
}

fn without_session(action: &str, call_id: &str) -> Value {
    json!({"messaging_product": "whatsapp", "call_id": call_id, "action": action})
}

/// `without_url`, since the address holds the number's id.
fn unanswered(error: reqwest::Error) -> GraphError {
    GraphError::Unanswered { reason: error.without_url().to_string() }
}

fn seconds(header: Option<&reqwest::header::HeaderValue>) -> Option<Duration> {
    header?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}
