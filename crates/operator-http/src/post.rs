//! A signed POST with a JSON body, and its reply.

use crate::client::{OperatorHttp, read_body};
use crate::{OperatorHttpError, signature, standard_webhooks};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Request};
use secrecy::SecretString;
use std::fmt;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;
use url::Url;

/// A POST to an operator's system.
pub struct Post<'a> {
    /// Where it goes.
    pub url: &'a Url,
    /// The hosts that the agent may send requests to.
    pub allowed_hosts: &'a [String],
    /// Headers beside those of the signature and the body.
    pub headers: HeaderMap,
    /// The JSON body.
    pub body: Vec<u8>,
    /// The secret that it is signed with.
    pub key: &'a SecretString,
    /// The id of the message, equal for a repeat: with it the request has the headers of Standard Webhooks as well.
    pub webhook_id: Option<&'a str>,
    /// How long to wait for the whole reply.
    pub timeout: Duration,
    /// How many bytes of the reply's body are read. With 0 the reply counts once its status is there, and its body is not waited for.
    pub largest_reply: usize,
}

/// A reply, whatever its status.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`, if it holds seconds.
    pub retry_after: Option<Duration>,
    /// The beginning of the body.
    pub body: Vec<u8>,
    /// Whether the body is longer than what was read.
    pub is_cut: bool,
}

impl OperatorHttp {
    /// Sends a signed POST once, and returns the reply, whatever its status. A redirect is a reply like any other.
    ///
    /// # Errors
    /// When the URL may not be requested, or the whole reply does not come in time.
    pub async fn post(&self, post: Post<'_>) -> Result<Reply, OperatorHttpError> {
        let Post { allowed_hosts, timeout: time, largest_reply, .. } = post;
        let exchange = async {
            let mut response = self.send(request(post), allowed_hosts).await?;
            let seconds =
                response.headers().get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
            let (body, is_cut) = match largest_reply {
                0 => (vec![], true),
                largest => read_body(&mut response, largest).await?,
            };
            let retry_after = seconds.map(Duration::from_secs);
            Ok(Reply { status: response.status().as_u16(), retry_after, body, is_cut })
        };
        timeout(time, exchange).await.map_err(|_| OperatorHttpError::Timeout(time))?
    }
}

impl Reply {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

fn request(post: Post<'_>) -> Request {
    let time_s = now_s();
    let mut request = Request::new(Method::POST, post.url.clone());
    *request.headers_mut() = post.headers;
    if let Some(id) = post.webhook_id {
        standard_webhooks::sign(request.headers_mut(), id, time_s, &post.body, post.key);
    }
    *request.body_mut() = Some(post.body.into());
    signature::sign(&mut request, post.key, time_s);
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
}

fn now_s() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("no clock is set before 1970").as_secs()
}

/// Hides where it goes and what it says.
impl fmt::Debug for Post<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Hides the body.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, retry_after, body, is_cut } = self;
        f.debug_struct("Reply")
            .field("status", status)
            .field("retry_after", retry_after)
            .field("bytes", &body.len())
            .field("is_cut", is_cut)
            .finish()
    }
}
