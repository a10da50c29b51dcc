//! What a task can ask its agent: about itself, and to be spared by scale-in.
//!
//! Spec: "Amazon ECS task scale-in protection endpoint"; the statuses are those of the agent's own source
//! (`ecs-agent/tmds/handlers/taskprotection`): a failure that ECS reports is a 200.

use super::task::Task;
use super::{AgentTrouble, Ecs, metadata};
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

/// The agent of every task.
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
        let left = state.mishaps.metadata.checked_sub(1);
        left.map(|left| state.mishaps.metadata = left).is_some()
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
    if let Some(trouble) = trouble(&ecs)
        && let Some(response) = misbehave(trouble, &arn).await
    {
        return response;
    }
    match ecs.protect(&arn, enabled, request.expires_in_minutes) {
        Ok(protection) => report(protection),
        Err(refusal) => invalid(&arn, &refusal.message),
    }
}

/// How the agent misbehaves this time. Asking uses that up.
fn trouble(ecs: &Ecs) -> Option<AgentTrouble> {
    ecs.change(|state| {
        let (left, trouble) = state.mishaps.agent.as_mut()?;
        *left = left.checked_sub(1)?;
        Some(*trouble)
    })
}

/// What the agent answers in place of ECS, if it does.
async fn misbehave(trouble: AgentTrouble, arn: &str) -> Option<Response> {
    match trouble {
        AgentTrouble::Slow(delay) => {
            sleep(delay).await;
            None
        }
        AgentTrouble::Throttled => {
            Some(error(StatusCode::BAD_REQUEST, arn, "ThrottlingException", "Rate exceeded"))
        }
        AgentTrouble::TimesOut(after) => {
            sleep(after).await;
            let message = "Timed out calling ECS Task Protection API";
            Some(error(StatusCode::GATEWAY_TIMEOUT, arn, "RequestCanceled", message))
        }
        AgentTrouble::Fails => {
            let message = "Unexpected error occurred";
            Some(error(StatusCode::INTERNAL_SERVER_ERROR, arn, "ServerException", message))
        }
        AgentTrouble::Garbles => Some("<html>Bad gateway</html>".into_response()),
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
