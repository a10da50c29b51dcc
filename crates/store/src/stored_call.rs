//! The state item of a call: its state machine's state, and the identifiers and SDP offer that the line's service sent.

use crate::{Chosen, keys};
use call::{Call, CallRef, CallerDetails, Fence, Line, NumberId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Returns the name of a call everywhere but at the line's service: the hex SHA-256 of its id there. Meta's holds phone numbers, and who has
/// OpenAI's and the key can end the call.
pub fn call_ref(id: &str) -> CallRef {
    hex::encode(Sha256::digest(id)).into()
}

/// The state item of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredCall {
    pub(crate) pk: String,
    pub(crate) sk: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gsi1pk: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gsi1sk: Option<String>,
    /// When DynamoDB may delete it, seconds since 1970.
    pub(crate) ttl: u64,
    /// Incremented by every save, which fails against any other version than the one read.
    pub version: u64,
    /// Meta's id of the call, which holds phone numbers; `None` on another line than WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wacid: Option<String>,
    /// OpenAI's id of the call; `None` on another line than SIP. Functions of the previous release cannot read a call without Meta's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realtime_call: Option<String>,
    /// Whether a call on the SIP line lacks the trunk's key, and is rejected: its headers count for nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_untrusted: bool,
    /// The id of the business number that was called.
    pub number: NumberId,
    /// The caller's SDP offer; `None` on a line that needs no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<String>,
    /// The caller's phone number, unless hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_number: Option<String>,
    /// The caller's business-scoped user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_user_id: Option<String>,
    /// What else the line's service says about the caller; number and user id are beside it. Read it with [`StoredCall::caller_details`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<CallerDetails>,
    /// What the business's lookup decided about the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Chosen>,
    /// The state of the call's state machine.
    pub call: Call,
    /// Set by the webhook when Meta reports the call as over; the next save takes it into the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hung_up: Option<HungUp>,
    /// The task that holds the call, for the index, which does not project the call itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) held_by: Option<TaskId>,
    /// The token that the assigned task must present with its orders; `None` where the task returns no tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seat_token: Option<AssignmentToken>,
    /// Whether the call is in the list of calls.
    #[serde(default)]
    pub is_listed: bool,
}

/// Proves that an order comes from the task that holds an assignment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AssignmentToken {
    /// The fencing token of the assignment.
    pub(crate) fence: Fence,
    /// 64 random hex digits.
    pub(crate) token: String,
}

impl std::fmt::Debug for AssignmentToken {
    /// Leaves out the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssignmentToken").field("fence", &self.fence).finish_non_exhaustive()
    }
}

/// A caller's names, as far as the line's service gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerNames {
    /// The digits of the phone number, unless hidden.
    pub number: Option<String>,
    /// The business-scoped user id.
    pub user_id: Option<String>,
}

/// Meta's `terminate` for a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HungUp {
    /// Meta's error codes; empty for an ordinary end.
    pub errors: Vec<u64>,
}

impl StoredCall {
    /// Returns a WhatsApp call that has just begun to ring.
    pub fn ringing(
        wacid: &str,
        number: &NumberId,
        offer: &str,
        caller: CallerNames,
        now: Timestamp,
        budget: Duration,
    ) -> Self {
        let (wacid_kept, offer) = (Some(wacid.to_owned()), Some(offer.to_owned()));
        let call = Call::ringing(now, budget);
        Self { wacid: wacid_kept, offer, ..Self::new(wacid, number, caller, call) }
    }

    /// Returns a call on the SIP line that has just begun to ring.
    pub fn ringing_by_sip(
        realtime_call: &str,
        number: &NumberId,
        caller: CallerNames,
        is_untrusted: bool,
        now: Timestamp,
    ) -> Self {
        let call = Call { line: Line::Sip, ..Call::ringing(now, Line::Sip.rings_for()) };
        let id_kept = Some(realtime_call.to_owned());
        Self { realtime_call: id_kept, is_untrusted, ..Self::new(realtime_call, number, caller, call) }
    }

    fn new(id: &str, number: &NumberId, caller: CallerNames, call: Call) -> Self {
        let mut record = Self {
            pk: keys::call(&call_ref(id)),
            sk: keys::STATE.to_owned(),
            gsi1pk: None,
            gsi1sk: None,
            ttl: keys::forget_at(call.rang_at.0),
            version: 0,
            wacid: None,
            realtime_call: None,
            is_untrusted: false,
            number: number.clone(),
            offer: None,
            caller_number: caller.number,
            caller_user_id: caller.user_id,
            details: None,
            chosen: None,
            call,
            hung_up: None,
            held_by: None,
            seat_token: None,
            is_listed: false,
        };
        record.update_index();
        record
    }

    /// Returns the call's name everywhere but at the line's service.
    pub fn call_ref(&self) -> CallRef {
        keys::call_ref(&self.pk).expect("a state item is in a call's partition")
    }

    /// Returns the caller's number and user id, as far as Meta gave them.
    pub fn caller(&self) -> CallerNames {
        CallerNames { number: self.caller_number.clone(), user_id: self.caller_user_id.clone() }
    }

    /// Returns everything that the line's service says about the caller.
    pub fn caller_details(&self) -> CallerDetails {
        CallerDetails {
            number: self.caller_number.clone(),
            number_verified: self.caller_number.is_some() && self.call.line.verifies_number(),
            user_id: self.caller_user_id.clone(),
            ..self.details.clone().unwrap_or_default()
        }
    }

    /// Returns the name of the agent that the business's lookup chose, if it chose one.
    pub fn chosen_agent(&self) -> Option<&str> {
        self.chosen.as_ref()?.agent.as_deref()
    }

    /// Gives a new assignment a token of its own, if its task returns tokens.
    pub fn issue_token(&mut self, before: &Call, returns_tokens: bool) {
        let fence = |call: &Call| call.assignment.as_ref().map(|assignment| assignment.fence);
        let Some(fence) = fence(&self.call).filter(|new| fence(before) != Some(*new)) else { return };
        let half = || uuid::Uuid::new_v4().simple().to_string();
        self.seat_token = returns_tokens.then(|| AssignmentToken { fence, token: half() + &half() });
    }

    /// Returns the token of the assignment with this fence.
    pub fn token(&self, fence: Fence) -> Option<&str> {
        self.seat_token
            .as_ref()
            .filter(|assignment| assignment.fence == fence)
            .map(|assignment| assignment.token.as_str())
    }

    /// Whether an order for the assignment with this fence comes from the task that holds it: it presents the token, if the assignment has
    /// one.
    ///
    /// A later version of the call with the same fence has the same token, so an accepted order need not be checked again after a conflict.
    pub fn accepts_order(&self, fence: Fence, token: Option<&str>) -> bool {
        self.call.is_held_by(fence) && self.token(fence).is_none_or(|own| token == Some(own))
    }

    /// Updates the attributes of the index of due calls.
    pub(crate) fn update_index(&mut self) {
        self.held_by = self.call.assignment.as_ref().map(|assignment| assignment.task.clone());
        (self.gsi1pk, self.gsi1sk) = self.index_keys();
    }

    /// Whether the index attributes match the call. The webhook makes a call due out of turn when Meta reports it as over.
    pub fn is_indexed(&self) -> bool {
        (self.gsi1pk.clone(), self.gsi1sk.clone()) == self.index_keys()
    }

    fn index_keys(&self) -> (Option<String>, Option<String>) {
        let due = self.call.due;
        (due.map(|_| keys::DUE.to_owned()), due.map(|due| keys::sortable(due.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_assignment_has_its_own_token_if_its_task_returns_tokens() {
        let assignment = |fence| Some(call::Assignment { task: "t".into(), fence: Fence(fence) });
        let ringing = StoredCall::ringing(
            "wacid.A",
            &"1".into(),
            "v=0",
            CallerNames::default(),
            Timestamp(7),
            Duration::ZERO,
        );
        let mut record = ringing.clone();
        record.call.assignment = assignment(1);
        record.issue_token(&ringing.call, true);
        let first = record.token(Fence(1)).expect("it has one").to_owned();
        assert!(first.len() == 64 && record.accepts_order(Fence(1), Some(&first)));
        assert!(!record.accepts_order(Fence(1), None) && !record.accepts_order(Fence(1), Some("another")));

        let before = record.call.clone();
        record.issue_token(&before, false);
        assert_eq!(record.token(Fence(1)), Some(&*first), "the same assignment keeps it");
        record.call.assignment = assignment(2);
        record.issue_token(&before, true);
        assert!(
            record.token(Fence(2)).is_some_and(|second| second != first) && record.token(Fence(1)).is_none()
        );
        let before = record.call.clone();
        record.call.assignment = assignment(3);
        record.issue_token(&before, false);
        assert!(record.accepts_order(Fence(3), None), "a task of an older release presents none");
        assert!(
            !record.accepts_order(Fence(2), None) && !record.accepts_order(Fence(4), None),
            "no task has that assignment"
        );
    }

    #[test]
    fn a_call_made_due_out_of_turn_needs_reindexing() {
        let budget = Duration::from_secs(25);
        let mut record =
            StoredCall::ringing("wacid.A", &"1".into(), "v=0", CallerNames::default(), Timestamp(7), budget);
        record.call.due = None;
        assert!(!record.is_indexed());

        record.update_index();

        assert!(record.is_indexed() && record.gsi1pk.is_none());
    }
}
