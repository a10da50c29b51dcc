//! Identifies a call, and this task's assignment of it.

use crate::journal_writer::ttl_after_days;
use call::{CallRef, CallerDetails, Fence, Line, NumberId};
use store::CallOwner;

/// A call as its session names it to others.
#[derive(Clone)]
pub(crate) struct CallIdentity {
    /// SHA-256 of Meta's call id, by which logs and journals name the call.
    pub(crate) call_ref: CallRef,
    /// The line that the call came in on.
    pub(crate) line: Line,
    /// Meta's id of the business number that was called; on the telephone line, its name.
    pub(crate) number: NumberId,
    /// Whether Meta hides the caller's phone number.
    pub(crate) hides_number: bool,
    /// The caller's pseudonym, if Meta says who calls.
    pub(crate) caller: Option<String>,
    /// What the line's service says about the caller, where the agent asks for it.
    pub(crate) details: Option<CallerDetails>,
    /// The fencing token of this task's assignment.
    pub(crate) fence: Fence,
    /// The secret token of this task's assignment, if the offer had one.
    pub(crate) token: Option<String>,
}

impl CallIdentity {
    /// Returns this task as the call's owner, whose items are kept for `days`.
    pub(crate) fn owner(&self, days: u32) -> CallOwner {
        CallOwner {
            call_ref: self.call_ref.clone(),
            number: self.number.clone(),
            fence: self.fence,
            forget_at: ttl_after_days(days),
        }
    }
}
