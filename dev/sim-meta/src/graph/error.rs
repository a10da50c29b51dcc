//! Graph's refusals, in the shape and with the codes of Meta's reference (section "Errors" of the troubleshooting page).

use crate::sdp_check::SdpFlaw;
use crate::signalling::Refusal;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GraphError {
    pub(super) status: StatusCode,
    pub(super) code: u32,
    message: &'static str,
    pub(super) details: String,
    is_transient: bool,
}

impl GraphError {
    /// The bearer token is missing or wrong.
    pub(super) fn bad_token() -> GraphError {
        GraphError::new(
            StatusCode::UNAUTHORIZED,
            190,
            "Invalid OAuth access token",
            "Cannot parse access token",
        )
    }

    /// Something in the request is not as documented.
    pub(super) fn invalid(details: impl Into<String>) -> GraphError {
        GraphError::new(StatusCode::BAD_REQUEST, 100, "(#100) Invalid parameter", details)
    }

    /// There is no such thing at this path. Code 2500 is what Graph is known for; a guess here.
    pub(super) fn unknown_path() -> GraphError {
        GraphError::new(StatusCode::BAD_REQUEST, 2_500, "Unknown path components", "")
    }

    pub(super) fn sdp(details: impl Into<String>) -> GraphError {
        GraphError::new(StatusCode::BAD_REQUEST, 138_008, "(#138008) SDP Validation error", details)
    }

    /// "Connection error", for no reason of ours.
    pub(super) fn connection() -> GraphError {
        GraphError::new(StatusCode::INTERNAL_SERVER_ERROR, 138_004, "(#138004) Connection error", "Try again")
    }

    /// Down for now, by a status that does not say so.
    pub(super) fn transient() -> GraphError {
        let error = GraphError::new(StatusCode::BAD_REQUEST, 2, "Service temporarily unavailable", "");
        GraphError { is_transient: true, ..error }
    }

    /// Nothing was done, by a status that says the opposite: the body has `success: false`.
    pub(super) fn undone() -> GraphError {
        GraphError::new(StatusCode::OK, 0, "", "")
    }

    /// Too many messages to one user.
    pub(super) fn pair_limit() -> GraphError {
        let message = "(#131056) (Business Account, Consumer Account) pair rate limit hit";
        let details = "Message failed to send because there were too many messages sent from this phone number to the \
                       same phone number in a short period of time.";
        GraphError::new(StatusCode::BAD_REQUEST, 131_056, message, details)
    }

    /// The account cannot be charged for a message.
    pub(super) fn message_unpaid() -> GraphError {
        let message = "(#131042) Business eligibility payment issue";
        let details =
            "Message failed to send because there were one or more errors related to your payment method.";
        GraphError::new(StatusCode::BAD_REQUEST, 131_042, message, details)
    }

    /// The app may not see or do this.
    pub(super) fn not_for_this_app() -> GraphError {
        let message = "(#10) Application does not have permission for this action";
        GraphError::new(StatusCode::FORBIDDEN, 10, message, "")
    }

    /// Too many of something. Which code Meta sends for call actions is not documented; this is that for call starts.
    pub(super) fn busy() -> GraphError {
        let message = "(#138005) Call rate limit reached";
        GraphError::new(StatusCode::TOO_MANY_REQUESTS, 138_005, message, "Too many calls, try later")
    }

    /// The account cannot pay.
    pub(super) fn payment_missing() -> GraphError {
        let message = "(#131044) Business eligibility payment issue";
        GraphError::new(StatusCode::BAD_REQUEST, 131_044, message, "No valid payment method is attached")
    }

    /// The number does not take calls.
    pub(super) fn calling_not_enabled() -> GraphError {
        let message = "(#138000) Calling not enabled";
        GraphError::new(StatusCode::UNAUTHORIZED, 138_000, message, "Calling is not enabled for this number")
    }

    /// The number's calls go by SIP.
    pub(super) fn sip_enabled() -> GraphError {
        let message = "(#131055) Method not allowed";
        GraphError::new(StatusCode::BAD_REQUEST, 131_055, message, "Calls of this number are set up by SIP")
    }

    /// The token lacks a permission. Code and status are Graph's in general.
    pub(super) fn not_permitted(permission: &str) -> GraphError {
        let message = "(#200) You do not have the necessary permissions";
        GraphError::new(StatusCode::FORBIDDEN, 200, message, format!("{permission} is missing"))
    }

    /// Only an app's own token will do. Code 15 is what Graph is known for.
    pub(super) fn for_apps() -> GraphError {
        let message = "(#15) This method must be called with an app access_token.";
        GraphError::new(StatusCode::BAD_REQUEST, 15, message, "")
    }

    /// An app's token belongs to no user. Code 2500 is what Graph is known for.
    pub(super) fn no_user() -> GraphError {
        let message = "An active access token must be used to query information about the current user.";
        GraphError::new(StatusCode::BAD_REQUEST, 2_500, message, "")
    }

    /// The address did not give the challenge back. Code 2200 is what Graph is known for.
    pub(super) fn callback(why: &str) -> GraphError {
        let message = "(#2200) Callback verification failed";
        GraphError::new(StatusCode::BAD_REQUEST, 2_200, message, why)
    }

    /// Too many questions about one account.
    pub(super) fn account_busy() -> GraphError {
        let message = "(#80007) Rate limit issues";
        GraphError::new(StatusCode::BAD_REQUEST, 80_007, message, "The account has reached its rate limit")
    }

    /// The business may write to too few users.
    pub(super) fn limit_low() -> GraphError {
        let message = "(#138015) Calling cannot be enabled";
        GraphError::new(StatusCode::BAD_REQUEST, 138_015, message, "The messaging limit is below 2000")
    }

    /// No app is subscribed to calls.
    pub(super) fn not_subscribed() -> GraphError {
        let message = "(#138018) Calling cannot be enabled";
        let details = "No app is subscribed to both the account and the calls field";
        GraphError::new(StatusCode::BAD_REQUEST, 138_018, message, details)
    }

    fn body(&self) -> Value {
        if self.status == StatusCode::OK {
            return json!({ "messaging_product": "whatsapp", "success": false });
        }
        let mut error = json!({
            "message": self.message,
            "type": "OAuthException",
            "code": self.code,
            "fbtrace_id": "A0simulated0trace0id0",
        });
        // Faults of Meta's own name no product.
        if self.is_transient {
            error["is_transient"] = json!(true);
        } else {
            error["error_data"] = json!({ "messaging_product": "whatsapp", "details": self.details });
        }
        json!({ "error": error })
    }

    fn new(status: StatusCode, code: u32, message: &'static str, details: impl Into<String>) -> GraphError {
        GraphError { status, code, message, details: details.into(), is_transient: false }
    }
}

impl From<SdpFlaw> for GraphError {
    fn from(flaw: SdpFlaw) -> GraphError {
        GraphError::sdp(format!("Provided SDP is invalid: {flaw}"))
    }
}

impl From<serde_json::Error> for GraphError {
    /// A body that does not have the documented keys and no others.
    fn from(error: serde_json::Error) -> GraphError {
        GraphError::invalid(error.to_string())
    }
}

impl From<Refusal> for GraphError {
    fn from(refusal: Refusal) -> GraphError {
        match refusal {
            Refusal::DifferentSdp => GraphError::sdp(refusal.to_string()),
            Refusal::AlreadyEnded
            | Refusal::AlreadyInProgress
            | Refusal::AlreadyPreAccepted
            | Refusal::NotYetTaken => GraphError::invalid(refusal.to_string()),
        }
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body())).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_replies_are_given_as_they_are() {
        let recorded = [
            (GraphError::transient(), include_str!("../../../../fixtures/graph/is-transient-400.json")),
            (
                GraphError::pair_limit(),
                include_str!("../../../../fixtures/graph/pair-rate-limit-131056.json"),
            ),
            (GraphError::message_unpaid(), include_str!("../../../../fixtures/graph/payment-131042.json")),
            (GraphError::undone(), include_str!("../../../../fixtures/graph/success-false-200.json")),
        ];
        for (error, recorded) in recorded {
            let mut recorded: Value = serde_json::from_str(recorded).unwrap();
            let (mut body, status) = (error.body(), error.status.as_u16());
            // Each reply has a trace of its own, or none.
            [&mut body, &mut recorded["body"]]
                .into_iter()
                .filter_map(|body| body["error"].as_object_mut())
                .for_each(|error| drop(error.remove("fbtrace_id")));

            assert_eq!(json!({ "status": status, "body": body }), recorded);
        }
    }
}
