//! Refusals of the API: the `error` event.

use serde_json::{Value, json};

/// A refusal. The session lives on, unless it is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    kind: &'static str,
    /// `None` where the real service's code is not known.
    pub code: Option<&'static str>,
    pub message: String,
    param: Option<String>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Some(code), ..Self::without_code(message) }
    }

    pub(crate) fn without_code(message: impl Into<String>) -> Self {
        Self { kind: "invalid_request_error", code: None, message: message.into(), param: None }
    }

    /// A value the service does not take.
    pub(crate) fn value(param: &str, message: impl Into<String>) -> Self {
        Self::new("invalid_value", message).about(param)
    }

    /// The key is none of ours: the message repeats its beginning, as the real service's does.
    pub(crate) fn key(shown: &str) -> Self {
        let beginning: String = shown.chars().take(3).collect();
        let message = format!(
            "Incorrect API key provided: {beginning}***. You can find your API key at \
             https://platform.openai.com/account/api-keys."
        );
        Self::new("invalid_api_key", message)
    }

    /// There is no such model for this project.
    pub(crate) fn model(name: &str) -> Self {
        let is_of_the_preview = name.starts_with("gpt-4o");
        let code = if is_of_the_preview { "model_not_found" } else { "invalid_model" };
        let message = format!("The model `{name}` does not exist or you do not have access to it.");
        Self::new(code, message).about("model")
    }

    /// The service itself failed. Which codes it has for that is not known.
    pub(crate) fn of_the_service() -> Self {
        let message = "The server had an error while processing your request. Sorry about that!";
        Self { kind: "server_error", ..Self::new("internal_error", message) }
    }

    /// The account cannot pay.
    pub(crate) fn quota() -> Self {
        let message = "You exceeded your current quota, please check your plan and billing details.";
        Self { kind: "insufficient_quota", ..Self::new("insufficient_quota", message) }
    }

    /// Names the parameter at fault, as a path such as `session.tools[0].name`.
    pub(crate) fn about(self, param: &str) -> Self {
        Self { param: Some(param.to_owned()), ..self }
    }

    /// The `error` event, without its own `event_id`. `cause` is the `event_id` of the client event at fault.
    pub(crate) fn event(&self, cause: Option<&str>) -> Value {
        json!({"type": "error", "error": {
            "type": self.kind, "code": self.code, "message": self.message, "param": self.param, "event_id": cause,
        }})
    }

    /// The code of the close frame that follows a fatal refusal.
    pub(crate) fn close_code(&self) -> u16 {
        match self.code {
            Some("invalid_api_key") => 3_000,
            Some("model_not_found") => 4_004,
            Some(_) | None => 4_000,
        }
    }

    /// The reason of the close frame that follows a fatal refusal.
    pub(crate) fn close_reason(&self) -> String {
        format!("{}.{}", self.kind, self.code.unwrap_or("unknown"))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.unwrap_or(self.kind), self.message)
    }
}
