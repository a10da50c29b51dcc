//! Errors of the requests about calls, and whether a retry can help.
//!
//! What an error means is decided by OpenAI's `code` before the status: an ended call is a 404 for one request and a 400 for another.

use std::time::Duration;

/// The longest message of OpenAI's that is kept, characters.
const LONGEST_MESSAGE: usize = 200;

/// The reason why a request about a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallsError {
    /// The call is unknown or over.
    #[error("OpenAI does not know the call any more")]
    Gone,
    /// The call was accepted or rejected before, by us or by another endpoint of the project.
    #[error("the call was accepted or rejected before")]
    AlreadyDecided,
    /// A rate limit was reached.
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
    /// OpenAI refused the request for good.
    #[error("OpenAI refused: {message} ({code}, status {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// OpenAI's error code, empty without one.
        code: String,
        /// OpenAI's message, without call ids and numbers.
        message: String,
    },
    /// No connection could be made: no request was sent.
    #[error("OpenAI cannot be reached: {reason}")]
    Unreached {
        /// Why no connection was made.
        reason: String,
    },
    /// OpenAI timed out or had a fault of its own: the request may have taken effect.
    #[error("OpenAI did not answer: {reason}")]
    Unanswered {
        /// What happened instead of a reply.
        reason: String,
    },
}

impl CallsError {
    /// Whether the same request may succeed later.
    pub fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Unreached { .. } | Self::Unanswered { .. } => true,
            Self::Gone | Self::AlreadyDecided | Self::Misconfigured { .. } | Self::Refused { .. } => false,
        }
    }

    /// Whether the request may have taken effect in spite of the error: only if OpenAI received it and did not answer.
    pub fn may_be_done(&self) -> bool {
        matches!(self, Self::Unanswered { .. })
    }

    /// Whether OpenAI rejected the key: a newer one may work.
    pub fn is_about_the_key(&self) -> bool {
        matches!(self, Self::Misconfigured { .. })
    }

    /// Whether OpenAI refused how the caller's turns are to be detected, which a call can be accepted without.
    pub fn is_about_turn_detection(&self) -> bool {
        matches!(self, Self::Refused { status: 400, message, .. } if message.contains("turn_detection"))
    }

    /// Returns OpenAI's error code, empty without one.
    pub fn code(&self) -> &str {
        match self {
            Self::Gone => "call_id_not_found",
            Self::AlreadyDecided => "decision_already_made",
            Self::Busy { code, .. } | Self::Misconfigured { code } | Self::Refused { code, .. } => code,
            Self::Unreached { .. } | Self::Unanswered { .. } => "",
        }
    }

    /// Returns what the operator can do about the error; empty when there is nothing.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::Misconfigured { .. } => {
                "put a key of the project that the trunk calls into the secret as openai_api_key"
            }
            Self::Gone
            | Self::AlreadyDecided
            | Self::Busy { .. }
            | Self::Refused { .. }
            | Self::Unreached { .. }
            | Self::Unanswered { .. } => "",
        }
    }

    /// Reads an error reply.
    pub fn read(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body["error"][name].as_str().unwrap_or_default();
        let code = code(text("code"), text("type"));
        match (code.as_str(), status) {
            ("call_id_not_found", _) => Self::Gone,
            ("decision_already_made", _) => Self::AlreadyDecided,
            ("rate_limit_exceeded", _) | (_, 429) => Self::Busy { code, retry_after },
            ("invalid_api_key", _) | (_, 401 | 403) => Self::Misconfigured { code },
            (_, 404) => Self::Gone,
            (_, 408 | 500..) => {
                Self::Unanswered { reason: format!("status {status} {code}").trim_end().to_owned() }
            }
            _ => Self::Refused { status, code, message: masked(text("message")) },
        }
    }
}

/// Returns OpenAI's code as far as it is a word, else its type: what is logged must not quote a request.
pub(crate) fn code(code: &str, kind: &str) -> String {
    let is_word = |word: &&str| {
        (1..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    [code, kind].into_iter().find(is_word).unwrap_or_default().to_owned()
}

/// Returns a message in which words with a call id, an address or many digits are masked.
pub(crate) fn masked(message: &str) -> String {
    let is_private = |word: &str| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        word.contains("rtc_") || word.contains('@') || word.contains("sk-") || digits >= 5
    };
    let words = message.split_whitespace().map(|word| if is_private(word) { "…" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_code_outweighs_the_status() {
        for status in [400, 404, 409] {
            assert_eq!(read(status, "call_id_not_found", ""), CallsError::Gone);
            assert_eq!(read(status, "decision_already_made", ""), CallsError::AlreadyDecided);
        }
        assert_eq!(CallsError::read(404, b"<html>", None), CallsError::Gone);
    }

    #[test]
    fn limits_and_faults_are_worth_another_try() {
        let after = Some(Duration::from_secs(2));
        let busy = CallsError::read(429, br#"{"error":{"code":"rate_limit_exceeded"}}"#, after);
        assert!(matches!(&busy, CallsError::Busy { retry_after, .. } if *retry_after == after));
        for (error, may_be_done) in
            [(busy, false), (read(500, "server_error", ""), true), (read(503, "", ""), true)]
        {
            assert_eq!((error.is_worth_another_try(), error.may_be_done()), (true, may_be_done), "{error}");
        }
        let refused = read(
            400,
            "unknown_parameter",
            "Unknown parameter: 'session.audio.input.turn_detection.create_response'.",
        );
        assert!(!refused.is_worth_another_try() && refused.is_about_turn_detection());
        assert!(!read(400, "invalid_value", "No such voice").is_about_turn_detection());
    }

    #[test]
    fn a_rejected_key_says_what_to_do() {
        for error in [read(401, "invalid_api_key", ""), read(401, "", ""), read(403, "", "")] {
            assert!(error.is_about_the_key() && error.cure().contains("openai_api_key"), "{error}");
        }
    }

    #[test]
    fn a_message_shows_no_call_key_or_number() {
        let error = read(
            400,
            "sk-planted1",
            "Call rtc_planted of +35699000001 (a@b) with sk-planted is odd, see item 3",
        );

        assert_eq!(
            error.to_string(),
            "OpenAI refused: Call … of … … with … is odd, see item 3 (invalid_request_error, status 400)"
        );
    }

    fn read(status: u16, code: &str, message: &str) -> CallsError {
        let body = json!({"error": {"code": code, "type": "invalid_request_error", "message": message}});
        CallsError::read(status, body.to_string().as_bytes(), None)
    }
}
