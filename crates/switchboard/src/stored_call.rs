//! A call as it lies in the table: its state, and what only the vendor crates understand.

use call::{Call, Timestamp};
use internal_api::keys;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;
use whatsapp::Caller;

/// The name of a call everywhere but at Meta: hex SHA-256 of Meta's call id, which holds phone numbers.
pub fn call_ref(wacid: &str) -> String {
    hex::encode(Sha256::digest(wacid))
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
    /// When DynamoDB may forget it, seconds since 1970.
    pub(crate) ttl: u64,
    /// Grows with every change: nobody overwrites what they have not read.
    pub version: u64,
    /// Meta's call id.
    pub wacid: String,
    /// The id of the business number that was called.
    pub number: String,
    /// The caller's SDP offer.
    pub offer: String,
    /// The caller's phone number, if they show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_number: Option<String>,
    /// The caller's business-scoped user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_user_id: Option<String>,
    /// How far the call has come.
    pub call: Call,
    /// Set by the webhook when Meta says that the call is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hung_up: Option<HungUp>,
    /// The task that has the call: found by the index, which does not hold the call itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) held_by: Option<String>,
    /// What the task that has the assignment must show with its orders; none where that task returns no tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seat_token: Option<AssignmentToken>,
    /// Whether it is in the list of calls.
    #[serde(default)]
    pub(crate) is_listed: bool,
}

/// What proves that an order is of the task that has an assignment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentToken {
    /// The fence of the assignment.
    pub fence: u64,
    /// Random.
    pub token: String,
}

impl std::fmt::Debug for AssignmentToken {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SeatToken").field("fence", &self.fence).finish_non_exhaustive()
    }
}

/// Meta's word that a call is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HungUp {
    /// Meta's error codes, if it ended with any.
    pub errors: Vec<u64>,
}

impl StoredCall {
    /// A call that has just begun to ring.
    pub fn ringing(
        wacid: &str,
        number: &str,
        offer: &str,
        caller: &Caller,
        now: Timestamp,
        budget: Duration,
    ) -> Self {
        let mut record = Self {
            pk: keys::call(&call_ref(wacid)),
            sk: keys::STATE.to_owned(),
            gsi1pk: None,
            gsi1sk: None,
            ttl: keys::forget_at(now.0),
            version: 0,
            wacid: wacid.to_owned(),
            number: number.to_owned(),
            offer: offer.to_owned(),
            caller_number: caller.number.clone(),
            caller_user_id: caller.user_id.clone(),
            call: Call::ringing(now, budget),
            hung_up: None,
            held_by: None,
            seat_token: None,
            is_listed: false,
        };
        record.index();
        record
    }

    /// Its name everywhere but at Meta.
    pub fn call_ref(&self) -> &str {
        keys::call_ref(&self.pk).expect("a state item lies in a call's partition")
    }

    /// Who calls.
    pub fn caller(&self) -> Caller {
        Caller { number: self.caller_number.clone(), user_id: self.caller_user_id.clone() }
    }

    /// Gives the assignment, if it is another one than before, a token of its own, where its task returns tokens.
    pub(crate) fn guard_assignment(&mut self, before: &Call, returns_tokens: bool) {
        let fence = |call: &Call| call.assignment.as_ref().map(|assignment| assignment.fence);
        let Some(fence) = fence(&self.call).filter(|new| fence(before) != Some(*new)) else { return };
        let half = || uuid::Uuid::new_v4().simple().to_string();
        self.seat_token = returns_tokens.then(|| AssignmentToken { fence, token: half() + &half() });
    }

    /// The token of the assignment with this fence, if it has one.
    pub fn token(&self, fence: u64) -> Option<&str> {
        self.seat_token
            .as_ref()
            .filter(|assignment| assignment.fence == fence)
            .map(|assignment| assignment.token.as_str())
    }

    /// Whether an order for the assignment with this fence is from the task that has it now: it shows the assignment's token, if there is one. A
    /// later record with that fence has that token, so an order that is believed once need not be checked again.
    pub(crate) fn believes(&self, fence: u64, token: Option<&str>) -> bool {
        self.call.is_held_by(fence) && self.token(fence).is_none_or(|own| token == Some(own))
    }

    /// Puts it into the index of what is due, or takes it out.
    pub(crate) fn index(&mut self) {
        self.held_by = self.call.assignment.as_ref().map(|assignment| assignment.task.clone());
        (self.gsi1pk, self.gsi1sk) = self.place();
    }

    /// Whether it lies in the index as its call wants. Meta's word that the call is over makes it due out of turn.
    pub(crate) fn is_indexed(&self) -> bool {
        (self.gsi1pk.clone(), self.gsi1sk.clone()) == self.place()
    }

    fn place(&self) -> (Option<String>, Option<String>) {
        let due = self.call.due;
        (due.map(|_| keys::DUE.to_owned()), due.map(|due| keys::sortable(due.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_has_a_token_of_its_own_where_its_task_returns_tokens() {
        let assignment = |fence| Some(call::Assignment { task: "t".into(), fence });
        let ringing =
            StoredCall::ringing("wacid.A", "1", "v=0", &Caller::default(), Timestamp(7), Duration::ZERO);
        let mut record = ringing.clone();
        record.call.assignment = assignment(1);
        record.guard_assignment(&ringing.call, true);
        let first = record.token(1).expect("it has one").to_owned();
        assert!(first.len() == 64 && record.believes(1, Some(&first)));
        assert!(!record.believes(1, None) && !record.believes(1, Some("another")));

        let before = record.call.clone();
        record.guard_assignment(&before, false);
        assert_eq!(record.token(1), Some(&*first), "the same assignment keeps it");
        record.call.assignment = assignment(2);
        record.guard_assignment(&before, true);
        assert!(record.token(2).is_some_and(|second| second != first) && record.token(1).is_none());
        let before = record.call.clone();
        record.call.assignment = assignment(3);
        record.guard_assignment(&before, false);
        assert!(record.believes(3, None), "a task of an older release shows none");
        assert!(!record.believes(2, None) && !record.believes(4, None), "no task has that assignment");
    }

    #[test]
    fn a_call_that_was_made_due_out_of_turn_is_not_where_it_belongs() {
        let budget = Duration::from_secs(25);
        let mut record = StoredCall::ringing("wacid.A", "1", "v=0", &Caller::default(), Timestamp(7), budget);
        record.call.due = None;
        assert!(!record.is_indexed());

        record.index();

        assert!(record.is_indexed() && record.gsi1pk.is_none());
    }
}
