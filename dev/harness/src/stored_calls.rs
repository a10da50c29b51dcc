//! What the table holds of calls, as tests and benches read it: state, journal, transcript, summary.

use anyhow::Context;
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

    /// What is stored of a call.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn call(&self, call_ref: &str) -> anyhow::Result<Option<StoredCall>> {
        match self.0.load_call(call_ref).await? {
            LoadedCall::Found(record) => Ok(Some(*record)),
            LoadedCall::Missing | LoadedCall::EndOnly => Ok(None),
            LoadedCall::Unreadable(unreadable) => Err(unreadable.into()),
        }
    }

    /// The journal of a call, in order.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn journal(&self, call_ref: &str) -> anyhow::Result<Vec<JournalEntry>> {
        self.stored(call_ref, keys::EVENTS).await
    }

    /// Who said what in a call, in order.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn lines(&self, call_ref: &str) -> anyhow::Result<Vec<TranscriptLine>> {
        self.stored(call_ref, keys::LINES).await
    }

    /// What a caller left for people.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn left(&self, call_ref: &str) -> anyhow::Result<Vec<Value>> {
        self.stored(call_ref, keys::LEFT).await
    }

    /// A call in short, once its media task has written that; `None` if it does not within some seconds.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn summary(&self, call_ref: &str) -> anyhow::Result<Option<CallSummary>> {
        eventually(SUMMED_UP_WITHIN, || async { Ok(self.stored(call_ref, keys::SUMMARY).await?.pop()) }).await
    }

    /// Waits until what is stored of a call is as wished.
    ///
    /// # Errors
    /// When it is not within this time, or the table cannot be read.
    pub async fn call_until(
        &self,
        call_ref: &str,
        within: Duration,
        wished: impl Fn(&StoredCall) -> bool,
    ) -> anyhow::Result<StoredCall> {
        let found = eventually(within, || async { Ok(self.call(call_ref).await?.filter(&wished)) }).await?;
        found.with_context(|| format!("the call's state was not as expected within {within:?}"))
    }

    /// What is stored of a call under sort keys that begin like this, in their order.
    async fn stored<T: DeserializeOwned>(&self, call_ref: &str, prefix: &str) -> anyhow::Result<Vec<T>> {
        let found = self.0.items_with_prefix(&keys::call(call_ref), prefix).await?;
        found.into_iter().map(|item| Ok(store::items::from_item(item)?)).collect()
    }
}
