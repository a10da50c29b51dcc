//! Classifies OpenAI's errors: retry, reconnect, or fail the conversation.

use crate::Redacted;
use crate::server_event::ErrorInfo;

/// An error that OpenAI reported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub struct ApiError {
    /// OpenAI's code, or its type if there is no code.
    pub code: String,
    /// OpenAI's message. It can quote what was sent, so it is not logged.
    pub message: Redacted<String>,
    /// OpenAI's type, which decides when the code is unknown.
    pub kind: Option<String>,
}

/// Why a conversation failed: no session can be opened any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// OpenAI's code, or one of ours in the same style.
    pub code: String,
    /// What the operator can do about it.
    pub cure: String,
    /// Whether every call fails until the operator acts.
    pub is_fatal: bool,
}

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Nothing: two messages crossed on the wire.
    None,
    /// Request the response again later.
    Wait,
    /// Request the response again, once.
    Again,
    /// Replace the session by another one.
    Reconnect,
    /// Fail: no session can be opened, however often it is tried.
    Fail,
    /// Report it: the conversation continues, and an operator should see it.
    Tell,
}

const KEY: &str = "OPENAI_API_KEY was refused: put a valid one into the media secret";
const MONEY: &str = "the OpenAI account has no credit left: add some, or raise its limit";
const ACCOUNT: &str = "the OpenAI account is not active: see its settings at OpenAI";
const MODEL: &str = "OpenAI does not know the model: correct its name in the agent file or in REALTIME_MODEL";
const ADDRESS: &str =
    "the Realtime API refused the form of the request: correct REALTIME_URL, or update ahoy";

/// Codes and types after which no session can be opened, with what the operator can do.
const FATAL: [(&str, &str); 10] = [
    ("invalid_api_key", KEY),
    ("authentication_error", KEY),
    ("account_deactivated", ACCOUNT),
    ("insufficient_quota", MONEY),
    ("credit_balance_exhausted", MONEY),
    ("billing_hard_limit_reached", MONEY),
    ("beta_api_shape_disabled", ADDRESS),
    ("missing_model", MODEL),
    ("invalid_model", MODEL),
    ("model_not_found", MODEL),
];

/// Codes and types of a rate-limited or overloaded service.
const BUSY: [&str; 4] =
    ["rate_limit_exceeded", "inference_rate_limit_exceeded", "rate_limit_error", "slow_down"];

/// Codes and types of failures that may pass with another try.
const TRANSIENT: [&str; 8] = [
    "server_error",
    "internal_error",
    "internal_server_error",
    "api_error",
    "overloaded_error",
    "service_unavailable",
    "service_unavailable_error",
    "timeout",
];

/// Codes that only say that two messages crossed on the wire.
const HARMLESS: [&str; 4] = [
    "response_cancel_not_active",
    "conversation_already_has_active_response",
    "input_audio_buffer_commit_empty",
    "item_create_duplicate_item_id",
];

impl ApiError {
    pub(crate) fn remedy(&self) -> Remedy {
        let code = self.code.as_str();
        match code {
            _ if FATAL.iter().any(|(fatal, _)| *fatal == code) => Remedy::Fail,
            _ if HARMLESS.contains(&code) => Remedy::None,
            _ if self.message.contains("is already shorter than") => Remedy::None,
            "session_expired" => Remedy::Reconnect,
            _ if self.is_any_of(&BUSY) => Remedy::Wait,
            _ if self.is_any_of(&TRANSIENT) => Remedy::Again,
            _ => Remedy::Tell,
        }
    }

    /// Whether the key was refused: the secret may hold another one by now.
    pub(crate) fn is_about_the_key(&self) -> bool {
        FATAL.contains(&(self.code.as_str(), KEY))
    }

    /// Whether its type says that the request was wrong, and not the service.
    pub(crate) fn is_about_the_request(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == "invalid_request_error")
    }

    fn is_any_of(&self, words: &[&str]) -> bool {
        words.contains(&self.code.as_str()) || self.kind.as_deref().is_some_and(|kind| words.contains(&kind))
    }
}

/// Whether a code is about the account or its key, so that no change of the configuration helps.
pub(crate) fn is_about_the_account(code: &str) -> bool {
    FATAL.iter().any(|(fatal, cure)| *fatal == code && *cure != MODEL)
}

impl Failure {
    /// Whether the key was refused.
    pub(crate) fn is_about_the_key(&self) -> bool {
        self.cure == KEY
    }

    /// Returns the failure for one of OpenAI's codes.
    pub(crate) fn of(code: &str) -> Self {
        let cure = FATAL.iter().find(|(fatal, _)| *fatal == code).map(|(_, cure)| *cure);
        let is_fatal = cure.is_some();
        let cure = cure
            .unwrap_or("OpenAI's Realtime API is unavailable: see status.openai.com, and try again later");
        Self { code: code.to_owned(), cure: cure.to_owned(), is_fatal }
    }

    /// Returns the failure of a refused configuration.
    pub(crate) fn refused(code: &str) -> Self {
        let cure =
            "OpenAI refused the session's configuration: correct [model] and the tools in the agent file";
        Self { code: code.to_owned(), cure: cure.to_owned(), is_fatal: true }
    }
}

impl From<ErrorInfo> for ApiError {
    fn from(error: ErrorInfo) -> Self {
        let is_known = |word: &&String| FATAL.iter().any(|(fatal, _)| fatal == word);
        let by_type = error.r#type.as_ref().filter(is_known).cloned();
        Self {
            kind: error.r#type.clone(),
            code: by_type.or(error.code).or(error.r#type).unwrap_or_else(|| "unknown".to_owned()),
            message: error.message.unwrap_or_default(),
        }
    }
}

/// Why a link was lost, or could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionLoss {
    /// The server refused the WebSocket upgrade.
    Refused {
        /// The HTTP status of the refusal.
        status: u16,
    },
    /// The server closed the connection.
    Closed {
        /// The close code, if there was one.
        code: Option<u16>,
        /// The server's reason for the close.
        reason: String,
    },
    /// The network, TLS or the WebSocket protocol failed, or it took too long.
    Failed(String),
}

impl ConnectionLoss {
    /// Returns the failure if another connection would be lost in the same way.
    pub(crate) fn failure(&self) -> Option<Failure> {
        match self {
            Self::Refused { status: 401 | 403 } => Some(Failure::of("invalid_api_key")),
            Self::Refused { status: 402 } => Some(Failure::of("insufficient_quota")),
            Self::Refused { status: 404 } => Some(Failure::of("model_not_found")),
            Self::Refused { status: 400 } => {
                Some(Failure { code: "refused_400".to_owned(), ..Failure::of("beta_api_shape_disabled") })
            }
            Self::Refused { .. } | Self::Failed(_) => None,
            Self::Closed { code, reason } => {
                let named = FATAL.iter().find(|(fatal, _)| reason.contains(fatal)).map(|(fatal, _)| *fatal);
                // Reasons are `type.code`: only those of an invalid request are refusals.
                let is_refusal = reason.is_empty() || reason.starts_with("invalid_request_error");
                let fallback = match code {
                    Some(3000) => Some("invalid_api_key"),
                    Some(4000) if is_refusal => Some("beta_api_shape_disabled"),
                    Some(_) | None => None,
                };
                named.or(fallback).map(Failure::of)
            }
        }
    }

    /// Returns the loss in one word, for logs.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Refused { status } => format!("refused_{status}"),
            Self::Closed { code: Some(code), .. } => format!("closed_{code}"),
            Self::Closed { code: None, .. } => "closed".to_owned(),
            Self::Failed(_) => "failed".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permanent_losses_are_fatal_with_their_code() {
        for (down, code) in [
            (ConnectionLoss::Refused { status: 401 }, "invalid_api_key"),
            (ConnectionLoss::Refused { status: 404 }, "model_not_found"),
            (closed(4000, "invalid_request_error.missing_model"), "missing_model"),
            (closed(1008, "insufficient_quota"), "insufficient_quota"),
            (closed(4000, ""), "beta_api_shape_disabled"),
            (closed(3000, "invalid_request_error.invalid_api_key"), "invalid_api_key"),
            (closed(3000, ""), "invalid_api_key"),
            (closed(4000, "invalid_request_error.invalid_model"), "invalid_model"),
            (closed(4004, "invalid_request_error.model_not_found"), "model_not_found"),
        ] {
            let failure = down.failure().expect("it is fatal");
            assert_eq!((failure.code.as_str(), failure.is_fatal), (code, true), "{down:?}");
        }
    }

    #[test]
    fn transient_losses_are_not_failures() {
        for down in [
            ConnectionLoss::Refused { status: 429 },
            ConnectionLoss::Refused { status: 503 },
            closed(1001, "Your session hit the maximum duration of 60 minutes."),
            closed(1011, ""),
            closed(4000, "server_error.internal_error"),
            ConnectionLoss::Closed { code: None, reason: String::new() },
            ConnectionLoss::Failed("reset".into()),
        ] {
            assert_eq!(down.failure(), None, "{down:?}");
        }
    }

    #[test]
    fn a_quota_error_known_only_by_type_is_fatal() {
        let error = ErrorInfo {
            r#type: Some("insufficient_quota".into()),
            code: Some("other".into()),
            ..Default::default()
        };

        assert_eq!(ApiError::from(error).remedy(), Remedy::Fail);
    }

    #[test]
    fn the_type_decides_when_the_code_is_unknown() {
        let remedy = |kind: &str, code: Option<&str>| {
            let (kind, code) = (Some(kind.to_owned()), code.map(str::to_owned));
            ApiError::from(ErrorInfo { r#type: kind, code, ..Default::default() }).remedy()
        };

        assert_eq!(remedy("server_error", Some("internal_error")), Remedy::Again);
        assert_eq!(remedy("server_error", Some("a_code_of_tomorrow")), Remedy::Again);
        assert_eq!(remedy("server_error", None), Remedy::Again);
        assert_eq!(remedy("rate_limit_error", Some("tokens")), Remedy::Wait);
        assert_eq!(remedy("invalid_request_error", Some("internal_error")), Remedy::Again);
        assert_eq!(remedy("invalid_request_error", Some("unknown_parameter")), Remedy::Tell);
        assert_eq!(remedy("server_error", Some("invalid_api_key")), Remedy::Fail);
    }

    fn closed(code: u16, reason: &str) -> ConnectionLoss {
        ConnectionLoss::Closed { code: Some(code), reason: reason.into() }
    }
}
