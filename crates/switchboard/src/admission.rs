//! Turns calls away before any media task is asked: when it is closed, when the day's money is spent, and who calls too often.

use crate::Switchboard;
use crate::stored_call::StoredCall;
use agents::Agent;
use call::Ending;
use journal::JournalEvent as Happened;
use store::CallerCall;

impl Switchboard {
    /// Why the call is not to be taken, if so. It is judged by when it rang, so that it is judged the same each time.
    pub(crate) async fn turned_away(&self, record: &StoredCall) -> anyhow::Result<Option<Ending>> {
        if record.call.launched || record.call.fence > 0 {
            // It was let in before, and only waits for a slot.
            return Ok(None);
        }
        let appointed = self.appointed_for(&record.number).await?;
        let (agent, rang_at_ms) = (&appointed.agent, record.call.rang_at.0);
        if agent.hours.as_ref().is_some_and(|hours| !hours.is_open(rang_at_ms)) {
            return Ok(Some(Ending::Closed));
        }
        if taken_for_no(self.is_over_budget(record, agent).await) {
            return Ok(Some(Ending::OverBudget));
        }
        let too_often = taken_for_no(self.is_called_too_often(record, agent).await);
        Ok(too_often.then_some(Ending::CalledTooOften))
    }

    async fn is_over_budget(&self, record: &StoredCall, agent: &Agent) -> anyhow::Result<bool> {
        let Some(dollars) = agent.caps.dollars_a_day else { return Ok(false) };
        let (day, cap) = (agent.day(record.call.rang_at.0), (dollars * 1e6) as u64);
        let spent = self.ledger.spent_on(&record.number, &day).await?;
        if spent.is_near(cap) && !spent.is_recorded && self.tells_of_cap(record, &day).await {
            let (spent_micro_dollars, cap_micro_dollars) = (spent.micro_dollars, cap);
            let near = Happened::CapNear { spent_micro_dollars, cap_micro_dollars };
            // The answer does not wait for the journal: a cap that is reached binds.
            if let Err(error) = self.note(Box::new(record.clone()), &near).await {
                let call_ref = record.call_ref();
                tracing::error!(call_ref, "Cannot write down that a day's cap is near: {error:#}");
            }
        }
        Ok(spent.micro_dollars >= cap)
    }

    async fn tells_of_cap(&self, record: &StoredCall, day: &str) -> bool {
        self.ledger.claim_cap_event(&record.number, day).await.unwrap_or_else(|error| {
            tracing::error!(call_ref = record.call_ref(), "Cannot tell that a day's cap is near: {error:#}");
            false
        })
    }

    /// Calls that were turned away do not count: who goes on trying gets through when the hour is over.
    async fn is_called_too_often(&self, record: &StoredCall, agent: &Agent) -> anyhow::Result<bool> {
        let mark = self.knocker.mark(&record.caller());
        let Some((most, mark)) = agent.caps.calls_an_hour.zip(mark) else { return Ok(false) };
        let (number, call_ref) = (&record.number, record.call_ref());
        let call = CallerCall { number, pseudonym: &mark, call_ref, rang_at_ms: record.call.rang_at.0 };
        let is_too_often = self.ledger.count_call(&call).await? >= most as usize;
        if is_too_often {
            self.ledger.uncount_call(&call).await?;
        }
        Ok(is_too_often)
    }
}

/// A table that cannot say how much there was turns nobody away.
fn taken_for_no(answer: anyhow::Result<bool>) -> bool {
    answer.unwrap_or_else(|error| {
        tracing::error!("Took a call without knowing whether a cap is reached: {error:#}");
        false
    })
}
