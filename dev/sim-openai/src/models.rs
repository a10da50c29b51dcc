//! `GET /v1/models/{model}`: whether there is a model, for those who ask before they connect.

use crate::session_registry::SessionRegistry;
use crate::{Config, InjectedFault};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::json;
use std::sync::Arc;

pub(crate) fn routes(registry: Arc<SessionRegistry>, fault: Option<InjectedFault>) -> Router {
    let refuses_key = fault == Some(InjectedFault::RefusesKey);
    Router::new().route("/v1/models/{model}", get(answer)).with_state((registry, refuses_key))
}

async fn answer(
    State((registry, refuses_key)): State<(Arc<SessionRegistry>, bool)>,
    Path(model): Path<String>,
    headers: HeaderMap,
) -> Response {
    let key = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
    if refuses_key || key != Some(registry.key().as_str()) {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_api_key", "Incorrect API key provided.");
    }
    if registry.config.model.as_ref().is_some_and(|only| *only != model) {
        let message = "The model does not exist or you do not have access to it.";
        return refuse(StatusCode::NOT_FOUND, "model_not_found", message);
    }
    Json(known(&model, &registry.config)).into_response()
}

fn known(model: &str, config: &Config) -> serde_json::Value {
    let mut known = json!({ "id": model, "object": "model", "created": 1_770_000_000, "owned_by": "system" });
    if let Some(date) = &config.shutdown_date {
        known["shutdown_date"] = json!(date);
    }
    known
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let error = json!({ "message": message, "type": "invalid_request_error", "param": null, "code": code });
    (status, Json(json!({ "error": error }))).into_response()
}
