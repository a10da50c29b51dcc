//! The Invoke API: ask and wait, ask and go (`Event`), or ask whether one could (`DryRun`).

use super::Lambda;
use super::limits::{EVENT_LIMIT, SYNCHRONOUS_LIMIT};
use super::outcome::{Outcome, Throttled};
use super::queue::deliver;
use super::sandbox::Invocation;
use super::sandbox_pool::SandboxPool;
use crate::identity::arn;
use crate::refusal::Refusal;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::de::IgnoredAny;
use std::sync::Arc;

/// `POST /2015-03-31/functions/{function}/invocations`
pub(crate) async fn invoke(
    lambda: &Lambda,
    function: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let pool = lambda.pool(function).ok_or_else(|| unknown_function(function))?;
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if header("x-amz-log-type") == Some("Tail") {
        return Err(Refusal::new("InvalidParameterValueException", "log tails are not played"));
    }
    match header("x-amz-invocation-type").unwrap_or("RequestResponse") {
        "RequestResponse" => Ok(ask(pool, checked(body, SYNCHRONOUS_LIMIT)?).await?),
        "Event" => Ok(enqueue(pool, checked(body, EVENT_LIMIT)?)),
        "DryRun" => Ok(StatusCode::NO_CONTENT.into_response()),
        other => Err(Refusal::new(
            "InvalidParameterValueException",
            format!(
                "Value '{other}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
            ),
        )),
    }
}

async fn ask(pool: &Arc<SandboxPool>, payload: Bytes) -> Result<Response, Throttled> {
    let invocation = Invocation::new(payload);
    let request_id =
        [("x-amzn-requestid", invocation.id.clone()), ("x-amz-executed-version", "$LATEST".into())];
    Ok(match pool.invoke(invocation).await? {
        Outcome::Reply(reply) => (request_id, reply).into_response(),
        Outcome::Failure(error) => {
            (request_id, [("x-amz-function-error", "Unhandled")], error).into_response()
        }
    })
}

fn enqueue(pool: &Arc<SandboxPool>, payload: Bytes) -> Response {
    let invocation = Invocation::new(payload);
    let request_id = [("x-amzn-requestid", invocation.id.clone())];
    tokio::spawn(deliver(pool.clone(), invocation));
    (StatusCode::ACCEPTED, request_id).into_response()
}

/// A payload that fits and is JSON. None at all counts as `{}`.
fn checked(body: Bytes, limit: usize) -> Result<Bytes, Refusal> {
    if body.len() > limit {
        let message = format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
        return Err(Refusal::new("RequestTooLargeException", message).with_status(413));
    }
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    serde_json::from_slice::<IgnoredAny>(&body).map_err(|error| {
        let message = format!("Could not parse request body into json: {error}");
        Refusal::new("InvalidRequestContentException", message)
    })?;
    Ok(body)
}

fn unknown_function(name: &str) -> Refusal {
    let message = format!("Function not found: {}", arn("lambda", &format!("function:{name}")));
    Refusal::new("ResourceNotFoundException", message).with_status(404)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_must_be_json() {
        assert_eq!(checked(Bytes::from("{"), 10).unwrap_err().code, "InvalidRequestContentException");
        assert_eq!(checked(Bytes::from("[1]"), 10).unwrap(), "[1]");
        assert_eq!(checked(Bytes::new(), 10).unwrap(), "{}");
    }

    #[test]
    fn a_payload_one_byte_too_large_is_refused() {
        assert!(checked(Bytes::from("\"12345678\""), 10).is_ok());
        assert_eq!(checked(Bytes::from("\"123456789\""), 10).unwrap_err().status, 413);
    }
}
