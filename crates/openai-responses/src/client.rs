//! The client of the Responses API.

use crate::{Question, Reply, ResponsesError, TlsError, error};
use api_client::ApiClient;
use secrecy::SecretString;
use serde_json::Value;
use std::time::Duration;

/// The API's default base URL.
pub const URL: &str = "https://api.openai.com";

/// The path of the only request.
const PATH: &str = "v1/responses";

/// A client of the Responses API.
#[derive(Debug, Clone)]
pub struct Responses {
    api: ApiClient,
}

impl Responses {
    /// Returns a client of the API at `url` (without a final slash), whose requests take at most `timeout` each.
    ///
    /// # Errors
    /// When TLS cannot be configured: the machine has no certificate authorities.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, TlsError> {
        Ok(Self { api: ApiClient::new(url, timeout)? })
    }

    /// Returns the client with an empty connection pool.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn without_connections(&self) -> Result<Self, TlsError> {
        Ok(Self { api: self.api.without_connections()? })
    }

    /// Asks a question once; a model that refuses to be told how hard to think, without that.
    ///
    /// # Errors
    /// When the model did not reply.
    pub async fn ask(&self, question: Question<'_>, key: &SecretString) -> Result<Reply, ResponsesError> {
        let mut reply = self.post(&question.body(), key).await?;
        if reply.status == 400 && error::is_about_reasoning(&reply.body) {
            reply = self.post(&question.plain_body(), key).await?;
        }
        if !reply.is_success() {
            return Err(ResponsesError::read(reply.status, &reply.body, reply.retry_after));
        }
        Reply::read(&reply.body, question.schema)
    }

    async fn post(&self, body: &Value, key: &SecretString) -> Result<api_client::Reply, ResponsesError> {
        let post = self.api.http().post(self.api.url(PATH)).json(body);
        Ok(api_client::send(post, key).await?)
    }
}
