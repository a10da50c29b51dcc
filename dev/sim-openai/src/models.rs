//! `GET /v1/models/{model}`: whether there is a model, for those who ask before they connect.

use crate::session_registry::SessionRegistry;
use crate::{Config, InjectedFault};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use std::sync::Arc;
use tokio::net::TcpStream;
use tracing::info;

/// How a request about models begins; anything else is for the socket.
const BEGINS: &[u8] = b"GET /v1/models";

/// Whether the first words on a connection ask about models. Nothing is taken from it.
pub(crate) async fn are_asked_for(stream: &TcpStream) -> bool {
    let mut first = [0; BEGINS.len()];
    loop {
        match stream.peek(&mut first).await {
            Ok(0) | Err(_) => return false,
            Ok(read) if read == BEGINS.len() || first[..read] != BEGINS[..read] => return first == BEGINS,
            // A client that sends its first word in pieces is none of ours; it is waited for all the same.
            Ok(_) => tokio::task::yield_now().await,
        }
    }
}

/// Serves a connection that asks about models.
pub(crate) async fn serve(stream: TcpStream, fault: Option<InjectedFault>, registry: &Arc<SessionRegistry>) {
    let refuses_key = fault == Some(InjectedFault::RefusesKey);
    let routes =
        Router::new().route("/v1/models/{model}", get(answer)).with_state((registry.clone(), refuses_key));
    let service = TowerToHyperService::new(routes);
    let served = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        info!(%error, "A client that asked about models left");
    }
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
