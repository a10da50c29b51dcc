//! The ECS agent of a task: serves its metadata, and changes its protection from scale-in.
//!
//! Spec: "Amazon ECS task scale-in protection endpoint"; the statuses are those of the agent's own source
//! (`ecs-agent/tmds/handlers/taskprotection`): a failure that ECS reports is a 200.

use super::task::Task;
use super::{AgentFault, Ecs, metadata};
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tokio::time::sleep;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Protect {
    protection_enabled: Option<bool>,
    expires_in_minutes: Option<i64>,
}

pub(crate) fn router(ecs: Arc<Ecs>) -> Router {
    Router::new()
        .route("/v4/{container}", get(container))
        .route("/v4/{container}/task", get(task))
        .route("/api/{container}/task-protection/v1/state", get(protection).put(protect))
        .with_state(ecs)
}

/// What the agent of a task says first, if metadata fails just now.
fn failed(ecs: &Ecs) -> Option<Response> {
    let fails = ecs.change(|state| {
        let left = state.faults.metadata.checked_sub(1);
        left.map(|left| state.faults.metadata = left).is_some()
    });
    fails.then(|| (StatusCode::INTERNAL_SERVER_ERROR, Json("failed to get task metadata")).into_response())
}

async fn container(State(ecs): State<Arc<Ecs>>, Path(container): Path<String>) -> Response {
    show(&ecs, &container, metadata::container)
}

async fn task(State(ecs): State<Arc<Ecs>>, Path(container): Path<String>) -> Response {
    show(&ecs, &container, metadata::task)
}

fn show(ecs: &Ecs, container: &str, write: fn(&str, &Task) -> Value) -> Response {
    if let Some(failed) = failed(ecs) {
        return failed;
    }
    let shown = ecs.look(|state| state.task(task_id(container)).map(|task| write(&ecs.cluster, task)));
    match shown {
        Some(shown) => Json(shown).into_response(),
        None => (StatusCode::NOT_FOUND, Json(format!("unknown container {container}"))).into_response(),
    }
}

async fn protection(State(ecs): State<Arc<Ecs>>, Path(container): Path<String>) -> Response {
    match arn(&ecs, &container) {
        Some(arn) => report(ecs.protection(&arn)),
        None => unknown(),
    }
}

async fn protect(State(ecs): State<Arc<Ecs>>, Path(container): Path<String>, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Protect>(&body) else {
        return invalid("", "UpdateTaskProtection: failed to decode request");
    };
    let Some(arn) = arn(&ecs, &container) else { return unknown() };
    let Some(enabled) = request.protection_enabled else {
        return invalid(&arn, "Invalid request: does not contain 'ProtectionEnabled' field");
    };
    if let Some(fault) = injected_fault(&ecs)
        && let Some(response) = answer_with(fault, &arn).await
    {
        return response;
    }
    match ecs.protect(&arn, enabled, request.expires_in_minutes) {
        Ok(protection) => report(protection),
        Err(refusal) => invalid(&arn, &refusal.message),
    }
}

/// Takes the fault injected into this request, if there is one.
fn injected_fault(ecs: &Ecs) -> Option<AgentFault> {
    ecs.change(|state| {
        let (left, fault) = state.faults.agent.as_mut()?;
        *left = left.checked_sub(1)?;
        Some(*fault)
    })
}

/// What the agent answers in place of ECS, if it does.
async fn answer_with(fault: AgentFault, arn: &str) -> Option<Response> {
    match fault {
        AgentFault::Slow(delay) => {
            sleep(delay).await;
            None
        }
        AgentFault::Throttled => {
            Some(error(StatusCode::BAD_REQUEST, arn, "ThrottlingException", "Rate exceeded"))
        }
        AgentFault::TimesOut(after) => {
            sleep(after).await;
            let message = "Timed out calling ECS Task Protection API";
            Some(error(StatusCode::GATEWAY_TIMEOUT, arn, "RequestCanceled", message))
        }
        AgentFault::Fails => {
            let message = "Unexpected error occurred";
            Some(error(StatusCode::INTERNAL_SERVER_ERROR, arn, "ServerException", message))
        }
        AgentFault::Garbles => Some("<html>Bad gateway</html>".into_response()),
    }
}

/// The agent's own words for what the API answered.
fn report(answer: Result<Value, Value>) -> Response {
    Json(match answer {
        Ok(task) => json!({"protection": {
            "ExpirationDate": task["expirationDate"].as_f64().map(iso),
            "ProtectionEnabled": task["protectionEnabled"],
            "TaskArn": task["taskArn"],
        }}),
        Err(failure) => json!({"failure": {
            "Arn": failure["arn"],
            "Detail": failure["detail"],
            "Reason": failure["reason"],
        }}),
    })
    .into_response()
}

fn invalid(arn: &str, message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, arn, "InvalidParameterException", message)
}

fn unknown() -> Response {
    error(StatusCode::NOT_FOUND, "", "ResourceNotFoundException", "Failed to find a task for the request")
}

fn error(status: StatusCode, arn: &str, code: &str, message: &str) -> Response {
    let error = json!({"error": {"Arn": arn, "Code": code, "Message": message}});
    (status, Json(error)).into_response()
}

fn arn(ecs: &Ecs, container: &str) -> Option<String> {
    ecs.look(|state| state.task(task_id(container)).map(|task| task.arn.clone()))
}

/// A container's id is its task's and a number.
fn task_id(container: &str) -> &str {
    container.split_once('-').map_or(container, |(task, _)| task)
}

fn iso(seconds: f64) -> String {
    crate::clock::iso(UNIX_EPOCH + Duration::from_secs_f64(seconds))
}
