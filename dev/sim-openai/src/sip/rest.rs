//! The REST side of calls: `POST /v1/realtime/calls/{call_id}/accept`, `/reject`, `/hangup` and `/refer`.

use super::client_deaths::Kill;
use super::rest_answer::RestAnswer;
use super::{Action, Exchange};
use crate::InjectedFault;
use crate::refusal::Refusal;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use serde_json::Value;
use std::sync::Arc;
use std::time::Instant;
use tokio::time::sleep;

#[derive(Debug, Clone)]
struct Rest {
    exchange: Arc<Exchange>,
    refuses_key: bool,
}

pub(crate) fn routes(exchange: Arc<Exchange>, fault: Option<InjectedFault>) -> Router {
    let rest = Rest { exchange, refuses_key: fault == Some(InjectedFault::RefusesKey) };
    Router::new().route("/v1/realtime/calls/{call_id}/{action}", post(handle)).with_state(rest)
}

async fn handle(
    State(rest): State<Rest>,
    Path((id, action)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (answer, death) = rest.decide(&id, &action, &headers, &body);
    if let Some(kill) = death {
        kill().await;
    }
    sleep(answer.after).await;
    let status = StatusCode::from_u16(answer.status).expect("the simulator answers with known statuses");
    if answer.body.is_null() { status.into_response() } else { (status, Json(answer.body)).into_response() }
}

impl Rest {
    /// Decides the answer, and whether the client dies before it gets it.
    fn decide(&self, id: &str, action: &str, headers: &HeaderMap, body: &[u8]) -> (RestAnswer, Option<Kill>) {
        match self.check(action, headers, body) {
            Ok((action, body)) => self.act(id, action, body),
            Err(refused) => (refused, None),
        }
    }

    /// Checks what is wrong with a request whatever the call.
    fn check(&self, action: &str, headers: &HeaderMap, body: &[u8]) -> Result<(Action, Value), RestAnswer> {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if self.refuses_key || shown != Some(self.exchange.registry.key().as_str()) {
            return Err(RestAnswer::refused(401, &Refusal::key(shown.unwrap_or_default())));
        }
        let Ok(action) = action.parse::<Action>() else {
            let message = format!("Invalid URL (POST /v1/realtime/calls/{{call_id}}/{action})");
            return Err(RestAnswer::refused(404, &Refusal::without_code(message)));
        };
        let body = parse(body).map_err(|refusal| RestAnswer::refused(400, &refusal))?;
        Ok((action, body))
    }

    fn act(&self, id: &str, action: Action, body: Value) -> (RestAnswer, Option<Kill>) {
        let Some(call) = self.exchange.find(id) else {
            self.exchange.note_stray(id, action, body);
            return (RestAnswer::gone(404), None);
        };
        let registry = self.exchange.registry.clone();
        call.step(|call| {
            let answer = call.handle_request(action, &body, &registry, Instant::now());
            (answer, call.client_death(&self.exchange.client_deaths))
        })
    }
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    let message = "We could not parse the JSON body of your request.";
    serde_json::from_slice(body).map_err(|_| Refusal::without_code(message))
}
