//! The tool of the agent: looks an order up.

use crate::shared::{FromAhoy, Shared};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::time::Duration;

/// How the business answers a tool's requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ToolBehaviour {
    /// It answers at once.
    #[default]
    Quick,
    /// It answers after this delay.
    Slow(Duration),
    /// It answers with this status, and nothing of use.
    Broken(u16),
    /// It does as asked, answers with this status, and has its answer at `/echo`, which takes only GET: Google Apps Script does.
    Redirects(u16),
}

pub(crate) async fn look_up(State(shared): State<Shared>, request: FromAhoy) -> Response {
    let order = request.body["arguments"]["order"].as_str().unwrap_or_default().to_owned();
    let behaviour = {
        let mut state = shared.lock();
        state.orders.push((order.clone(), request.body));
        state.tools
    };
    shared.has_changed();
    match behaviour {
        ToolBehaviour::Quick => {}
        ToolBehaviour::Slow(time) => tokio::time::sleep(time).await,
        ToolBehaviour::Broken(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (status, Json(json!({"error": "the till is on fire"}))).into_response();
        }
        ToolBehaviour::Redirects(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
            return (status, [("location", "/echo?k=1"), ("content-type", "text/html")]).into_response();
        }
    }
    Json(json!({"order": order, "state": "ready", "until": "18:00"})).into_response()
}

/// Returns the answer to an order, to a request without a signature.
pub(crate) async fn echo(headers: HeaderMap) -> Response {
    if headers.keys().any(|name| name.as_str().starts_with("x-ahoy-")) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    Json(json!({"booked": true, "reference": "A-17"})).into_response()
}
