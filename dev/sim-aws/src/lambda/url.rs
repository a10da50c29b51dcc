//! A Function URL: turns an HTTP request into an invocation, and its reply into an HTTP response.

use super::event::{self, Incoming};
use super::limits::SYNCHRONOUS_LIMIT;
use super::outcome::Outcome;
use super::reply;
use super::sandbox::Invocation;
use super::sandbox_pool::SandboxPool;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use sim_network::Connection;
use std::sync::Arc;
use std::time::SystemTime;

pub(super) fn router(pool: Arc<SandboxPool>) -> Router {
    Router::new().fallback(answer).with_state(pool)
}

async fn answer(
    State(pool): State<Arc<SandboxPool>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut invocation = Invocation::new(Bytes::new());
    let incoming = Incoming {
        id: &invocation.id,
        function: pool.name(),
        method: &method,
        uri: &uri,
        headers: &headers,
        body: &body,
        source: connection.peer().ip(),
        at: SystemTime::now(),
    };
    invocation.payload = event::payload(&incoming).to_string().into();
    if invocation.payload.len() > SYNCHRONOUS_LIMIT {
        return (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large").into_response();
    }
    match pool.invoke(invocation).await {
        Ok(Outcome::Reply(reply)) => {
            reply::response(&reply).unwrap_or_else(|error| bad_gateway(&pool, &error))
        }
        Ok(Outcome::Failure(error)) => bad_gateway(&pool, &String::from_utf8_lossy(&error)),
        Err(throttled) => (StatusCode::TOO_MANY_REQUESTS, throttled.to_string()).into_response(),
    }
}

/// What a caller sees of any error inside the function: nothing.
fn bad_gateway(pool: &SandboxPool, error: &str) -> Response {
    tracing::warn!(function = pool.name(), error, "A Function URL answers 502");
    (StatusCode::BAD_GATEWAY, "Internal Server Error").into_response()
}
