//! Places calls by hand: `POST /sim/sip/calls`, and `GET /sim/sip/calls/{call_id}` for what came of one.

use super::{CallReport, CallSpec, CallerStep, Exchange};
use crate::InjectedFault;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Json;
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn routes(exchange: Arc<Exchange>) -> Router {
    let calls = Router::new().route("/sim/sip/calls", post(place));
    calls.route("/sim/sip/calls/{call_id}", get(report)).with_state(exchange)
}

async fn place(
    State(exchange): State<Arc<Exchange>>,
    Json(wanted): Json<Value>,
) -> Result<(StatusCode, Json<Value>), (StatusCode, String)> {
    let spec = spec(&wanted).map_err(|why| (StatusCode::BAD_REQUEST, why))?;
    let call = exchange.ring(spec);
    Ok((StatusCode::CREATED, Json(json!({"call_id": call.look(|call| call.id().to_owned())}))))
}

async fn report(
    State(exchange): State<Arc<Exchange>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, StatusCode> {
    let call = exchange.find(&id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(call.look(|call| summary(call.report()))))
}

fn spec(wanted: &Value) -> Result<CallSpec, String> {
    let text = |key: &str| wanted[key].as_str().ok_or(format!("`{key}` is missing"));
    let mut spec = CallSpec::new(text("from")?, text("dialled")?);
    for header in list(wanted, "headers") {
        let pair = header[0].as_str().zip(header[1].as_str()).ok_or("a header is [name, value]")?;
        spec = spec.header(pair.0, pair.1);
    }
    if let Some(security) = wanted.get("media_security") {
        spec.media_security = security.as_str().map(str::to_owned);
    }
    for line in list(wanted, "script") {
        let step: CallerStep =
            line.as_str().unwrap_or_default().parse().map_err(|error| format!("{error}"))?;
        spec.script.push(step);
    }
    if let Some(name) = wanted["fault"].as_str() {
        let fault: InjectedFault = name.parse().map_err(|error| format!("{error}"))?;
        spec.fault = Some(fault.of_calls().ok_or(format!("{name} befalls sessions, not calls"))?);
    }
    Ok(spec)
}

fn list<'a>(wanted: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    wanted[key].as_array().into_iter().flatten()
}

fn summary(report: &CallReport) -> Value {
    let since = |at: std::time::Instant| at.saturating_duration_since(report.placed_at).as_millis() as u64;
    let carrier = report
        .carrier
        .iter()
        .map(|event| json!({"ms": since(event.at), "event": format!("{:?}", event.kind)}));
    let requests = report.requests.iter().map(|request| {
        json!({"ms": since(request.at), "action": request.action.to_string(), "status": request.status})
    });
    let deliveries = report.deliveries.iter().map(
        |delivery| json!({"ms": since(delivery.at), "attempt": delivery.attempt, "status": delivery.status}),
    );
    json!({
        "carrier": carrier.collect::<Vec<_>>(), "requests": requests.collect::<Vec<_>>(),
        "deliveries": deliveries.collect::<Vec<_>>(), "over": report.ending().is_some(),
    })
}
