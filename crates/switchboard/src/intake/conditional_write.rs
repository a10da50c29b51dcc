//! Writes once: one conditional put, or one transaction of them, tried again while DynamoDB is busy.

use crate::call_store::CallStore;
use anyhow::Context;
use aws_sdk_dynamodb::types::TransactWriteItem;
use std::time::Duration;
use store::WriteError;
use store::items::Item;

/// How long to wait before each further try, ms. Somebody else is at the same call, and will soon be done.
const PAUSES_MS: [u64; 4] = [20, 60, 150, 400];

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    /// It is written.
    Now,
    /// Nothing is written, since of some items there was one before. Which.
    Before(Vec<bool>),
    /// Nothing is written, and never will be: DynamoDB's code.
    Unfit(String),
}

/// Waits before the next try, so often and no oftener.
#[derive(Default)]
struct WriteRetry {
    tries: usize,
}

impl WriteRetry {
    async fn with(&mut self, tried: Tried) -> anyhow::Result<Option<Written>> {
        match (tried, PAUSES_MS.get(self.tries)) {
            (Tried::Over(written), _) => Ok(Some(written)),
            (Tried::Busy(error), None) => Err(error),
            (Tried::Busy(_), Some(pause)) => {
                tokio::time::sleep(Duration::from_millis(*pause)).await;
                self.tries += 1;
                Ok(None)
            }
        }
    }
}

enum Tried {
    Over(Written),
    Busy(anyhow::Error),
}

impl CallStore {
    /// Puts an item where none is.
    pub(super) async fn put_once(&self, item: Item) -> anyhow::Result<Written> {
        let mut patience = WriteRetry::default();
        loop {
            if let Some(written) = patience.with(self.try_put(item.clone()).await?).await? {
                return Ok(written);
            }
        }
    }

    /// Writes all or nothing.
    pub(super) async fn write_all(&self, writes: Vec<TransactWriteItem>) -> anyhow::Result<Written> {
        let mut patience = WriteRetry::default();
        loop {
            if let Some(written) = patience.with(self.try_all(writes.clone()).await?).await? {
                return Ok(written);
            }
        }
    }

    async fn try_put(&self, item: Item) -> anyhow::Result<Tried> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put =
            put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk");
        let Err(error) = put.send().await else {
            return Ok(Tried::Over(Written::Now));
        };
        tried(WriteError::of(&error)).ok_or(error).context("cannot record a notice")
    }

    async fn try_all(&self, writes: Vec<TransactWriteItem>) -> anyhow::Result<Tried> {
        let write = self.client.transact_write_items().set_transact_items(Some(writes));
        let Err(error) = write.send().await else {
            return Ok(Tried::Over(Written::Now));
        };
        tried(WriteError::of_transaction(&error)).ok_or(error).context("cannot record a notice")
    }
}

/// What a refusal means for a write. `None`: something is wrong with DynamoDB.
fn tried(refusal: WriteError) -> Option<Tried> {
    match refusal {
        WriteError::Condition(before) => Some(Tried::Over(Written::Before(before))),
        WriteError::Unfit(code) => Some(Tried::Over(Written::Unfit(code))),
        WriteError::Conflict(code) | WriteError::Busy(code) => {
            Some(Tried::Busy(anyhow::anyhow!("DynamoDB is busy: {code}")))
        }
        WriteError::Denied(_) | WriteError::Unanswered => None,
    }
}
