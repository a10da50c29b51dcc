//! HTTP tools: sends one signed request to the operator's system, with bounds on its time, its size and its destination.

mod body;
mod model_messages;

use self::body::Body;
use crate::arguments;
use crate::config_error::ToolConfigError;
use crate::context::CallContext;
use crate::outcome::{Refused, ToolError, ToolOutcome, ToolOutcomeKind};
use crate::reply::{self, Reply};
use crate::target::{self, Target};
use agents::{HttpTool, Method, Tools};
use operator_http::{OperatorHttp, RESERVED_HEADERS};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Request, Response, StatusCode};
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout_at};
use url::Url;

/// The header with the call's reference, for the receiver's logs; it is not signed.
const CALL: HeaderName = HeaderName::from_static("x-ahoy-call");

/// The header with the tool call's id, by which the receiver tells a repeat from a second use.
const USE_ID: HeaderName = HeaderName::from_static("x-ahoy-use");

/// The header of a request that an operator makes to try a tool.
const TRY: HeaderName = HeaderName::from_static("x-ahoy-try");

/// What an agent's HTTP tools share.
pub(crate) struct HttpToolContext {
    http: OperatorHttp,
    allowed_hosts: Arc<[String]>,
    handover_offer: &'static str,
}

/// An HTTP tool with its URL and headers parsed.
pub(crate) struct Endpoint {
    name: String,
    method: reqwest::Method,
    target: Target,
    headers: HeaderMap,
    key: Option<SecretString>,
    tells_caller: bool,
    timeout: Duration,
    largest_reply: usize,
    allowed_hosts: Arc<[String]>,
    handover_offer: &'static str,
    http: OperatorHttp,
}

/// A request to an operator's system, checked and not sent yet.
pub struct HttpCall {
    endpoint: Arc<Endpoint>,
    url: Url,
    arguments: Map<String, Value>,
}

impl HttpToolContext {
    pub(crate) fn new(http: OperatorHttp, tools: &Tools) -> Self {
        Self {
            http,
            allowed_hosts: tools.allowed_hosts.clone().into(),
            handover_offer: model_messages::handover_offer(tools),
        }
    }
}

impl Endpoint {
    pub(crate) fn new(
        tool: &HttpTool,
        key: Option<SecretString>,
        shared: &HttpToolContext,
    ) -> Result<Self, ToolConfigError> {
        let target =
            Target::read(&tool.url).ok_or_else(|| ToolConfigError::Url { tool: tool.name.clone() })?;
        Ok(Self {
            name: tool.name.clone(),
            method: method(tool.method),
            target,
            headers: headers(tool)?,
            tells_caller: tool.tells_caller && key.is_some(),
            key,
            timeout: tool.timeout,
            largest_reply: tool.largest_reply,
            allowed_hosts: shared.allowed_hosts.clone(),
            handover_offer: shared.handover_offer,
            http: shared.http.clone(),
        })
    }

    /// Returns the names of the arguments that fill the URL's path.
    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.target.arguments()
    }

    fn has_body(&self) -> bool {
        self.method != reqwest::Method::GET && self.method != reqwest::Method::DELETE
    }
}

impl HttpCall {
    pub(crate) fn new(endpoint: Arc<Endpoint>, arguments: Map<String, Value>) -> Result<Self, Refused> {
        let mut url = endpoint.target.fill(&arguments).map_err(|reason| arguments::refused(&reason))?;
        if !endpoint.has_body() {
            let rest = arguments
                .iter()
                .filter(|(name, _)| endpoint.placeholders().all(|placeholder| placeholder != *name));
            target::append_query(&mut url, rest);
        }
        Ok(Self { endpoint, url, arguments })
    }

    /// Returns the tool's name.
    pub fn tool(&self) -> &str {
        &self.endpoint.name
    }

    /// Sends the request, and waits no longer than the tool's timeout for the whole reply. `use_id` is the model's id of this
    /// tool call: equal for a repeat, and only for a repeat.
    pub async fn run(self, context: &CallContext, use_id: &str) -> ToolOutcome {
        let Some(_permit) = context.try_acquire() else { return self.failure(ToolError::TooMany, "") };
        match self.exchange(context, use_id).await {
            Ok(Reply::Success(for_the_model)) => {
                ToolOutcome { kind: ToolOutcomeKind::Done, trouble: None, for_the_model }
            }
            Ok(Reply::Failure(status, reason)) => self.failure(ToolError::Status(status), &reason),
            Err(failure) => self.failure(failure, ""),
        }
    }

    /// Sends the request and reads the reply. After a redirect, a time-out leaves the result unknown: the system has already answered.
    async fn exchange(&self, context: &CallContext, use_id: &str) -> Result<Reply, ToolError> {
        let Endpoint { timeout, largest_reply, .. } = *self.endpoint;
        let (timed_out, deadline) = (|_| ToolError::Timeout(timeout), Instant::now() + timeout);
        let response =
            timeout_at(deadline, self.send_with_retry(context, use_id)).await.map_err(timed_out)??;
        if is_followed_redirect(response.status()) {
            let followed = self.follow_redirect(response.headers().get(header::LOCATION));
            return timeout_at(deadline, followed).await.map_err(|_| ToolError::RedirectFailed)?;
        }
        timeout_at(deadline, reply::read(response, largest_reply)).await.map_err(timed_out)?
    }

    async fn send_with_retry(&self, context: &CallContext, use_id: &str) -> Result<Response, ToolError> {
        match self.send(context, use_id).await {
            // Retries only here: nothing was sent, and a GET changes nothing.
            Err(ToolError::Connection) if self.endpoint.method == reqwest::Method::GET => {
                self.send(context, use_id).await
            }
            sent => sent,
        }
    }

    /// Fetches the answer that a redirect points to, once, with nothing of the request. The system has done what was asked: a
    /// failure here says nothing about that, and neither does a page for people, which may ask to log in.
    async fn follow_redirect(&self, location: Option<&HeaderValue>) -> Result<Reply, ToolError> {
        let is_done = |reply: &Reply| matches!(reply, Reply::Success(text) if !reply::looks_like_page(text));
        let answer = async {
            let location = location?.to_str().ok()?;
            let url = self
                .url
                .join(location)
                .ok()
                .filter(|url| url.username().is_empty() && url.password().is_none())?;
            let Endpoint { http, allowed_hosts, .. } = &*self.endpoint;
            let request = Request::new(reqwest::Method::GET, url);
            let response = http.send(request, allowed_hosts).await.ok().filter(|it| !reply::is_page(it))?;
            reply::read(response, self.endpoint.largest_reply).await.ok().filter(is_done)
        };
        answer.await.ok_or(ToolError::RedirectFailed)
    }

    async fn send(&self, context: &CallContext, use_id: &str) -> Result<Response, ToolError> {
        let Endpoint { http, allowed_hosts, .. } = &*self.endpoint;
        Ok(http.send(self.request(context, use_id), allowed_hosts).await?)
    }

    fn request(&self, context: &CallContext, use_id: &str) -> Request {
        let Endpoint { method, headers, key, .. } = &*self.endpoint;
        let mut request = Request::new(method.clone(), self.url.clone());
        *request.headers_mut() = headers.clone();
        for (name, value) in [(CALL, context.call_ref.as_str()), (USE_ID, use_id)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                request.headers_mut().insert(name, value);
            }
        }
        if context.is_try() {
            request.headers_mut().insert(TRY, HeaderValue::from_static("1"));
        }
        if self.endpoint.has_body() {
            *request.body_mut() = Some(self.body(context, use_id).into());
        }
        if let Some(key) = key {
            operator_http::sign(&mut request, key, now_s());
        }
        if self.endpoint.has_body() {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        request
    }

    fn body(&self, context: &CallContext, use_id: &str) -> Vec<u8> {
        let body = Body::new(&self.arguments, context, use_id);
        let body = if self.endpoint.tells_caller { body.telling_caller(context) } else { body };
        serde_json::to_vec(&body).expect("text and JSON can be written as JSON")
    }
}

/// Whether a status says that the answer is to be fetched by GET from another URL: 303, and 302, which many systems send for it.
fn is_followed_redirect(status: StatusCode) -> bool {
    status == StatusCode::FOUND || status == StatusCode::SEE_OTHER
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}

fn headers(tool: &HttpTool) -> Result<HeaderMap, ToolConfigError> {
    let read = |(name, value): (&String, &String)| {
        let name = HeaderName::try_from(name).ok().filter(|name| !RESERVED_HEADERS.contains(name))?;
        Some((name, HeaderValue::from_str(value).ok()?))
    };
    let invalid =
        |header: &str| ToolConfigError::Header { tool: tool.name.clone(), header: header.to_owned() };
    tool.headers.iter().map(|header| read(header).ok_or_else(|| invalid(header.0))).collect()
}

fn now_s() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("no clock is set before 1970").as_secs()
}

/// Hides the arguments.
impl fmt::Debug for HttpCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCall").field("tool", &self.endpoint.name).finish_non_exhaustive()
    }
}
