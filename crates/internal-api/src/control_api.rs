//! What call-control asks of a media task, at its door.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a call is offered (POST), asked after (GET) and ended (DELETE): `/v1/calls/{call_ref}`.
pub const CALLS: &str = "/v1/calls";

/// The largest body the door reads, bytes.
///
/// Two thirds of it are for the SDP, 64 kB at most. The rest is for the agent file: 32 KiB at most, in which JSON doubles quotes and
/// line ends at worst.
pub const LARGEST_BODY: usize = 192 * 1024;

/// The path of a call at the door.
pub fn path_of(call_ref: &str) -> String {
    format!("{CALLS}/{call_ref}")
}

/// A call for a media task to answer. The same offer with the same fence gets the same answer again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The fence of the task's assignment.
    pub fence: u64,
    /// The version of the call's state: events of the task sort after it.
    pub version: u64,
    /// The business number that was called, as its id.
    pub number: String,
    /// The caller's SDP offer.
    pub offer: String,
    /// When we first heard of the call, ms since 1970.
    pub rang_at_ms: u64,
    /// When it must have been answered, ms since 1970.
    pub ring_deadline_ms: u64,
    /// The agent's file, its TOML text; `None`: the task's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Whether Meta does not show the caller's phone number; an older release does not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hides_number: bool,
    /// The [`mark`](crate::mark) of the caller, if Meta says who calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Proves to call-control that an order is of the task that has the assignment: random, and given to that task alone. Only a task whose
    /// lease says that it returns tokens gets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl fmt::Debug for Offer {
    /// With lengths in place of the SDP and the agent's file, and without the caller's mark and the assignment's token.
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

/// What follows [`path_of`] a call where a message that failed is told (POST). A task of an older release knows no such path.
pub const UNDELIVERED: &str = "undelivered";

/// A message to the caller has failed after it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// The fence of the task's assignment.
    pub fence: u64,
    /// The id under which the task had asked for it.
    pub id: String,
}

/// Which assignment is released, with [`path_of`] a call (DELETE). An older release sends nothing, and means every assignment; a task of an
/// older release takes it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The fence of the assignment: newer assignments of the call are not touched.
    pub fence: u64,
}

/// What the door says to an [`Offer`] it takes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The task's SDP answer.
    pub answer: String,
}

impl fmt::Debug for Answer {
    /// With its length in place of the SDP.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("answer", &self.answer.len()).finish()
    }
}

/// Why the door did not take an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// In words.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_offer_of_an_older_release_names_no_agent_and_no_caller() {
        let older = json!({"fence": 1, "version": 2, "number": "7", "offer": "v=0", "rang_at_ms": 3, "ring_deadline_ms": 4});

        let offer: Offer = serde_json::from_value(older.clone()).unwrap();

        assert_eq!((&offer.agent, &offer.caller), (&None, &None));
        assert_eq!(serde_json::to_value(offer).unwrap(), older);
    }

    #[test]
    fn neither_sdp_nor_agent_nor_caller_is_shown() {
        let offer: Offer =
            serde_json::from_value(json!({"fence": 1, "version": 2, "number": "7", "offer": "planted sdp",
            "rang_at_ms": 3, "ring_deadline_ms": 4, "agent": "planted file", "caller": "planted mark", "token": "planted token"}))
            .unwrap();
        let answer = Answer { answer: "planted sdp".into() };

        let shown = format!("{offer:?} {answer:?}");

        assert!(shown.contains("fence: 1") && !shown.contains("planted"), "{shown}");
    }

    #[test]
    fn the_largest_agent_file_fits_beside_a_long_sdp() {
        let agent = Some("\"\n".repeat(16 * 1024));
        let offer = "a=candidate\r\n".repeat(4_900);
        let offer = Offer {
            fence: 1,
            version: 1,
            number: "7".into(),
            offer,
            rang_at_ms: 0,
            ring_deadline_ms: 0,
            agent,
            hides_number: false,
            caller: None,
            token: None,
        };

        assert!(serde_json::to_vec(&offer).unwrap().len() < LARGEST_BODY);
    }
}
