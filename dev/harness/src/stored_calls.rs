//! What the table holds of calls, as tests and benches read it: state, journal, transcript, summary.

use anyhow::Context;
use aws_sdk_dynamodb::types::AttributeValue;
use journal::{CallSummary, JournalEntry, TranscriptLine};
use local::eventually;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use store::Store;
use store::keys;
use switchboard::call_store::LoadedCall;
use switchboard::{CallStore, StoredCall};

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
        let store = CallStore::new(self.0.client.clone(), &self.0.table);
        Ok(match store.load(call_ref).await? {
            LoadedCall::Found(record) => Some(*record),
            LoadedCall::Missing | LoadedCall::EndOnly => None,
        })
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
        let query = self.0.client.query().table_name(&self.0.table).consistent_read(true);
        let found = query
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":pk", AttributeValue::S(keys::call(call_ref)))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .send()
            .await?;
        found.items.unwrap_or_default().into_iter().map(store::items::from_item).collect()
    }
}
