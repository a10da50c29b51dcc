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

/// Refusals of which nothing varies: name, status, code, message, details.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $status:ident, $code:literal, $message:literal, $details:literal;)*) => {
        impl GraphError {
            $($(#[$doc])* pub(super) fn $name() -> GraphError {
                GraphError::new(StatusCode::$status, $code, $message, $details)
            })*
        }
    };
}

refusals! {
    /// The bearer token is missing or wrong.
    bad_token: UNAUTHORIZED, 190, "Invalid OAuth access token", "Cannot parse access token";
    /// There is no such thing at this path. Code 2500 is what Graph is known for; a guess here.
    unknown_path: BAD_REQUEST, 2_500, "Unknown path components", "";
    /// "Connection error", for no reason of ours.
    connection: INTERNAL_SERVER_ERROR, 138_004, "(#138004) Connection error", "Try again";
    /// Nothing was done, by a status that says the opposite: the body has `success: false`.
    undone: OK, 0, "", "";
    pair_limit: BAD_REQUEST, 131_056, "(#131056) (Business Account, Consumer Account) pair rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number to the same phone number in a \
         short period of time.";
    /// The account cannot be charged for a message.
    message_unpaid: BAD_REQUEST, 131_042, "(#131042) Business eligibility payment issue",
        "Message failed to send because there were one or more errors related to your payment method.";
    /// The app may not see or do this.
    not_for_this_app: FORBIDDEN, 10, "(#10) Application does not have permission for this action", "";
    /// Too many of something. Which code Meta sends for call actions is not documented; this is that for call starts.
    busy: TOO_MANY_REQUESTS, 138_005, "(#138005) Call rate limit reached", "Too many calls, try later";
    payment_missing: BAD_REQUEST, 131_044, "(#131044) Business eligibility payment issue",
        "No valid payment method is attached";
    calling_not_enabled: UNAUTHORIZED, 138_000, "(#138000) Calling not enabled", "Calling is not enabled for this number";
    sip_enabled: BAD_REQUEST, 131_055, "(#131055) Method not allowed", "Calls of this number are set up by SIP";
    /// Only an app's own token will do. Code 15 is what Graph is known for.
    for_apps: BAD_REQUEST, 15, "(#15) This method must be called with an app access_token.", "";
    /// An app's token belongs to no user. Code 2500 is what Graph is known for.
    no_user: BAD_REQUEST, 2_500,
        "An active access token must be used to query information about the current user.", "";
    account_busy: BAD_REQUEST, 80_007, "(#80007) Rate limit issues", "The account has reached its rate limit";
    /// The business may write to too few users.
    limit_low: BAD_REQUEST, 138_015, "(#138015) Calling cannot be enabled", "The messaging limit is below 2000";
    not_subscribed: BAD_REQUEST, 138_018, "(#138018) Calling cannot be enabled",
        "No app is subscribed to both the account and the calls field";
}

impl GraphError {
    /// Something in the request is not as documented.
    pub(super) fn invalid(details: impl Into<String>) -> GraphError {
        GraphError::new(StatusCode::BAD_REQUEST, 100, "(#100) Invalid parameter", details)
    }

    /// There is no such object, or the token may not see it.
    pub(super) fn no_object() -> GraphError {
        GraphError::invalid("Unsupported request. The object does not exist, or may not be seen")
    }

    pub(super) fn sdp(details: impl Into<String>) -> GraphError {
        GraphError::new(StatusCode::BAD_REQUEST, 138_008, "(#138008) SDP Validation error", details)
    }

    /// Down for now, by a status that does not say so.
    pub(super) fn transient() -> GraphError {
        let error = GraphError::new(StatusCode::BAD_REQUEST, 2, "Service temporarily unavailable", "");
        GraphError { is_transient: true, ..error }
    }

    /// The token lacks a permission. Code and status are Graph's in general.
    pub(super) fn not_permitted(permission: &str) -> GraphError {
        let message = "(#200) You do not have the necessary permissions";
        GraphError::new(StatusCode::FORBIDDEN, 200, message, format!("{permission} is missing"))
    }

    /// The address did not give the challenge back. Code 2200 is what Graph is known for.
    pub(super) fn callback(why: &str) -> GraphError {
        GraphError::new(StatusCode::BAD_REQUEST, 2_200, "(#2200) Callback verification failed", why)
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

/// Refuses a request in which something is not as documented.
pub(super) fn require(holds: bool, details: impl Into<String>) -> Result<(), GraphError> {
    if holds { Ok(()) } else { Err(GraphError::invalid(details)) }
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
