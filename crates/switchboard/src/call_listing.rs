//! Maintains the list of calls by day, number and caller: an item when a call is first saved, and its final form when it has ended.

use crate::Switchboard;
use crate::handled_call::HandledCall;
use call::Timestamp;
use jiff::tz::TimeZone;
use store::CallListing;
use store::StoredCall;
use store::items::Item;
use store::keys;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

impl Switchboard {
    /// Returns the listing items to write with the call. They go into the transaction that saves the call, so a crash cannot separate the
    /// two.
    pub(crate) async fn listing_items(&self, before: &StoredCall, handled: &mut HandledCall) -> Vec<Item> {
        let after = &mut handled.record;
        let ends = after.call.has_ended() && !before.call.has_ended();
        if after.is_listed && !ends {
            return vec![];
        }
        after.is_listed = true;
        let forget_at = if ends { self.forget_at(handled).await } else { keys::forget_at(self.now().0) };
        let after = &handled.record;
        let pseudonyms = self.control_api.pseudonyms(&after.caller());
        if ends {
            self.keep_linked(&pseudonyms, forget_at).await;
        }
        listing_of(after).items(&pseudonyms, &day(after.call.rang_at), forget_at)
    }

    /// Extends the links between a caller's names to the lifetime of this call's items.
    async fn keep_linked(&self, pseudonyms: &[String], forget_at: u64) {
        if let Err(error) = self.store.keep_linked(pseudonyms, forget_at * 1_000).await {
            tracing::error!(
                "cannot extend the links between a caller's names, a search by one may miss calls of another: {error:#}"
            );
        }
    }

    /// Returns when the listing expires: not before anything else kept of the call, because a person's calls are found by it when they ask
    /// to be forgotten.
    async fn forget_at(&self, handled: &HandledCall) -> u64 {
        let now_ms = self.now().0;
        let days = match self.agent_of(handled).await {
            Ok(resolved) => u64::from(resolved.agent.keeping.days),
            Err(error) => {
                tracing::error!(
                    "cannot read how long the agent keeps calls, listing expires with the call's state: {error:#}"
                );
                0
            }
        };
        keys::forget_at(now_ms).max(now_ms / 1_000 + days * SECONDS_A_DAY)
    }
}

fn listing_of(record: &StoredCall) -> CallListing {
    let call = &record.call;
    let ending = call.ending();
    CallListing {
        call_ref: record.call_ref(),
        line: call.line.into(),
        number: record.number.clone(),
        rang_at_ms: call.rang_at.0,
        start: call.answer.as_ref().map(|_| if call.launched { "cold" } else { "warm" }.to_owned()),
        accepted_at_ms: call.accepted_at.map(|at| at.0),
        ended_at_ms: call.ended_at.map(|at| at.0),
        ending: ending.map(Into::into),
        by: ending.map(|ending| ending.by().into()),
    }
}

/// Returns the day in UTC, because the list holds numbers of all time zones.
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
