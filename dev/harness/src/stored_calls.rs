//! Calls as the table holds them: state, journal, transcript, summary. For tests and benches.

use anyhow::Context;
use call::CallRef;
use journal::{CallSummary, JournalEntry, TranscriptLine};
use local::eventually;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use store::{LoadedCall, Store, StoredCall, keys};

/// A media task writes a call's summary within this, or never.
const SUMMED_UP_WITHIN: Duration = Duration::from_secs(5);

/// The calls of a table.
#[derive(Debug, Clone)]
pub struct StoredCalls(Store);

impl StoredCalls {
    /// The calls of this table.
    pub fn of(store: &Store) -> Self {
        Self(store.clone())
    }

    /// Returns the stored state of a call.
    pub async fn call(&self, call_ref: &CallRef) -> anyhow::Result<Option<StoredCall>> {
        match self.0.load_call(call_ref).await? {
            LoadedCall::Found(record) => Ok(Some(*record)),
            LoadedCall::Missing | LoadedCall::EndOnly => Ok(None),
            LoadedCall::Unreadable(unreadable) => Err(unreadable.into()),
        }
    }

    /// Returns the journal of a call, in order.
    pub async fn journal(&self, call_ref: &CallRef) -> anyhow::Result<Vec<JournalEntry>> {
        self.stored(call_ref, keys::EVENTS).await
    }

    /// Returns the transcript of a call, in order.
    pub async fn lines(&self, call_ref: &CallRef) -> anyhow::Result<Vec<TranscriptLine>> {
        self.stored(call_ref, keys::LINES).await
    }

    /// Returns the messages and callbacks that a caller left.
    pub async fn left(&self, call_ref: &CallRef) -> anyhow::Result<Vec<Value>> {
        self.stored(call_ref, keys::LEFT).await
    }

    /// Returns the summary of a call, once its media task has written it; `None` if it does not within some seconds.
    pub async fn summary(&self, call_ref: &CallRef) -> anyhow::Result<Option<CallSummary>> {
        eventually(SUMMED_UP_WITHIN, || async { Ok(self.stored(call_ref, keys::SUMMARY).await?.pop()) }).await
    }

    /// Waits until the stored state of a call meets a condition.
    pub async fn call_until(
        &self,
        call_ref: &CallRef,
        within: Duration,
        wished: impl Fn(&StoredCall) -> bool,
    ) -> anyhow::Result<StoredCall> {
        let found = eventually(within, || async { Ok(self.call(call_ref).await?.filter(&wished)) }).await?;
        found.with_context(|| format!("the call's state was not as expected within {within:?}"))
    }

    /// Waits until a call has ended and nothing is left to do for it.
    pub async fn settled(&self, call_ref: &CallRef, within: Duration) -> anyhow::Result<StoredCall> {
        self.call_until(call_ref, within, |record| record.call.has_ended() && record.call.due.is_none()).await
    }

    /// Returns the items of a call whose sort keys begin with this, in order.
    async fn stored<T: DeserializeOwned>(&self, call_ref: &CallRef, prefix: &str) -> anyhow::Result<Vec<T>> {
        let found = self.0.items_with_prefix(&keys::call(call_ref), prefix).await?;
        found.into_iter().map(|item| Ok(store::items::from_item(item)?)).collect()
    }
}
