//! Puts calls into the list by which people find them: when they are first taken up, and when they have ended.

use crate::Switchboard;
use crate::perform::word;
use crate::stored_call::StoredCall;
use call::Timestamp;
use internal_api::keys;
use jiff::tz::TimeZone;
use store::CallListing;
use store::items::Item;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

impl Switchboard {
    /// What to write with the call so that the list has it as it will be. It goes into the transaction that saves the call:
    /// there is no moment to die at between the two.
    pub(crate) async fn list(&self, before: &StoredCall, after: &mut StoredCall) -> Vec<Item> {
        let ends = after.call.has_ended() && !before.call.has_ended();
        if after.is_listed && !ends {
            return vec![];
        }
        after.is_listed = true;
        let forget_at = if ends { self.forget_at(after).await } else { keys::forget_at(self.now().0) };
        let marks = self.knocker.marks(&after.caller());
        if ends {
            self.keep_linked(&marks, forget_at).await;
        }
        listed(after).items(&marks, &day(after.call.rang_at), forget_at)
    }

    /// Every name of a caller leads to the others for as long as anything of theirs is kept: this call too.
    async fn keep_linked(&self, marks: &[String], forget_at: u64) {
        if let Err(error) = self.ledger.keep_linked(marks, forget_at * 1_000).await {
            tracing::error!(
                "Cannot link the names of a caller, of whom one may not find the other: {error:#}"
            );
        }
    }

    /// The list knows of a call for as long as anything is kept of it: who asks to be forgotten is found by it.
    async fn forget_at(&self, record: &StoredCall) -> u64 {
        let now_ms = self.now().0;
        let days = match self.appointed_for(&record.number).await {
            Ok(appointed) => u64::from(appointed.agent.keeping.days),
            Err(error) => {
                tracing::error!("Listed a call without knowing how long it is kept: {error:#}");
                0
            }
        };
        keys::forget_at(now_ms).max(now_ms / 1_000 + days * SECONDS_A_DAY)
    }
}

fn listed(record: &StoredCall) -> CallListing {
    let call = &record.call;
    let ending = call.ending();
    CallListing {
        call_ref: record.call_ref().to_owned(),
        number: record.number.clone(),
        rang_at_ms: call.rang_at.0,
        start: call.answer.as_ref().map(|_| if call.launched { "cold" } else { "warm" }.to_owned()),
        accepted_at_ms: call.accepted_at.map(|at| at.0),
        ended_at_ms: call.ended_at.map(|at| at.0),
        ending: ending.map(|ending| word(&ending)),
        by: ending.map(|ending| word(&ending.by())),
    }
}

/// The day of a time, in UTC: the list is one for all numbers, wherever they are.
fn day(at: Timestamp) -> String {
    let at = i64::try_from(at.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.unwrap_or_default().to_zoned(TimeZone::UTC).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        assert_eq!(day(Timestamp(1_795_305_599_999)), "2026-11-21");
        assert_eq!(day(Timestamp(1_795_305_600_000)), "2026-11-22");
    }
}
