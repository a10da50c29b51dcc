//! Turns calls away before a media task is assigned: without the trunk's key, outside opening hours, over the day's budget, or over the
//! caller's hourly cap.

mod other_lines;

use crate::Switchboard;
use crate::handled_call::HandledCall;
use agents::Agent;
use call::{Ending, Fence};
use journal::JournalEvent;
use store::CallerCall;
use store::StoredCall;

impl Switchboard {
    /// Returns the ending of a call that must be turned away. It is judged by when the call rang, so that each attempt judges it the same.
    pub(crate) async fn rejection(&self, handled: &HandledCall) -> anyhow::Result<Option<Ending>> {
        let record = &handled.record;
        if record.is_untrusted {
            return Ok(Some(Ending::Untrusted));
        }
        if record.call.launched || record.call.fence > Fence::default() {
            // Admitted earlier; it only waits for a free slot.
            return Ok(None);
        }
        self.rejection_by_agent(handled).await
    }

    /// Returns the ending of a call that its agent turns away: the number's own, or the one that the business's lookup chose.
    pub(crate) async fn rejection_by_agent(&self, handled: &HandledCall) -> anyhow::Result<Option<Ending>> {
        let record = &handled.record;
        let (agent, rang_at_ms) = (&self.agent_of(handled).await?.agent, record.call.rang_at.0);
        if agent.hours.as_ref().is_some_and(|hours| !hours.is_open(rang_at_ms)) {
            return Ok(Some(Ending::Closed));
        }
        if false_on_error(self.is_over_budget(record, agent).await) {
            return Ok(Some(Ending::OverBudget));
        }
        let too_often = false_on_error(self.is_called_too_often(handled, agent).await);
        Ok(too_often.then_some(Ending::CalledTooOften))
    }

    async fn is_over_budget(&self, record: &StoredCall, agent: &Agent) -> anyhow::Result<bool> {
        let Some(dollars) = agent.caps.dollars_a_day else { return Ok(false) };
        let (day, cap) = (agent.day(record.call.rang_at.0), (dollars * 1e6) as u64);
        let spent = self.store.spent_on(&record.number, &day).await?;
        if spent.is_near(cap) && !spent.is_recorded && self.claim_cap_notice(record, &day).await {
            let (spent_micro_dollars, cap_micro_dollars) = (spent.micro_dollars, cap);
            let near = JournalEvent::CapNear { spent_micro_dollars, cap_micro_dollars };
            // A failing journal does not change the verdict: a reached cap binds.
            if let Err(error) = self.append_to_journal(Box::new(record.clone()), &near).await {
                let call_ref = record.call_ref();
                tracing::error!(
                    %call_ref,
                    "cannot write the journal entry that the day's cap is near: {error:#}"
                );
            }
            self.tell_near_cap(record, agent).await;
        }
        Ok(spent.micro_dollars >= cap)
    }

    async fn claim_cap_notice(&self, record: &StoredCall, day: &str) -> bool {
        self.store.claim_cap_event(&record.number, day).await.unwrap_or_else(|error| {
            tracing::error!(
                call_ref = %record.call_ref(),
                "cannot claim the notice that the day's cap is near, notice skipped: {error:#}"
            );
            false
        })
    }

    /// Whether the caller has reached the hourly cap, on all lines together. Calls that are turned away here do not count, so a caller who
    /// keeps trying gets through once the hour is over; one that the business's lookup refuses later does.
    async fn is_called_too_often(&self, handled: &HandledCall, agent: &Agent) -> anyhow::Result<bool> {
        let record = &handled.record;
        let pseudonym = self.control_api.pseudonym(&record.caller());
        let Some((most, pseudonym)) = agent.caps.calls_an_hour.zip(pseudonym) else { return Ok(false) };
        let (number, call_ref) = (&record.number, &record.call_ref());
        let call = CallerCall { number, pseudonym: &pseudonym, call_ref, rang_at_ms: record.call.rang_at.0 };
        let (own, other) = tokio::join!(self.store.count_call(&call), self.calls_on_other_lines(handled));
        let other = other.unwrap_or_else(|error| {
            tracing::error!(%call_ref, "cannot count a caller's calls on other lines, counted as none: {error:#}");
            0
        });
        let is_too_often = own? + other >= most as usize;
        if is_too_often {
            self.store.uncount_call(&call).await?;
        }
        Ok(is_too_often)
    }
}

/// Admits the call when a cap cannot be checked: a failing table turns no caller away.
fn false_on_error(answer: anyhow::Result<bool>) -> bool {
    answer.unwrap_or_else(|error| {
        tracing::error!("cannot check a cap, call admitted: {error:#}");
        false
    })
}
