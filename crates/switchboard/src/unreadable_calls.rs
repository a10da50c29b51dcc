//! Ends calls whose item cannot be read or saved: at Meta after a few ticks, then taken out of the index, so that they are not ticked for
//! the thirty days until DynamoDB deletes them.

use crate::Switchboard;
use internal_api::order::{Order, Reply};
use journal::{EntryBuilder, EntryContext, JournalEvent};
use std::time::Duration;
use store::UnreadableCall;
use whatsapp::{Graph, GraphError};

/// The least number of ticks before the call is ended, together with [`MIN_WAIT`]: during a deployment one release may read what another
/// wrote.
const MIN_TICKS: u64 = 3;
/// The least time before the call is ended.
const MIN_WAIT: Duration = Duration::from_secs(20);

/// The number of ticks after which the call is set aside even without an answer from Meta.
const MAX_TICKS: u64 = 10;

/// What a tick does about the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing yet: the item may be readable next time.
    Wait,
    /// End it at Meta, and set it aside once Meta has answered.
    End,
    /// End it at Meta, and set it aside even without an answer.
    EndAndSetAside,
}

impl Switchboard {
    /// Replies to an order about such a call. Only ticks count towards setting it aside: every other order is retried a few times at most.
    pub(crate) async fn reply_about(
        &self,
        order: &Order,
        unreadable: UnreadableCall,
    ) -> anyhow::Result<Reply> {
        match order {
            Order::Tick { .. } => self.tick_unreadable(&unreadable).await.map(|()| Reply::Over),
            Order::MediaConnected { .. }
            | Order::TaskEnded { .. }
            | Order::SendMessage { .. }
            | Order::TransferCall { .. }
            | Order::CallerLookedUp { .. }
            | Order::MessageFailed { .. }
            | Order::UserChanged { .. } => Err(unreadable.into()),
        }
    }

    async fn tick_unreadable(&self, unreadable: &UnreadableCall) -> anyhow::Result<()> {
        let call_ref = &unreadable.call_ref;
        if unreadable.is_set_aside {
            // The webhook made the call due again.
            self.store.set_call_aside(call_ref).await?;
            return Ok(());
        }
        let Some((tries, since_ms)) = self.store.count_unreadable_tick(call_ref, self.now().0).await? else {
            return Ok(());
        };
        if tries == 1 {
            tracing::warn!(%call_ref, "the call's item {}; the next tick tries again", unreadable.why);
        }
        let waited = Duration::from_millis(self.now().0.saturating_sub(since_ms));
        let next = next(tries, waited);
        if next == Next::Wait {
            return Ok(());
        }
        let is_answered = self.end_at_line(unreadable).await;
        if (is_answered || next == Next::EndAndSetAside) && self.store.set_call_aside(call_ref).await? {
            self.report_set_aside(unreadable, is_answered).await;
        }
        Ok(())
    }

    /// Ends the call where its line's service has it, and returns whether that has answered.
    async fn end_at_line(&self, unreadable: &UnreadableCall) -> bool {
        match &unreadable.realtime_call {
            Some(call) => self.openai.end(call).await,
            None => self.end_at_meta(unreadable).await,
        }
    }

    /// Ends the call with `terminate`, or `reject` if Meta refuses that, and returns whether Meta has answered.
    async fn end_at_meta(&self, unreadable: &UnreadableCall) -> bool {
        let Some((number, wacid)) = &unreadable.at_meta else { return true };
        let end = async |graph: &Graph| match graph.terminate(number.as_str(), wacid).await {
            Err(error) if !error.is_worth_another_try() => graph.reject(number.as_str(), wacid).await,
            ended => ended,
        };
        let ended = self.send_to_meta(end, |ended| ended.as_ref().err()).await;
        !ended.is_err_and(|error: GraphError| error.is_worth_another_try())
    }

    async fn report_set_aside(&self, unreadable: &UnreadableCall, is_answered: bool) {
        let unanswered = if is_answered { "" } else { "; Meta did not answer when it was to be ended" };
        let reason = format!("{}{unanswered}", unreadable.why);
        let given_up = JournalEvent::GivenUp { what: "item".to_owned(), reason };
        // The call's version is unknown, so the entry has version 0, under a writer name of its own: it cannot overwrite another entry of
        // the call.
        let context = EntryContext { line: unreadable.line().into(), ..EntryContext::default() };
        let mut journal = EntryBuilder::new(&unreadable.call_ref, "call-control-aside", None, 0).at(context);
        let entry = journal.enter(given_up, self.now().0);
        (self.log)(&entry);
        if let Err(error) = self.store.write(&entry).await {
            tracing::warn!(
                call_ref = %unreadable.call_ref,
                "cannot write the journal entry that the call is set aside: {error:#}"
            );
        }
    }
}

fn next(tries: u64, waited: Duration) -> Next {
    if tries < MIN_TICKS || waited < MIN_WAIT {
        Next::Wait
    } else if tries < MAX_TICKS {
        Next::End
    } else {
        Next::EndAndSetAside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_an_item_aside_after_enough_ticks_and_time() {
        let (soon, later) = (Duration::from_secs(19), Duration::from_secs(20));

        assert_eq!(next(1, later), Next::Wait);
        assert_eq!(next(100, soon), Next::Wait, "many tasks tick at once");
        assert_eq!(next(3, later), Next::End);
        assert_eq!(next(10, later), Next::EndAndSetAside);
    }
}
