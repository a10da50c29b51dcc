//! Errors of the Graph API, and whether a retry can help.
//!
//! Codes: Meta's "Troubleshooting" page of 2026-06-24, its error codes of messages, and what implementers report.

use std::time::Duration;

/// The access token is not valid.
const BAD_TOKEN: u32 = 190;

/// Too many messages to one user within a short time (pair rate limit).
const PAIR_RATE_LIMIT: u32 = 131_056;

/// The reason why a request to Meta failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// A rate limit was reached.
    #[error("Meta asked us to slow down (code {code})")]
    Busy {
        /// Meta's error code.
        code: u32,
        /// How long Meta asks to wait, from `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// Meta replied that nothing was done, for now.
    #[error("Meta did nothing for now: {reason}")]
    Undone {
        /// Meta's error code, 0 without one.
        code: u32,
        /// What Meta replied.
        reason: String,
    },
    /// No connection to Meta could be made: no request was sent.
    #[error("Meta cannot be reached: {reason}")]
    Unreached {
        /// Why no connection was made.
        reason: String,
    },
    /// Meta timed out or had a fault of its own: the request may have taken effect.
    #[error("Meta did not answer: {reason}")]
    Unanswered {
        /// What happened instead of a reply.
        reason: String,
    },
    /// A misconfiguration that the operator must fix before any call can work.
    #[error("{cause} (code {code})")]
    Misconfigured {
        /// Meta's error code.
        code: u32,
        /// What is misconfigured.
        cause: &'static str,
        /// How to fix it.
        cure: &'static str,
    },
    /// Meta refused the request for good.
    #[error("Meta refused: {message} (code {code})")]
    Refused {
        /// Meta's error code.
        code: u32,
        /// Meta's message, without personal data.
        message: String,
    },
}

impl GraphError {
    /// Whether the same request may succeed later.
    pub fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Undone { .. } | Self::Unreached { .. } | Self::Unanswered { .. } => {
                true
            }
            Self::Misconfigured { .. } | Self::Refused { .. } => false,
        }
    }

    /// Returns Meta's error code, 0 without one.
    pub fn code(&self) -> u32 {
        match self {
            Self::Busy { code, .. }
            | Self::Undone { code, .. }
            | Self::Misconfigured { code, .. }
            | Self::Refused { code, .. } => *code,
            Self::Unreached { .. } | Self::Unanswered { .. } => 0,
        }
    }

    /// Whether Meta rejected the SDP.
    pub fn is_about_sdp(&self) -> bool {
        self.code() == 138_008
    }

    /// Whether Meta rejected the access token: a newer one may work.
    pub fn is_about_the_token(&self) -> bool {
        self.code() == BAD_TOKEN
    }

    /// Whether too many messages went to this one user within a short time: an immediate retry is refused as well.
    pub fn is_about_the_pair(&self) -> bool {
        self.code() == PAIR_RATE_LIMIT
    }

    /// Returns what the operator can do about the error; empty when there is nothing.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::Misconfigured { cure, .. } => cure,
            Self::Refused { code: 138_008, .. } => "Meta does not like our SDP answer: please report it",
            Self::Busy { .. }
            | Self::Undone { .. }
            | Self::Unreached { .. }
            | Self::Unanswered { .. }
            | Self::Refused { .. } => "",
        }
    }

    /// Checks a reply with status 200, in which Meta may still say that nothing was done, without a reason.
    ///
    /// # Errors
    /// When the body has an error or `success: false`.
    pub(crate) fn check_success(body: &[u8]) -> Result<(), Self> {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        if body["error"].is_object() {
            return Err(Self::of(200, &body, None));
        }
        if body["success"] == false || body["success"] == "false" {
            return Err(Self::Undone { code: 0, reason: "status 200, success: false".to_owned() });
        }
        Ok(())
    }

    fn unanswered(status: u16, code: u32) -> Self {
        Self::Unanswered { reason: format!("status {status}, code {code}") }
    }

    /// Parses an error reply.
    pub(crate) fn read(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        Self::of(status, &serde_json::from_slice(body).unwrap_or_default(), retry_after)
    }

    fn of(status: u16, body: &serde_json::Value, retry_after: Option<Duration>) -> Self {
        let error = &body["error"];
        let code = error["code"].as_u64().and_then(|code| u32::try_from(code).ok()).unwrap_or(0);
        let code = if (code, status) == (0, 401) { BAD_TOKEN } else { code };
        if let Some((cause, cure)) = misconfiguration(code) {
            return Self::Misconfigured { code, cause, cure };
        }
        match (code, status) {
            (4 | 613 | 80_007 | 130_429 | PAIR_RATE_LIMIT | 138_002 | 138_005 | 138_010, _) | (_, 429) => {
                Self::Busy { code, retry_after }
            }
            (138_007, _) => Self::Refused { code, message: message(error) },
            // With a fault of Meta's own, the request may have taken effect.
            (138_004, _) | (_, 500..) => Self::unanswered(status, code),
            // Code 2: the service is temporarily unavailable.
            _ if code == 2 || error["is_transient"] == true => {
                Self::Undone { code, reason: format!("status {status}, code {code}") }
            }
            _ => Self::Refused { code, message: message(error) },
        }
    }
}

fn message(error: &serde_json::Value) -> String {
    let details = error["error_data"]["details"].as_str();
    let message = details.or_else(|| error["message"].as_str()).unwrap_or("no reason given");
    message.split_whitespace().map(masked).collect::<Vec<_>>().join(" ")
}

/// Masks a call id or phone number that Meta quotes: they belong in no journal.
fn masked(word: &str) -> &str {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    if word.contains("wacid.") || digits > 6 { "…" } else { word }
}

/// Returns what is misconfigured and how to fix it, for Meta's error codes that stop every call.
pub fn misconfiguration(code: u32) -> Option<(&'static str, &'static str)> {
    Some(match code {
        BAD_TOKEN => {
            ("the access token is not valid", "make a new system-user token and put it into the secret")
        }
        131_042 => (
            "Meta cannot charge the business for messages",
            "settle the payment in WhatsApp Manager, Payment settings",
        ),
        131_044 => ("no valid payment method", "attach a payment method in WhatsApp Manager"),
        131_055 => ("the number is set up for SIP", "switch SIP off for the number"),
        138_000 => ("calling is not enabled on the number", "enable calling in the number's settings"),
        138_015 => (
            "the messaging limit is below 2,000",
            "verify the business, or send more: WhatsApp Manager shows how",
        ),
        138_018 => {
            ("no app is subscribed to calls", "subscribe the app to `calls` and to the account: ahoy setup")
        }
        138_014 => ("calling is disabled for low quality", "see the restrictions in WhatsApp Manager"),
        _ => return None,
    })
}

/// Returns why a message that Meta had accepted was not delivered, by Meta's error code.
pub fn undelivered(code: u32) -> &'static str {
    match code {
        131_026 => "the recipient cannot get it, or not from businesses",
        131_047 => "more than 24 hours have passed since the recipient's last message or call",
        131_049 => "Meta chose not to deliver it to this recipient now",
        PAIR_RATE_LIMIT => "too many messages went to this recipient within a short time",
        _ => misconfiguration(code).map_or("Meta does not say more", |(cause, _)| cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_limits_and_faults_but_not_refusals() {
        assert!(read(429, 138_005).is_worth_another_try());
        assert!(read(500, 138_004).is_worth_another_try());
        assert!(GraphError::read(502, b"<html>", None).is_worth_another_try());
        assert!(read(503, 2).is_worth_another_try(), "Meta's transient codes come with 5xx");
        assert!(!read(500, 138_007).is_worth_another_try(), "our answer came too late");
        assert!(!read(400, 138_008).is_worth_another_try());
        assert!(!read(400, 100).is_worth_another_try());
    }

    #[test]
    fn classifies_recorded_graph_replies() {
        let read = |recorded: &str| {
            let recorded: serde_json::Value = serde_json::from_str(recorded).expect("a fixture is JSON");
            let status =
                u16::try_from(recorded["status"].as_u64().expect("it has a status")).expect("of HTTP");
            let body = recorded["body"].to_string();
            if status == 200 {
                return GraphError::check_success(body.as_bytes()).expect_err("nothing was done");
            }
            GraphError::read(status, body.as_bytes(), None)
        };
        let transient = read(include_str!("../../../fixtures/graph/is-transient-400.json"));
        let pair = read(include_str!("../../../fixtures/graph/pair-rate-limit-131056.json"));
        let unpaid = read(include_str!("../../../fixtures/graph/payment-131042.json"));
        let undone = read(include_str!("../../../fixtures/graph/success-false-200.json"));

        assert!(
            matches!(transient, GraphError::Undone { .. }) && transient.is_worth_another_try(),
            "{transient}"
        );
        assert!(matches!(pair, GraphError::Busy { code: 131_056, .. }) && pair.is_about_the_pair(), "{pair}");
        assert!(matches!(unpaid, GraphError::Misconfigured { .. }) && unpaid.cure().contains("payment"));
        assert!(matches!(undone, GraphError::Undone { code: 0, .. }) && undone.is_worth_another_try());
        assert_eq!(GraphError::check_success(br#"{"messaging_product":"whatsapp","success":true}"#), Ok(()));
        assert_eq!(GraphError::check_success(b""), Ok(()));
        let error = GraphError::check_success(br#"{"error":{"code":131056}}"#);
        assert_eq!(error.map_err(|error| error.code()), Err(131_056));
    }

    #[test]
    fn a_known_code_outweighs_is_transient() {
        let read = |code: u32| {
            let body = format!(r#"{{"error":{{"code":{code},"is_transient":true}}}}"#);
            GraphError::read(400, body.as_bytes(), None)
        };

        assert!(matches!(read(131_000), GraphError::Undone { code: 131_000, .. }));
        assert!(matches!(read(138_004), GraphError::Unanswered { .. }));
        assert!(matches!(read(4), GraphError::Busy { .. }));
        assert!(matches!(read(190), GraphError::Misconfigured { .. }));
        assert!(
            !GraphError::read(400, br#"{"error":{"code":131000,"is_transient":false}}"#, None)
                .is_worth_another_try()
        );
    }

    #[test]
    fn a_misconfiguration_says_how_to_fix_it() {
        assert!(read(401, 190).cure().contains("token"));
        assert!(read(401, 0).cure().contains("token"));
        assert!(read(401, 138_000).cure().contains("enable calling"));
    }

    #[test]
    fn prefers_metas_details_to_its_message() {
        let body = br#"{"error":{"message":"(#100)","code":100,"error_data":{"details":"bad call_id"}}}"#;

        let error = GraphError::read(400, body, None);

        assert_eq!(error.to_string(), "Meta refused: bad call_id (code 100)");
    }

    #[test]
    fn masks_callers_that_meta_quotes() {
        let body = br#"{"error":{"code":100,"message":"No call wacid.HBgM== of +919900000001, see (#100)"}}"#;

        let error = GraphError::read(400, body, None);

        assert_eq!(error.to_string(), "Meta refused: No call … of … see (#100) (code 100)");
    }

    fn read(status: u16, code: u32) -> GraphError {
        GraphError::read(status, format!(r#"{{"error":{{"code":{code}}}}}"#).as_bytes(), None)
    }
}
