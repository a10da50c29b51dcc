//! What the API answers when it will not do as it was told: the `error` event.

use serde_json::{Value, json};

/// A refusal. The session lives on, unless somebody closes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    kind: &'static str,
    /// `None` where the real service's code is not known.
    pub code: Option<&'static str>,
    pub message: String,
    param: Option<String>,
}

impl Refusal {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Some(code), ..Self::without_code(message) }
    }

    pub fn without_code(message: impl Into<String>) -> Self {
        Self { kind: "invalid_request_error", code: None, message: message.into(), param: None }
    }

    /// A value the service does not take.
    pub fn value(param: &str, message: impl Into<String>) -> Self {
        Self::new("invalid_value", message).about(param)
    }

    /// The account cannot pay.
    pub fn quota() -> Self {
        let message = "You exceeded your current quota, please check your plan and billing details.";
        Self { kind: "insufficient_quota", ..Self::new("insufficient_quota", message) }
    }

    /// Names the parameter at fault, as a path such as `session.tools[0].name`.
    pub fn about(self, param: &str) -> Self {
        Self { param: Some(param.to_owned()), ..self }
    }

    /// The `error` event, without its own `event_id`. `cause` is the `event_id` of the client event at fault.
    pub fn event(&self, cause: Option<&str>) -> Value {
        json!({"type": "error", "error": {
            "type": self.kind, "code": self.code, "message": self.message, "param": self.param, "event_id": cause,
        }})
    }

    /// The reason of the close frame that follows a fatal refusal.
    pub fn close_reason(&self) -> String {
        format!("{}.{}", self.kind, self.code.unwrap_or("unknown"))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.unwrap_or(self.kind), self.message)
    }
}
