//! The request: who calls whom, on which line.

use call::{CallRef, CallerDetails, Line};
use serde::Serialize;

/// What a business's system is asked about a call.
#[derive(Debug, Clone, Copy)]
pub struct LookupRequest<'a> {
    /// The agent that has the call.
    pub agent: &'a str,
    /// The call's reference.
    pub call_ref: &'a CallRef,
    /// The line that the call came in on.
    pub line: Line,
    /// What the line's service says about the caller.
    pub details: &'a CallerDetails,
}

/// The body, whose keys are always there: what is not known is null.
#[derive(Serialize)]
struct Body<'a> {
    event: &'a str,
    call_inbound: Inbound<'a>,
}

#[derive(Serialize)]
struct Inbound<'a> {
    agent_id: &'a str,
    from_number: Option<String>,
    to_number: Option<String>,
    call: &'a CallRef,
    line: &'a str,
    number_verified: bool,
    user_id: Option<&'a str>,
    name: Option<&'a str>,
    username: Option<&'a str>,
    deeplink_payload: Option<&'a str>,
    cta_payload: Option<&'a str>,
}

impl LookupRequest<'_> {
    /// Returns the JSON body, which is personal data.
    pub fn body(&self) -> Vec<u8> {
        let CallerDetails {
            number: _,
            number_verified,
            user_id,
            name,
            username,
            deeplink_payload,
            cta_payload,
            called_number: _,
        } = self.details;
        let call_inbound = Inbound {
            agent_id: self.agent,
            from_number: self.details.international_number(),
            to_number: self.details.international_called_number(),
            call: self.call_ref,
            line: self.line.name(),
            number_verified: *number_verified,
            user_id: user_id.as_deref(),
            name: name.as_deref(),
            username: username.as_deref(),
            deeplink_payload: deeplink_payload.as_deref(),
            cta_payload: cta_payload.as_deref(),
        };
        let body = Body { event: "call_inbound", call_inbound };
        serde_json::to_vec(&body).expect("texts can be written as JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(line: Line, details: &CallerDetails) -> String {
        let call_ref = CallRef::from("c0ffee");
        let request = LookupRequest { agent: "shop", call_ref: &call_ref, line, details };
        String::from_utf8(request.body()).expect("JSON is UTF-8")
    }

    #[test]
    fn everything_that_is_known_is_told() {
        let text = |text: &str| Some(text.to_owned());
        let details = CallerDetails {
            number: text("250788000111"),
            number_verified: true,
            user_id: text("RW.1"),
            name: text("Amina \"A\""),
            username: text("amina"),
            deeplink_payload: text("order=7"),
            cta_payload: text("b1"),
            called_number: text("15550100"),
        };

        assert_eq!(
            body(Line::WhatsApp, &details),
            r#"{"event":"call_inbound","call_inbound":{"agent_id":"shop","from_number":"+250788000111","to_number":"+15550100","call":"c0ffee","line":"whatsapp","number_verified":true,"user_id":"RW.1","name":"Amina \"A\"","username":"amina","deeplink_payload":"order=7","cta_payload":"b1"}}"#
        );
    }

    #[test]
    fn what_is_not_known_is_null() {
        assert_eq!(
            body(Line::Sip, &CallerDetails::default()),
            r#"{"event":"call_inbound","call_inbound":{"agent_id":"shop","from_number":null,"to_number":null,"call":"c0ffee","line":"sip","number_verified":false,"user_id":null,"name":null,"username":null,"deeplink_payload":null,"cta_payload":null}}"#
        );
    }
}
