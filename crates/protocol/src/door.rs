//! What call-control asks of a media task, at its door.

use serde::{Deserialize, Serialize};

/// Where a call is offered (POST), asked after (GET) and ended (DELETE): `/v1/calls/{call_ref}`.
pub const CALLS: &str = "/v1/calls";

/// The largest body the door reads, bytes.
pub const LARGEST_BODY: usize = 64 * 1024;

/// The path of a call at the door.
pub fn path_of(call_ref: &str) -> String {
    format!("{CALLS}/{call_ref}")
}

/// A call for a media task to answer. The same offer with the same fence gets the same answer again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The fence of the task's seat.
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
}

/// What the door says to an [`Offer`] it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The task's SDP answer.
    pub answer: String,
}

/// Why the door did not take an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// In words.
    pub reason: String,
}
