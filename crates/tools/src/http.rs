//! Asks an operator's own system: one signed HTTP request, its time, its size and where it may go all bounded.

mod model_messages;

use crate::arguments;
use crate::context::CallContext;
use crate::outcome::{Refused, ToolError, ToolOutcome, ToolOutcomeKind};
use crate::public_address::{self, PublicResolver};
use crate::reply::{self, Reply};
use crate::signature::{SIGNATURE, SIGNATURE_WITH_HOST, SignedToolRequest, TIME};
use crate::target::{self, Target};
use crate::toolbox::ToolConfigError;
use agents::{HttpTool, Method, Tools};
use reqwest::dns::Resolve;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Request, Response, StatusCode, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout_at};
use url::{Position, Url};

/// The header that names the call. For the receiver's logs: it is not part of what is signed.
const CALL: HeaderName = HeaderName::from_static("x-ahoy-call");

/// The header that names the use: the receiver tells a repeat from a second use by it.
const USE: HeaderName = HeaderName::from_static("x-ahoy-use");

/// How long a connection is kept for the next question: less than the five seconds after which Node closes it.
const KEPT_IDLE: Duration = Duration::from_secs(4);

/// Headers that say how the request is carried, which is not an operator's to say.
const OURS: [HeaderName; 6] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TE,
];

/// What an agent's HTTP tools share.
pub(crate) struct HttpToolContext {
    http: Client,
    allowed_hosts: Arc<[String]>,
    way_out: &'static str,
}

/// An HTTP tool, ready to be asked.
pub(crate) struct Endpoint {
    name: String,
    method: reqwest::Method,
    target: Target,
    headers: HeaderMap,
    key: Option<SecretString>,
    timeout: Duration,
    largest_reply: usize,
    allowed_hosts: Arc<[String]>,
    way_out: &'static str,
    http: Client,
}

/// A question to an operator's system, checked and not yet asked.
pub struct HttpCall {
    endpoint: Arc<Endpoint>,
    url: Url,
    arguments: Map<String, Value>,
}

/// The body of a request that has one.
#[derive(Serialize)]
struct Body<'a> {
    arguments: &'a Map<String, Value>,
    call: &'a str,
    r#use: &'a str,
    number: &'a str,
    agent: &'a str,
}

impl HttpToolContext {
    pub fn new(names: Arc<dyn Resolve>, tools: &Tools) -> Result<Self, ToolConfigError> {
        let http = Client::builder()
            .user_agent("ahoy")
            .dns_resolver(Arc::new(PublicResolver::over(names)))
            // A proxy would look names up itself, and a redirect would lead anywhere: the one that is followed is checked first.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .pool_idle_timeout(KEPT_IDLE)
            .build()
            .map_err(|error| ToolConfigError::Https { reason: error.to_string() })?;
        Ok(Self {
            http,
            allowed_hosts: tools.allowed_hosts.clone().into(),
            way_out: model_messages::way_out(tools),
        })
    }
}

impl Endpoint {
    pub fn new(
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
            key,
            timeout: tool.timeout,
            largest_reply: tool.largest_reply,
            allowed_hosts: shared.allowed_hosts.clone(),
            way_out: shared.way_out,
            http: shared.http.clone(),
        })
    }

    /// The arguments that become part of the URL's path.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
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
            let rest =
                arguments.iter().filter(|(name, _)| endpoint.placeholders().all(|taken| taken != *name));
            target::ask(&mut url, rest);
        }
        Ok(Self { endpoint, url, arguments })
    }

    /// The tool's name.
    pub fn tool(&self) -> &str {
        &self.endpoint.name
    }

    /// Asks, and waits no longer than the tool's timeout for all of it. `use_id` is the same for the same use only: the model's
    /// id of it.
    pub async fn run(self, context: &CallContext, use_id: &str) -> ToolOutcome {
        let Some(_turn) = context.turn() else { return self.trouble(ToolError::TooMany, "") };
        match self.answer(context, use_id).await {
            Ok(Reply::Yes(for_the_model)) => {
                ToolOutcome { kind: ToolOutcomeKind::Done, trouble: None, for_the_model }
            }
            Ok(Reply::No(status, reason)) => self.trouble(ToolError::Status(status), &reason),
            Err(trouble) => self.trouble(trouble, ""),
        }
    }

    /// What is late after a redirect is not known to have failed: the system has answered before.
    async fn answer(&self, context: &CallContext, use_id: &str) -> Result<Reply, ToolError> {
        let Endpoint { timeout, largest_reply, .. } = *self.endpoint;
        let (late, deadline) = (|_| ToolError::Late(timeout), Instant::now() + timeout);
        let response = timeout_at(deadline, self.ask(context, use_id)).await.map_err(late)??;
        if is_see_other(response.status()) {
            let elsewhere = self.see_other(response.headers().get(header::LOCATION));
            return timeout_at(deadline, elsewhere).await.map_err(|_| ToolError::AnswerElsewhere)?;
        }
        timeout_at(deadline, reply::read(response, largest_reply)).await.map_err(late)?
    }

    async fn ask(&self, context: &CallContext, use_id: &str) -> Result<Response, ToolError> {
        public_address::check(&self.url, &self.endpoint.allowed_hosts)?;
        match self.send(context, use_id).await {
            // Nothing was sent, and a GET changes nothing: the one case where asking again can do no harm.
            Err(ToolError::Connection) if self.endpoint.method == reqwest::Method::GET => {
                self.send(context, use_id).await
            }
            sent => sent,
        }
    }

    /// The system has done what was asked, and its answer is elsewhere: fetches it there, once, with nothing of the request. Whatever
    /// is wrong with that answer says nothing about what was done, and neither does a page for people: it may ask to log in.
    async fn see_other(&self, location: Option<&HeaderValue>) -> Result<Reply, ToolError> {
        let is_done = |reply: &Reply| matches!(reply, Reply::Yes(text) if !reply::reads_as_page(text));
        let answer = async {
            let location = location?.to_str().ok()?;
            let url = self
                .url
                .join(location)
                .ok()
                .filter(|url| url.username().is_empty() && url.password().is_none())?;
            public_address::check(&url, &self.endpoint.allowed_hosts).ok()?;
            let response = self.endpoint.http.get(url).send().await.ok().filter(|it| !reply::is_page(it))?;
            reply::read(response, self.endpoint.largest_reply).await.ok().filter(is_done)
        };
        answer.await.ok_or(ToolError::AnswerElsewhere)
    }

    async fn send(&self, context: &CallContext, use_id: &str) -> Result<Response, ToolError> {
        self.endpoint.http.execute(self.request(context, use_id)).await.map_err(|error| match error {
            error if public_address::is_not_public(&error) => ToolError::Address,
            error if error.is_connect() => ToolError::Connection,
            _ => ToolError::Broken,
        })
    }

    fn request(&self, context: &CallContext, use_id: &str) -> Request {
        let Endpoint { method, headers, key, .. } = &*self.endpoint;
        let body = self.body(context, use_id);
        let mut request = Request::new(method.clone(), self.url.clone());
        *request.headers_mut() = headers.clone();
        for (name, value) in [(CALL, context.call_ref.as_str()), (USE, use_id)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                request.headers_mut().insert(name, value);
            }
        }
        if let Some(key) = key {
            let target = &self.url[Position::BeforePath..Position::AfterQuery];
            let host = &self.url[Position::BeforeHost..Position::AfterPort];
            let signed =
                SignedToolRequest { time_s: now_s(), method: method.as_str(), host, target, body: &body };
            let key = key.expose_secret();
            for (name, signature) in
                [(SIGNATURE, signed.signature(key)), (SIGNATURE_WITH_HOST, signed.signature_with_host(key))]
            {
                let signature = signature.parse().expect("hexadecimal digits may be in a header");
                request.headers_mut().insert(name, signature);
            }
            request.headers_mut().insert(TIME, signed.time_s.into());
        }
        if self.endpoint.has_body() {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
            *request.body_mut() = Some(body.into());
        }
        request
    }

    fn body(&self, context: &CallContext, use_id: &str) -> Vec<u8> {
        if !self.endpoint.has_body() {
            return Vec::new();
        }
        let CallContext { call_ref, number, agent, .. } = context;
        let body = Body { arguments: &self.arguments, call: call_ref, r#use: use_id, number, agent };
        serde_json::to_vec(&body).expect("text and JSON can be written as JSON")
    }
}

/// 302 is what many systems say for 303: that the answer is to be fetched elsewhere, by GET.
fn is_see_other(status: StatusCode) -> bool {
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
        let name = HeaderName::try_from(name).ok().filter(|name| !OURS.contains(name))?;
        Some((name, HeaderValue::from_str(value).ok()?))
    };
    let unfit = |header: &str| ToolConfigError::Header { tool: tool.name.clone(), header: header.to_owned() };
    tool.headers.iter().map(|header| read(header).ok_or_else(|| unfit(header.0))).collect()
}

fn now_s() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("no clock is set before 1970").as_secs()
}

/// Without what is asked.
impl fmt::Debug for HttpCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCall").field("tool", &self.endpoint.name).finish_non_exhaustive()
    }
}
