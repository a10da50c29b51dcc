//! Errors of the AWS APIs.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A typed error of an AWS API: an HTTP status, the exception's name, and its message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The HTTP status, 400 for most.
    pub status: u16,
    /// The exception, such as `ThrottlingException`.
    pub code: String,
    /// What it says.
    pub message: String,
}

impl Refusal {
    /// A refusal with status 400, the status of most.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.into(), message: message.into() }
    }

    /// The same refusal with another HTTP status.
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// What every service says when it is asked too often.
    pub fn throttling() -> Self {
        Self::new("ThrottlingException", "Rate exceeded")
    }

    /// What `RunTask` says when Fargate is full.
    pub fn no_capacity() -> Self {
        let message = "Capacity is unavailable at this time. Please try again later or in a different availability zone";
        Self::new("ClientException", message)
    }

    /// The error of a single write to DynamoDB while a transaction is at work on its item.
    pub fn transaction_conflict() -> Self {
        Self::new("TransactionConflictException", "Transaction is ongoing for the item")
    }

    /// What a service says to an action it does not have, or that is not played here.
    pub(crate) fn unknown_operation(action: &str) -> Self {
        Self::new("UnknownOperationException", format!("{action} is not played in this rehearsal"))
    }
}

impl IntoResponse for Refusal {
    /// In both dialects: awsJson reads `__type`, restJson reads the header.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let body = json!({"__type": self.code, "message": self.message, "Message": self.message});
        (status, [("x-amzn-errortype", self.code)], Json(body)).into_response()
    }
}
