//! What an error of OpenAI's means for the call.

use crate::server::ErrorInfo;

/// An error, and whether the session can go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Trouble {
    /// OpenAI's code, or its type when there is no code.
    pub code: String,
    /// OpenAI's words.
    pub message: String,
}

/// Codes after which no session will be had with this key, however often we try.
const FATAL: [&str; 9] = [
    "invalid_api_key",
    "account_deactivated",
    "insufficient_quota",
    "credit_balance_exhausted",
    "billing_hard_limit_reached",
    "beta_api_shape_disabled",
    "missing_model",
    "model_not_found",
    "session_expired",
];

/// Codes that only say that two things crossed on the wire.
const HARMLESS: [&str; 3] = [
    "response_cancel_not_active",
    "conversation_already_has_active_response",
    "input_audio_buffer_commit_empty",
];

impl Trouble {
    /// Whether the session is over by it.
    pub fn is_fatal(&self) -> bool {
        FATAL.contains(&self.code.as_str())
    }

    /// Whether nobody need hear of it.
    pub fn is_harmless(&self) -> bool {
        HARMLESS.contains(&self.code.as_str()) || self.message.contains("is already shorter than")
    }
}

impl From<ErrorInfo> for Trouble {
    fn from(error: ErrorInfo) -> Self {
        Self {
            code: error.code.or(error.r#type).unwrap_or_else(|| "unknown".to_owned()),
            message: error.message.unwrap_or_default(),
        }
    }
}
