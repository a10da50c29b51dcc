//! What the handlers of a business share, and what a test reads.

use crate::signature::Signed;
use crate::{Delivery, Fault, Lookup, ToolBehaviour};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;

/// The longest body that is read.
const LONGEST: usize = 4 << 20;

#[derive(Debug, Clone)]
pub(crate) struct Shared {
    state: Arc<Mutex<State>>,
    /// Changes with each request.
    changes: Arc<watch::Sender<()>>,
}

#[derive(Debug)]
pub(crate) struct State {
    /// The server's address, which signatures cover.
    pub host: String,
    pub key: String,
    pub faults: Vec<Fault>,
    /// More faults, by the digits of a caller's number or the reference of a call.
    pub faults_of: BTreeMap<String, Vec<Fault>>,
    pub tools: ToolBehaviour,
    /// What is known of each customer, by the digits of the number.
    pub customers: BTreeMap<String, Map<String, Value>>,
    /// The answer to all lookups; `None`: what is known of the customer.
    pub answer: Option<Value>,
    pub lookups: Vec<Lookup>,
    pub orders: Vec<(String, Value)>,
    pub deliveries: Vec<Delivery>,
    /// The ids of outcomes that were taken.
    pub taken: BTreeSet<String>,
    pub complaints: Vec<String>,
    pub forged: usize,
}

/// A request that was signed with the business's key, and its JSON.
pub(crate) struct FromAhoy {
    pub body: Value,
    /// The id of Standard Webhooks, or why there is none.
    pub webhook_id: Result<String, &'static str>,
    /// What `x-ahoy-event` says.
    pub event: Option<String>,
}

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)), changes: Arc::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while holding it")
    }

    /// Announces a change to those that wait for one.
    pub(crate) fn has_changed(&self) {
        self.changes.send_replace(());
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }
}

impl State {
    /// Returns the faults that befall a caller or a call.
    pub(crate) fn faults_of(&self, whom: &str) -> Vec<Fault> {
        let of_it = self.faults_of.get(whom).into_iter().flatten();
        of_it.chain(&self.faults).copied().collect()
    }

    pub(crate) fn complain(&mut self, what: impl Into<String>) {
        self.complaints.push(what.into());
    }
}

impl FromRequest<Shared> for FromAhoy {
    type Rejection = Response;

    /// Takes only what is signed: 401 otherwise.
    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let body: Bytes = axum::body::to_bytes(body, LONGEST)
            .await
            .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
        let mut state = shared.lock();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let signed = Signed { host: &state.host, target, headers: &parts.headers, body: &body };
        if let Err(why) = signed.check(&state.key) {
            state.forged += 1;
            let refused = Json(json!({"error": "not signed by ahoy", "why": why}));
            return Err((StatusCode::UNAUTHORIZED, refused).into_response());
        }
        let webhook_id = signed.check_webhook(&state.key);
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        if header("content-type").is_none_or(|kind| !kind.starts_with("application/json")) {
            state.complain(format!("a request to {target} does not say that it is JSON"));
        }
        let event = header("x-ahoy-event").map(str::to_owned);
        let Ok(body) = serde_json::from_slice(&body) else {
            state.complain(format!("a request to {target} is no JSON"));
            return Err(StatusCode::BAD_REQUEST.into_response());
        };
        Ok(Self { body, webhook_id, event })
    }
}
