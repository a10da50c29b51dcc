//! `/v1/webhook_endpoints`: the project's webhook endpoints by API, for keys that may manage them.

use super::Exchange;
use super::endpoints::Refused;
use super::rest_answer::RestAnswer;
use crate::InjectedFault;
use crate::refusal::Refusal;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde_json::Value;
use std::sync::Arc;

#[derive(Debug, Clone)]
struct Api {
    exchange: Arc<Exchange>,
    refuses_key: bool,
}

pub(crate) fn routes(exchange: Arc<Exchange>, fault: Option<InjectedFault>) -> Router {
    let api = Api { exchange, refuses_key: fault == Some(InjectedFault::RefusesKey) };
    Router::new()
        .route("/v1/webhook_endpoints", get(list).post(make))
        .route("/v1/webhook_endpoints/{id}", get(look).post(update).delete(delete))
        .route("/v1/webhook_endpoints/{id}/rotate_secret", post(rotate))
        .with_state(api)
}

async fn list(State(api): State<Api>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    api.answer(&headers, "read", |exchange| exchange.endpoints().list(query.as_deref()))
}

async fn make(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    api.answer(&headers, "write", |exchange| exchange.endpoints().make(&body, Exchange::now()))
}

async fn look(State(api): State<Api>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    api.answer(&headers, "read", |exchange| exchange.endpoints().get(&id))
}

async fn update(State(api): State<Api>, headers: HeaderMap, Path(id): Path<String>, body: Bytes) -> Response {
    api.answer(&headers, "write", |exchange| exchange.endpoints().update(&id, &body, Exchange::now()))
}

async fn delete(State(api): State<Api>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    api.answer(&headers, "write", |exchange| exchange.endpoints().delete(&id))
}

async fn rotate(State(api): State<Api>, headers: HeaderMap, Path(id): Path<String>, body: Bytes) -> Response {
    api.answer(&headers, "write", |exchange| exchange.endpoints().rotate(&id, &body, Exchange::now()))
}

impl Api {
    fn answer(
        &self,
        headers: &HeaderMap,
        right: &str,
        ask: impl FnOnce(&Exchange) -> Result<Value, Refused>,
    ) -> Response {
        match self.admit(headers, right).and_then(|()| ask(&self.exchange)) {
            Ok(body) => Json(body).into_response(),
            Err((status, refusal)) => {
                let answer = RestAnswer::refused(status, &refusal);
                let status = StatusCode::from_u16(status).expect("the simulator answers with known statuses");
                (status, Json(answer.body)).into_response()
            }
        }
    }

    /// Lets in a key that may manage webhooks. Which keys may is not known: here, the one of the settings, else the only one.
    fn admit(&self, headers: &HeaderMap, right: &str) -> Result<(), Refused> {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let (key, registry) = (shown.unwrap_or_default(), &self.exchange.registry);
        let managing = registry.config.sip.webhooks_key.clone().unwrap_or_else(|| registry.key());
        if !self.refuses_key && key == managing {
            return Ok(());
        }
        if self.refuses_key || key != registry.key() {
            return Err((401, Refusal::key(key)));
        }
        let message = format!(
            "You have insufficient permissions for this operation. Missing scopes: api.webhooks.{right}."
        );
        Err((403, Refusal::new("missing_scope", message)))
    }
}
