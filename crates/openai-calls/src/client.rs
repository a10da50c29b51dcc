//! The client of the four requests about a call.

use crate::{CallId, CallRequest, CallsError};
pub use api_client::TlsError;
use api_client::{ApiClient, NoReply};
use secrecy::SecretString;
use std::time::Duration;

/// The API's default base URL.
pub const URL: &str = "https://api.openai.com";

/// The timeout of a request. OpenAI takes five seconds to say that the caller of an accepted call is gone.
const TIMEOUT: Duration = Duration::from_secs(8);

/// A client of the requests about calls, for one API key.
#[derive(Debug, Clone)]
pub struct Calls {
    api: ApiClient,
    key: SecretString,
}

impl Calls {
    /// Returns a client of the API at `url` (without a final slash).
    ///
    /// # Errors
    /// When TLS cannot be configured: the machine has no certificate authorities.
    pub fn new(url: &str, key: SecretString) -> Result<Self, TlsError> {
        Ok(Self { api: ApiClient::new(url, TIMEOUT)?, key })
    }

    /// Returns the client with an empty connection pool.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn without_connections(&self) -> Result<Self, TlsError> {
        Ok(Self { api: self.api.without_connections()?, key: self.key.clone() })
    }

    /// Returns a client with another key on the same connections.
    #[must_use]
    pub fn with_key(&self, key: SecretString) -> Self {
        Self { key, ..self.clone() }
    }

    /// Opens a connection, so that the first request does not wait for TLS.
    pub async fn warm_up(&self) {
        self.api.warm_up().await;
    }

    /// Sends a request about a call. Any 2xx is a success: OpenAI's documents name two.
    ///
    /// # Errors
    /// OpenAI's error, or no reply.
    pub async fn send(&self, call: &CallId, request: &CallRequest) -> Result<(), CallsError> {
        let post = self.api.http().post(self.api.url(&request.path(call)));
        let post = match request.body() {
            Some(body) => post.json(&body),
            None => post,
        };
        let reply = api_client::send(post, &self.key).await?;
        if reply.is_success() {
            return Ok(());
        }
        Err(CallsError::read(reply.status, &reply.body, reply.retry_after))
    }
}

impl From<NoReply> for CallsError {
    fn from(error: NoReply) -> Self {
        match error {
            NoReply::Unreached { reason } => Self::Unreached { reason },
            NoReply::Unanswered { reason } => Self::Unanswered { reason },
        }
    }
}
