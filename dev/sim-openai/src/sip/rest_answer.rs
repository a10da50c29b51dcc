//! The answers of the REST side: when, with which status, and in which words.

use crate::refusal::Refusal;
use serde_json::{Value, json};
use std::time::Duration;

/// An answer to a request about a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RestAnswer {
    /// How long the service takes to say so.
    pub after: Duration,
    pub status: u16,
    /// Null for none at all.
    pub body: Value,
}

impl RestAnswer {
    /// 200 without a body.
    pub(crate) fn done() -> Self {
        Self { after: Duration::ZERO, status: 200, body: Value::Null }
    }

    pub(crate) fn refused(status: u16, refusal: &Refusal) -> Self {
        let mut error = refusal.event(None)["error"].clone();
        if let Some(error) = error.as_object_mut() {
            error.remove("event_id");
        }
        Self { after: Duration::ZERO, status, body: json!({"error": error}) }
    }

    /// The service knows no such call, or knows it no more.
    pub(crate) fn gone(status: u16) -> Self {
        let message = "No session found for the provided call_id";
        Self::refused(status, &Refusal::new("call_id_not_found", message))
    }

    pub(crate) fn decided() -> Self {
        let message = "A decision was already made for this call.";
        Self::refused(400, &Refusal::new("decision_already_made", message))
    }

    pub(crate) fn failed() -> Self {
        Self::refused(500, &Refusal::of_the_service())
    }

    pub(crate) fn busy() -> Self {
        let message = "Rate limit reached. Please try again in 600ms.";
        Self::refused(429, &Refusal::new("rate_limit_exceeded", message))
    }

    #[must_use]
    pub(crate) fn late(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}
