//! Why a request has no reply of the model, and whether a retry can help.

use api_client::NoReply;
use std::time::Duration;

/// Why a request has no reply of the model. The messages quote nothing that was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResponsesError {
    /// A rate limit or the account's money is used up.
    #[error("OpenAI asked us to slow down ({code})")]
    Busy {
        /// OpenAI's error code.
        code: String,
        /// How long OpenAI asks to wait, from `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// OpenAI rejected the key.
    #[error("OpenAI rejected the API key ({code})")]
    Misconfigured {
        /// OpenAI's error code.
        code: String,
    },
    /// OpenAI refused the request for good: it does not know the model, or does not take the schema.
    #[error("OpenAI refused the request ({code}, status {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// OpenAI's error code.
        code: String,
    },
    /// OpenAI was not reached, timed out, or had a fault of its own.
    #[error("OpenAI did not answer: {reason}")]
    Unanswered {
        /// What happened instead.
        reason: String,
    },
}

impl ResponsesError {
    /// Whether the same request may succeed later.
    pub fn is_worth_another_try(&self) -> bool {
        match self {
            // A key can be replaced.
            Self::Busy { .. } | Self::Misconfigured { .. } | Self::Unanswered { .. } => true,
            Self::Refused { .. } => false,
        }
    }

    /// Returns how long OpenAI asks to wait, if it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            Self::Misconfigured { .. } | Self::Refused { .. } | Self::Unanswered { .. } => None,
        }
    }

    /// Returns a word for it: OpenAI's code, or one of ours.
    pub fn word(&self) -> &str {
        match self {
            Self::Busy { code, .. } | Self::Misconfigured { code } | Self::Refused { code, .. } => code,
            Self::Unanswered { .. } => "unanswered",
        }
    }

    /// Reads an error reply.
    pub(crate) fn read(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body["error"][name].as_str().unwrap_or_default();
        let code = word_of([text("code"), text("type")]);
        match status {
            429 => Self::Busy { code, retry_after },
            401 | 403 => Self::Misconfigured { code },
            408 | 409 | 500.. => Self::Unanswered { reason: format!("status {status} {code}") },
            _ => Self::Refused { status, code },
        }
    }
}

/// Whether a request is refused because of how hard the model is to think.
pub(crate) fn is_about_reasoning(body: &[u8]) -> bool {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    body["error"]["param"].as_str().is_some_and(|param| param.starts_with("reasoning"))
}

/// Returns the first text that is a word: what is logged must not quote a request.
pub(crate) fn word_of(texts: [&str; 2]) -> String {
    let is_word = |text: &&str| {
        (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    texts.into_iter().find(is_word).unwrap_or("unnamed").to_owned()
}

impl From<NoReply> for ResponsesError {
    fn from(error: NoReply) -> Self {
        match error {
            NoReply::Unreached { reason } | NoReply::Unanswered { reason } => Self::Unanswered { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_faults_and_keys_are_worth_another_try() {
        for (status, code, is_worth_it) in [
            (429, "rate_limit_exceeded", true),
            (429, "insufficient_quota", true),
            (401, "invalid_api_key", true),
            (500, "server_error", true),
            (503, "", true),
            (404, "model_not_found", false),
            (400, "invalid_json_schema", false),
        ] {
            let error = ResponsesError::read(status, body(code).as_bytes(), None);

            assert_eq!(error.is_worth_another_try(), is_worth_it, "{error}");
        }
    }

    #[test]
    fn an_error_quotes_nothing() {
        let error = ResponsesError::read(400, body("My name is Planted").as_bytes(), None);

        assert_eq!(error.to_string(), "OpenAI refused the request (invalid_request_error, status 400)");
        assert_eq!(ResponsesError::read(404, b"<html>Planted", None).word(), "unnamed");
    }

    fn body(code: &str) -> String {
        let error = serde_json::json!({"code": code, "type": "invalid_request_error", "message": "Planted."});
        serde_json::json!({"error": error}).to_string()
    }
}
