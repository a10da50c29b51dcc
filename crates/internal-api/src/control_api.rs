//! The control API of a media task: paths and bodies of call-control's requests.

use call::{CallRef, CallerDetails, Fence, Line, NumberId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The path under which a call is offered (POST), checked (GET) and released (DELETE): `/v1/calls/{call_ref}`.
pub const CALLS: &str = "/v1/calls";

/// The largest request body, bytes.
///
/// Two thirds of it are for the SDP, at most 64 kB. The rest is for the agent file, at most 32 KiB, in which JSON at worst doubles quotes
/// and line ends.
pub const LARGEST_BODY: usize = 192 * 1024;

/// Returns the path of a call.
pub fn path_of(call_ref: &CallRef) -> String {
    format!("{CALLS}/{call_ref}")
}

/// An offer of a call to a media task. A repeated offer with the same fence gets the same answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The fence of the task's assignment.
    pub fence: Fence,
    /// The version of the call's state, after which the task's events sort.
    pub version: u64,
    /// The phone number id of the business number that was called.
    pub number: NumberId,
    /// The line that the call came in on. Only a task whose lease names a line gets its calls.
    #[serde(default, skip_serializing_if = "Line::is_default")]
    pub line: Line,
    /// OpenAI's id of a call on the SIP line, at whose session the task attaches: who has it and the key can end the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realtime_call: Option<String>,
    /// When the call was accepted, ms since 1970, if another task had it before: this one takes it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at_ms: Option<u64>,
    /// Whether no task has begun to greet the caller of a call that is taken over. A caller who was greeted is not greeted again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_ungreeted: bool,
    /// The caller's SDP offer; empty on a line that needs no answer.
    pub offer: String,
    /// When the webhook received the call, ms since 1970.
    pub rang_at_ms: u64,
    /// The deadline for accepting the call, ms since 1970.
    pub ring_deadline_ms: u64,
    /// The agent file as TOML text; `None` for the task's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Whether Meta hides the caller's phone number; absent from an older release.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hides_number: bool,
    /// The caller's pseudonym, if Meta identifies the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// What the line's service says about the caller; only where the agent's file asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<CallerDetails>,
    /// Whether the agent is one that the lookup of the number's own agent has chosen: that of its own file decides nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_chosen: bool,
    /// The language that the lookup has chosen, as a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// A random token, given to this task alone, that proves to call-control that an order comes from the assigned task. Only a task whose
    /// lease says that it returns tokens gets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl fmt::Debug for Offer {
    /// Writes lengths in place of the SDP and the agent file, and neither the token nor anything of the caller.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer")
            .field("fence", &self.fence)
            .field("version", &self.version)
            .field("number", &self.number)
            .field("offer", &self.offer.len())
            .field("agent", &self.agent.as_ref().map(String::len))
            .finish_non_exhaustive()
    }
}

/// The path below a call's under which a failed message is reported (POST). Tasks of older releases do not have it.
pub const UNDELIVERED: &str = "undelivered";

/// The report of a message to the caller that failed after it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// The fence of the task's assignment.
    pub fence: Fence,
    /// The id of the order with which the task requested the message.
    pub id: String,
}

/// The body of a release (DELETE): which assignment is released. An older release sends none and means every assignment; a task of an older
/// release takes it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The fence of the assignment; newer assignments of the call are unaffected.
    pub fence: Fence,
}

/// The response to an accepted [`Offer`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The task's SDP answer.
    pub answer: String,
}

impl fmt::Debug for Answer {
    /// Writes the length in place of the SDP.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("answer", &self.answer.len()).finish()
    }
}

/// The response to a refused [`Offer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The reason, in words.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_older_releases_offer_has_no_agent_and_no_caller() {
        let older = json!({"fence": 1, "version": 2, "number": "7", "offer": "v=0", "rang_at_ms": 3, "ring_deadline_ms": 4});

        let offer: Offer = serde_json::from_value(older.clone()).unwrap();

        assert_eq!((&offer.agent, &offer.caller), (&None, &None));
        assert_eq!(serde_json::to_value(offer).unwrap(), older);
    }

    #[test]
    fn debug_output_shows_no_sdp_agent_caller_or_token() {
        let offer: Offer =
            serde_json::from_value(json!({"fence": 1, "version": 2, "number": "7", "offer": "planted sdp",
            "rang_at_ms": 3, "ring_deadline_ms": 4, "agent": "planted file", "caller": "planted mark", "details": {"name": "planted name"}, "token": "planted token"}))
            .unwrap();
        let answer = Answer { answer: "planted sdp".into() };

        let shown = format!("{offer:?} {answer:?}");

        assert!(shown.contains("fence: 1") && !shown.contains("planted"), "{shown}");
    }

    #[test]
    fn the_largest_agent_file_fits_beside_a_long_sdp_and_long_details() {
        let agent = Some("\"\n".repeat(16 * 1024));
        let longest = || Some("\u{1f338}".repeat(512));
        let details = CallerDetails {
            number: longest(),
            number_verified: true,
            user_id: longest(),
            name: longest(),
            username: longest(),
            deeplink_payload: longest(),
            cta_payload: longest(),
            called_number: longest(),
        };
        let offer = "a=candidate\r\n".repeat(4_900);
        let offer = Offer {
            fence: Fence(1),
            line: Line::WhatsApp,
            realtime_call: None,
            accepted_at_ms: None,
            is_ungreeted: false,
            version: 1,
            number: "7".into(),
            offer,
            rang_at_ms: 0,
            ring_deadline_ms: 0,
            agent,
            hides_number: false,
            caller: None,
            details: Some(details),
            is_chosen: false,
            language: None,
            token: None,
        };

        assert!(serde_json::to_vec(&offer).unwrap().len() < LARGEST_BODY);
    }
}
