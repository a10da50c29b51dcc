//! What an operator sets up and checks at a project of OpenAI's: its webhook endpoints, and whether its key may act on calls.

use crate::error::{code, masked};
use crate::{CallId, CallRequest};
use api_client::{ApiClient, NoReply, TlsError};
use reqwest::{Method, Url};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// The event type of an incoming call.
pub const INCOMING: &str = "realtime.call.incoming";

/// The id of a call that never was.
const PROBE: &str = "rtc_ahoy_probe";

/// How many endpoints a page has at most.
const PAGE: &str = "100";

/// The most pages that are read.
const PAGES: usize = 20;

/// The timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(8);

/// A client of one project, by one of its keys.
#[derive(Debug, Clone)]
pub struct Project {
    api: ApiClient,
    key: SecretString,
}

/// A webhook endpoint of a project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Endpoint {
    /// The endpoint's id.
    pub id: String,
    /// Where its events go.
    pub url: String,
    /// The events that go there.
    #[serde(default)]
    pub event_types: Vec<String>,
}

impl Endpoint {
    /// Whether incoming calls go there.
    pub fn gets_calls(&self) -> bool {
        self.event_types.iter().any(|kind| kind == INCOMING)
    }
}

/// Why OpenAI did not do what was asked of a project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectError {
    /// The key is rejected, or lacks the right.
    #[error("OpenAI does not allow it to this key (status {status}{})", after_comma(code))]
    Forbidden {
        /// The HTTP status, 401 or 403.
        status: u16,
        /// OpenAI's error code, empty without one.
        code: String,
    },
    /// OpenAI refused the request.
    #[error("OpenAI refused: {message} (status {status}{})", after_comma(code))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// OpenAI's error code, empty without one.
        code: String,
        /// OpenAI's message, without numbers and keys.
        message: String,
    },
    /// There is no answer, or none that can be read.
    #[error("request to OpenAI failed: {0}")]
    Unanswered(String),
}

impl Project {
    /// Returns a client of the project that the key belongs to, with the API at `url` (without a final slash).
    ///
    /// # Errors
    /// When TLS cannot be configured: the machine has no certificate authorities.
    pub fn new(url: &str, key: SecretString) -> Result<Self, TlsError> {
        Ok(Self { api: ApiClient::new(url, TIMEOUT)?, key })
    }

    /// Returns all webhook endpoints, the newest first.
    ///
    /// # Errors
    /// OpenAI's error, or no answer.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>, ProjectError> {
        let mut all: Vec<Endpoint> = vec![];
        for _ in 0..PAGES {
            let mut url = self.address(&[])?;
            url.query_pairs_mut().append_pair("limit", PAGE);
            if let Some(last) = all.last() {
                url.query_pairs_mut().append_pair("after", &last.id);
            }
            let page = self.send(Method::GET, url, None).await?;
            let before = all.len();
            all.extend(read::<Vec<Endpoint>>(page["data"].clone())?);
            if page["has_more"] != true || all.len() == before {
                break;
            }
        }
        Ok(all)
    }

    /// Makes a webhook endpoint for incoming calls. Returns it with its secret, which OpenAI shows this once.
    ///
    /// # Errors
    /// OpenAI's error, or no answer.
    pub async fn make_endpoint(
        &self,
        name: &str,
        url: &str,
    ) -> Result<(Endpoint, SecretString), ProjectError> {
        let body = json!({"name": name, "url": url, "event_types": [INCOMING]});
        let made = self.send(Method::POST, self.address(&[])?, Some(body)).await?;
        let secret = secret_in(&made)?;
        Ok((read(made)?, secret))
    }

    /// Has an endpoint get exactly these events.
    ///
    /// # Errors
    /// OpenAI's error, or no answer.
    pub async fn set_event_types(&self, id: &str, event_types: &[String]) -> Result<(), ProjectError> {
        let body = json!({"event_types": event_types});
        self.send(Method::POST, self.address(&[id])?, Some(body)).await.map(drop)
    }

    /// Gives an endpoint a new secret, which OpenAI shows this once. The old one signs for another day.
    ///
    /// # Errors
    /// OpenAI's error, or no answer.
    pub async fn rotate_secret(&self, id: &str) -> Result<SecretString, ProjectError> {
        let body = json!({"keep_old_secret_active_for_24_hours": true});
        secret_in(&self.send(Method::POST, self.address(&[id, "rotate_secret"])?, Some(body)).await?)
    }

    /// Deletes an endpoint.
    ///
    /// # Errors
    /// OpenAI's error, or no answer.
    pub async fn delete_endpoint(&self, id: &str) -> Result<(), ProjectError> {
        self.send(Method::DELETE, self.address(&[id])?, None).await.map(drop)
    }

    /// Succeeds if the key may act on calls: OpenAI says of a call that never was that it does not know it.
    ///
    /// # Errors
    /// OpenAI's error, or no answer.
    pub async fn may_act_on_calls(&self) -> Result<(), ProjectError> {
        let call = CallId::parse(PROBE).expect("the probe's id has the form of one");
        let url = Url::parse(&self.api.url(&CallRequest::Hangup.path(&call)))
            .map_err(|error| ProjectError::Unanswered(error.to_string()))?;
        match self.send(Method::POST, url, None).await {
            Err(ProjectError::Refused { code, .. }) if code == "call_id_not_found" => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(ProjectError::Unanswered("OpenAI knows a call that never was".to_owned())),
        }
    }

    fn address(&self, below: &[&str]) -> Result<Url, ProjectError> {
        let mut url = Url::parse(&self.api.url("v1/webhook_endpoints"))
            .map_err(|error| ProjectError::Unanswered(error.to_string()))?;
        url.path_segments_mut()
            .map_err(|()| ProjectError::Unanswered("the API's address is not one".to_owned()))?
            .extend(below);
        Ok(url)
    }

    async fn send(&self, method: Method, url: Url, body: Option<Value>) -> Result<Value, ProjectError> {
        let request = self.api.http().request(method, url);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let reply = api_client::send(request, &self.key).await?;
        if reply.is_success() {
            // An answer may be empty.
            return Ok(serde_json::from_slice(&reply.body).unwrap_or_default());
        }
        Err(ProjectError::read(reply.status, &reply.body))
    }
}

impl ProjectError {
    fn read(status: u16, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body["error"][name].as_str().unwrap_or_default();
        let code = code(text("code"), text("type"));
        match status {
            401 | 403 => Self::Forbidden { status, code },
            408 | 500.. => Self::Unanswered(format!("status {status} {code}").trim_end().to_owned()),
            _ => Self::Refused { status, code, message: masked(text("message")) },
        }
    }
}

fn secret_in(answer: &Value) -> Result<SecretString, ProjectError> {
    let secret = answer["signing_secret"].as_str().filter(|secret| crate::signature::is_secret(secret));
    secret
        .map(SecretString::from)
        .ok_or_else(|| ProjectError::Unanswered("OpenAI shows no secret".to_owned()))
}

/// Reads a part of an answer. Errors leave out what it holds.
fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ProjectError> {
    serde_json::from_value(value)
        .map_err(|_| ProjectError::Unanswered("the answer is not a webhook endpoint".to_owned()))
}

impl From<NoReply> for ProjectError {
    fn from(error: NoReply) -> Self {
        match error {
            NoReply::Unreached { reason } | NoReply::Unanswered { reason } => Self::Unanswered(reason),
        }
    }
}

fn after_comma(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!(", {code}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_the_right_is_told_from_any_other_refusal() {
        let body = br#"{"error":{"code":"missing_scope","message":"m"}}"#;
        for status in [401, 403] {
            let error = ProjectError::read(status, body);
            assert!(matches!(&error, ProjectError::Forbidden { code, .. } if code == "missing_scope"));
            assert!(error.to_string().ends_with(&format!("(status {status}, missing_scope)")), "{error}");
        }
        assert!(matches!(ProjectError::read(404, b"<html>"), ProjectError::Refused { status: 404, .. }));
        assert!(matches!(ProjectError::read(503, b""), ProjectError::Unanswered(_)));
    }

    #[test]
    fn an_answer_without_a_usable_secret_is_none() {
        for answer in [json!({}), json!({"signing_secret": "secret"}), json!({"signing_secret": "whsec_"})] {
            assert!(secret_in(&answer).is_err(), "{answer}");
        }
        assert!(secret_in(&json!({"signing_secret": "whsec_YQ=="})).is_ok());
    }
}
