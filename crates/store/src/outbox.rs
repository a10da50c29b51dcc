//! The outbox: what is still to be told to a business after or during a call, one item for each event, in the call's own partition.
//!
//! An item holds references and no words of a call: what is sent is read from the call's items at each try, so that retention and
//! `ahoy forget` cover it. The index lists items by when they are due, and those that are done by when that was.

mod delivery;
mod event;
mod listing;
mod writing;

pub use delivery::{Delivery, OutboxClaim, OutboxTry};
pub use event::{OutboxEvent, OutboxKey, OutboxKeyError};

use crate::{StoredCall, keys};
use call::{CallRef, Ending, Fence, NumberId, Recorded};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How long the outcome of a call waits for its task's summary.
const WAITS_FOR_SUMMARY: Duration = Duration::from_secs(60);

/// An event that a business is to be told, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxItem {
    pub(crate) pk: String,
    pub(crate) sk: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gsi1pk: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gsi1sk: Option<String>,
    /// When DynamoDB may delete it, seconds since 1970.
    pub(crate) ttl: u64,
    /// What happened.
    pub event: Recorded<OutboxEvent>,
    /// When it happened, ms since 1970.
    pub at_ms: u64,
    /// The business number that was called.
    pub number: NumberId,
    /// The agent whose file says where to; `None` where it could not be read: then that of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The sort key of the item that it is about, in the same partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The fencing token of an ended call's latest assignment, whose task writes the summary; `None` if no task took the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<Fence>,
    /// How far the delivery is.
    pub state: Recorded<OutboxState>,
    /// How many tries were begun, since it was last made due again by hand.
    pub tries: u32,
    /// How often it was made due again by hand.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retried: u32,
    /// When the claim of the process that tries now ends, ms since 1970. It names the claim, too: no two of an item end at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_until_ms: Option<u64>,
    /// When the last try ended, ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried_at_ms: Option<u64>,
    /// The HTTP status of the last try; `None` without a reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why the last try failed, where no status says it: a word of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// It is to be tried when it is due.
    Waiting,
    /// The business has it.
    Delivered,
    /// The business wants no more of it.
    Refused,
    /// No further try is made.
    GivenUp,
}

impl fmt::Display for OutboxState {
    /// Writes the word that is stored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl OutboxItem {
    /// Returns the item of an event that is due at once.
    pub fn new(key: &OutboxKey, number: &NumberId, agent: Option<&str>, at_ms: u64) -> Self {
        Self {
            pk: keys::call(&key.call_ref),
            sk: key.sort_key(),
            gsi1pk: Some(keys::OUTBOX.to_owned()),
            gsi1sk: Some(keys::sortable(at_ms)),
            ttl: keys::forget_at(at_ms),
            event: key.event.clone(),
            at_ms,
            number: number.clone(),
            agent: agent.map(str::to_owned),
            of: None,
            fence: None,
            state: OutboxState::Waiting.into(),
            tries: 0,
            retried: 0,
            claimed_until_ms: None,
            tried_at_ms: None,
            status: None,
            why: None,
        }
    }

    /// Returns the item about another item of the call's partition.
    #[must_use]
    pub fn about(self, sort_key: &str) -> Self {
        Self { of: Some(sort_key.to_owned()), ..self }
    }

    /// Returns the outcome of a call that has just ended; `None` of one that is live, or that nothing proves to have come from the trunk.
    ///
    /// A call that a task took waits for the summary, which [`Store::call_concluded`](crate::Store::call_concluded) reports, and for a
    /// minute at most. One that was turned away has none to wait for.
    pub fn of_ended(call: &StoredCall, agent: Option<&str>, now_ms: u64) -> Option<Self> {
        let ending = call.call.ending().filter(|ending| *ending != Ending::Untrusted)?;
        let event = if ending.is_turned_away() { OutboxEvent::CallRejected } else { OutboxEvent::CallEnded };
        let item = Self::new(&OutboxKey::of(&call.call_ref(), event), &call.number, agent, now_ms);
        // An offer has a fence before a task answers it.
        let was_taken = call.call.answer.is_some() || call.call.accepted_at.is_some();
        let has_summary = was_taken && event == OutboxEvent::CallEnded;
        let fence = Some(call.call.fence).filter(|fence| has_summary && *fence > Fence::default());
        let waits = if fence.is_some() { WAITS_FOR_SUMMARY } else { Duration::ZERO };
        let due_ms = now_ms + u64::try_from(waits.as_millis()).unwrap_or_default();
        Some(Self { fence, gsi1sk: Some(keys::sortable(due_ms)), ..item })
    }

    /// Returns the name of the item.
    pub fn key(&self) -> OutboxKey {
        let (call_ref, n) = (self.call_ref(), event::number_of(&self.sk));
        OutboxKey { call_ref, event: self.event.clone(), n }
    }

    /// Returns the call that it belongs to.
    pub fn call_ref(&self) -> CallRef {
        keys::call_ref(&self.pk).expect("an item of the outbox is in a call's partition")
    }

    /// Returns the number of the current try, which no other try of it has.
    pub fn number_of_try(&self) -> u64 {
        u64::from(self.retried) * 100 + u64::from(self.tries)
    }

    /// Returns when the next try is due, ms since 1970; `None` when there is none.
    pub fn due_ms(&self) -> Option<u64> {
        let is_waiting = self.gsi1pk.as_deref() == Some(keys::OUTBOX);
        self.gsi1sk.as_ref().filter(|_| is_waiting)?.parse().ok()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CallerNames;
    use call::{Phase, Timestamp};

    const NOW: u64 = 1_795_305_600_000;

    fn ended(ending: Ending, fence: u64) -> StoredCall {
        let mut record = StoredCall::ringing(
            "wacid.A",
            &"220".into(),
            "v=0",
            CallerNames::default(),
            Timestamp(NOW),
            Duration::from_secs(25),
        );
        record.call.phase = Phase::Ended(ending);
        record.call.fence = Fence(fence);
        record
    }

    #[test]
    fn the_outcome_of_a_call_waits_a_minute_for_its_tasks_summary() {
        for (answer, accepted_at) in [(Some("v=0"), None), (None, Some(Timestamp(NOW)))] {
            let mut call = ended(Ending::CallerHungUp, 2);
            (call.call.answer, call.call.accepted_at) = (answer.map(str::to_owned), accepted_at);

            let taken = OutboxItem::of_ended(&call, Some("shop"), NOW).expect("it ended");

            assert_eq!((taken.due_ms(), taken.fence), (Some(NOW + 60_000), Some(Fence(2))));
            assert_eq!(taken.sk, "AFTER#call.ended");
        }
    }

    #[test]
    fn the_outcome_of_an_untaken_call_is_due_at_once() {
        for fence in [0, 1] {
            let missed =
                OutboxItem::of_ended(&ended(Ending::NoCapacity, fence), Some("shop"), NOW).expect("it ended");
            assert_eq!((missed.due_ms(), missed.fence), (Some(NOW), None));
        }
    }

    #[test]
    fn a_call_turned_away_is_rejected_and_due_at_once() {
        let mut refused = ended(Ending::RefusedByLookup, 1);
        refused.call.answer = Some("v=0".to_owned());
        for call in [ended(Ending::Closed, 0), refused] {
            let rejected = OutboxItem::of_ended(&call, None, NOW).expect("it ended");

            assert_eq!((rejected.sk.as_str(), rejected.due_ms()), ("AFTER#call.rejected", Some(NOW)));
            assert_eq!(rejected.fence, None, "no task has a summary of it");
        }
    }

    #[test]
    fn live_and_untrusted_calls_have_no_outcome() {
        let mut live = ended(Ending::CallerHungUp, 1);
        live.call.phase = Phase::Live;

        assert_eq!(OutboxItem::of_ended(&live, None, NOW), None);
        assert_eq!(OutboxItem::of_ended(&ended(Ending::Untrusted, 0), None, NOW), None);
    }
}
