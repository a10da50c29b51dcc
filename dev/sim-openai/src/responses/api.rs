//! Lets requests in, answers them, and remembers each.

use super::response::{respond, say};
use super::{ResponsesFault, ResponsesRequest, request};
use crate::InjectedFault;
use crate::refusal::Refusal;
use crate::session_registry::SessionRegistry;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::time::sleep;

/// The requests so far. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests(Arc<Mutex<Vec<ResponsesRequest>>>);

impl Requests {
    pub(crate) fn all(&self) -> Vec<ResponsesRequest> {
        self.lock().clone()
    }

    /// Remembers one more; how many there were before.
    fn remember(&self, body: &Value) -> usize {
        let mut requests = self.lock();
        requests.push(ResponsesRequest { at: Instant::now(), body: body.clone(), status: None, code: None });
        requests.len() - 1
    }

    fn answered(&self, n: usize, status: u16, code: Option<&str>) {
        let request = &mut self.lock()[n];
        (request.status, request.code) = (Some(status), code.map(str::to_owned));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ResponsesRequest>> {
        self.0.lock().expect("no thread panics while holding the requests")
    }
}

#[derive(Debug, Clone)]
struct Api {
    registry: Arc<SessionRegistry>,
    refuses_key: bool,
}

pub(crate) fn routes(registry: Arc<SessionRegistry>, fault: Option<InjectedFault>) -> Router {
    let api = Api { registry, refuses_key: fault == Some(InjectedFault::RefusesKey) };
    Router::new().route("/v1/responses", post(create)).with_state(api)
}

async fn create(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let shown = header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if api.refuses_key || shown != api.registry.key() {
        return refuse(401, &Refusal::key(shown));
    }
    let is_json = header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"));
    let body = if is_json { serde_json::from_slice(&body).unwrap_or_default() } else { Value::Null };
    api.answer(body).await
}

impl Api {
    async fn answer(&self, body: Value) -> Response {
        let (requests, config) = (&self.registry.responses, &self.registry.config);
        let n = requests.remember(&body);
        let fault = config.fault.and_then(InjectedFault::of_responses).filter(|fault| fault.befalls(n));
        let refused = |status: u16, refusal: &Refusal| {
            requests.answered(n, status, refusal.code);
            refuse(status, refusal)
        };
        if let Err((status, refusal)) = request::check(&body, &config.responses.models) {
            return refused(status, &refusal);
        }
        sleep(config.responses.takes).await;
        match fault {
            Some(ResponsesFault::Busy) => later(refused(429, &busy()), 1),
            Some(ResponsesFault::AlwaysBusy) => later(refused(429, &busy()), 20),
            Some(ResponsesFault::Quota) => refused(429, &Refusal::quota()),
            Some(ResponsesFault::Error) => refused(500, &Refusal::of_the_service()),
            Some(ResponsesFault::NoModel) => {
                refused(404, &request::no_model(body["model"].as_str().unwrap_or_default()))
            }
            Some(ResponsesFault::Silent) => std::future::pending().await,
            Some(ResponsesFault::Truncated | ResponsesFault::OnlyReasons | ResponsesFault::Refuses)
            | None => {
                requests.answered(n, 200, None);
                let said = say(&body, config.responses.answer.as_ref());
                Json(respond(n, unix_now(), &body, &said, fault)).into_response()
            }
        }
    }
}

fn busy() -> Refusal {
    Refusal::new("rate_limit_exceeded", "Rate limit reached for requests. Please try again in 1s.")
}

fn later(mut response: Response, seconds: u64) -> Response {
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    response
}

fn refuse(status: u16, refusal: &Refusal) -> Response {
    let mut error = refusal.event(None)["error"].clone();
    if let Some(error) = error.as_object_mut() {
        error.remove("event_id");
    }
    let status = StatusCode::from_u16(status).expect("the simulator answers with known statuses");
    (status, Json(json!({"error": error}))).into_response()
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
