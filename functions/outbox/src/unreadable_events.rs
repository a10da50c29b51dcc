//! Events whose items this release cannot read: they wait as long as others do for a later release, which may follow a rollback.

use crate::Outbox;
use deliveries::{NextStep, NoReply, TryResult, next_step};
use journal::{EntryBuilder, EntryContext, JournalEvent};
use service::time::now_ms;
use store::OutboxKey;

impl Outbox {
    /// Puts off a claimed event that cannot be read; after the last try it is set aside, which the journal of its call says.
    pub(crate) async fn put_off_unreadable(
        &self,
        key: &OutboxKey,
        tries: u32,
        claimed_until_ms: u64,
    ) -> anyhow::Result<()> {
        let OutboxKey { call_ref, event, .. } = key;
        let now_ms = now_ms();
        let why = NoReply::Unreadable;
        match next_step(TryResult::None(why), tries, now_ms) {
            NextStep::Again(due_ms) => {
                tracing::warn!(%call_ref, what = %event, "cannot read an event of the outbox, it waits for a later release");
                self.store.put_off_unreadable(key, claimed_until_ms, due_ms).await?;
            }
            NextStep::Delivered | NextStep::Refused | NextStep::GiveUp => {
                self.store.set_event_aside(key, now_ms).await?;
                let (what, why, tries) = (event.to_string(), why.word().to_owned(), u64::from(tries));
                let given_up = JournalEvent::AfterGivenUp { what, status: None, why, tries };
                let journal = EntryBuilder::new(call_ref, &format!("outbox-{event}"), None, 0);
                let mut entry = journal.at(EntryContext::default()).enter(given_up, now_ms);
                entry.sequence = tries;
                service::events::report(&entry);
                self.store.write(&entry).await?;
            }
        }
        Ok(())
    }
}
