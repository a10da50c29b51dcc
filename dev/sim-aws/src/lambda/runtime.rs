//! The Runtime API as one process sees it: the next invocation, and what came of it.
//!
//! Spec: "Using the Lambda runtime API for custom runtimes", version 2018-06-01.

use super::limits::SYNCHRONOUS_LIMIT;
use super::outcome::Outcome;
use crate::clock;
use crate::config::Function;
use crate::identity::arn;
use crate::kill_points::KillPoints;
use crate::process::Process;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, body::Bytes};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, oneshot};

/// An invocation on its way to a process.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) id: String,
    pub(super) payload: Bytes,
    /// Told when the process has taken it: from then on its time runs.
    pub(super) taken: oneshot::Sender<()>,
    pub(super) outcome: oneshot::Sender<Outcome>,
}

/// What one process and its sandbox share: the invocation being handed over, and the one being worked on.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    function: String,
    timeout: Duration,
    process: Process,
    /// Whether the process is frozen while it waits.
    freezes: bool,
    kill_points: Arc<KillPoints>,
    deliveries: tokio::sync::Mutex<mpsc::Receiver<Delivery>>,
    open: Mutex<Option<Open>>,
    init_error: Mutex<Option<Bytes>>,
}

#[derive(Debug)]
struct Open {
    id: String,
    outcome: oneshot::Sender<Outcome>,
}

impl RuntimeApi {
    /// The API of one process, and where to put what the process is to do.
    pub(super) fn new(
        function: &Function,
        process: &Process,
        kill_points: &Arc<KillPoints>,
    ) -> (Arc<Self>, mpsc::Sender<Delivery>) {
        let (sender, deliveries) = mpsc::channel(1);
        let deliveries = tokio::sync::Mutex::new(deliveries);
        let api = Self {
            function: function.name.clone(),
            timeout: function.timeout,
            process: process.clone(),
            freezes: function.freezes,
            kill_points: kill_points.clone(),
            deliveries,
            open: Mutex::default(),
            init_error: Mutex::default(),
        };
        (Arc::new(api), sender)
    }

    /// The error the process reported about its own start, if it did.
    pub(super) fn take_init_error(&self) -> Option<Bytes> {
        self.init_error.lock().expect("no thread panics while holding the lock").take()
    }

    /// The next delivery. The process is frozen while it waits.
    async fn delivery(&self) -> Option<Delivery> {
        let mut deliveries = self.deliveries.lock().await;
        if let Ok(delivery) = deliveries.try_recv() {
            return Some(delivery);
        }
        if !self.freezes {
            return deliveries.recv().await;
        }
        self.process.freeze();
        let delivery = deliveries.recv().await;
        self.process.thaw();
        delivery
    }

    fn close(&self, id: &str, outcome: Outcome) -> Response {
        let mut open = self.open.lock().expect("no thread panics while holding the lock");
        match open.take_if(|open| open.id == id) {
            Some(open) => {
                // The sandbox may have given up on it already.
                let _ = open.outcome.send(outcome);
                accepted()
            }
            None => refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        }
    }
}

pub(super) fn router(api: Arc<RuntimeApi>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(api)
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    let Some(delivery) = api.delivery().await else {
        return StatusCode::GONE.into_response();
    };
    let Delivery { id, payload, taken, outcome } = delivery;
    *api.open.lock().expect("no thread panics while holding the lock") =
        Some(Open { id: id.clone(), outcome });
    api.kill_points.begin(&api.process);
    let _ = taken.send(());
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", clock::millis(SystemTime::now() + api.timeout).to_string()),
        ("lambda-runtime-invoked-function-arn", arn("lambda", &format!("function:{}", api.function))),
    ];
    (headers, payload).into_response()
}

async fn response(
    State(api): State<Arc<RuntimeApi>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if headers.contains_key("lambda-runtime-function-response-mode") {
        tracing::warn!(function = api.function, "A function streamed its reply, which is not played");
        return refused(StatusCode::BAD_REQUEST, "InvalidResponseMode", "streamed replies are not played");
    }
    if body.len() > SYNCHRONOUS_LIMIT {
        let too_large = Outcome::too_large(body.len(), SYNCHRONOUS_LIMIT);
        let _ = api.close(&id, too_large);
        let message = "Exceeded maximum allowed payload size";
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message);
    }
    let closed = async { api.close(&id, Outcome::Reply(body)) };
    match api.kill_points.reply(&api.process) {
        None => closed.await,
        Some(kill) => kill.around(closed).await.unwrap_or_else(|| StatusCode::GONE.into_response()),
    }
}

async fn error(State(api): State<Arc<RuntimeApi>>, Path(id): Path<String>, body: Bytes) -> Response {
    api.close(&id, Outcome::Failure(body))
}

async fn init_error(State(api): State<Arc<RuntimeApi>>, body: Bytes) -> Response {
    *api.init_error.lock().expect("no thread panics while holding the lock") = Some(body);
    accepted()
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

fn refused(status: StatusCode, kind: &str, message: &str) -> Response {
    (status, Json(json!({"errorType": kind, "errorMessage": message}))).into_response()
}
