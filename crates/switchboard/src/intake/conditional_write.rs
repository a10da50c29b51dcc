//! Writes items only where none exist, with one conditional put or one transaction, and retries while DynamoDB is busy.

use crate::call_store::CallStore;
use anyhow::Context;
use aws_sdk_dynamodb::types::TransactWriteItem;
use std::time::Duration;
use store::WriteError;
use store::items::Item;

/// The pauses before each retry, ms: another process is writing the same call and will soon be done.
const PAUSES_MS: [u64; 4] = [20, 60, 150, 400];

/// The result of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    Done,
    /// Nothing is written, because some items exist already: which ones, in the order of the writes.
    Exists(Vec<bool>),
    /// Nothing is written, and never will be; holds DynamoDB's error code.
    Unfit(String),
}

/// Waits before each retry, until the pauses are used up.
#[derive(Default)]
struct WriteRetry {
    tries: usize,
}

impl WriteRetry {
    async fn next(&mut self, attempt: Attempt) -> anyhow::Result<Option<Written>> {
        match (attempt, PAUSES_MS.get(self.tries)) {
            (Attempt::Over(written), _) => Ok(Some(written)),
            (Attempt::Busy(error), None) => Err(error),
            (Attempt::Busy(_), Some(pause)) => {
                tokio::time::sleep(Duration::from_millis(*pause)).await;
                self.tries += 1;
                Ok(None)
            }
        }
    }
}

enum Attempt {
    Over(Written),
    Busy(anyhow::Error),
}

impl CallStore {
    /// Puts an item if none has its key.
    pub(super) async fn put_once(&self, item: Item) -> anyhow::Result<Written> {
        let mut retry = WriteRetry::default();
        loop {
            if let Some(written) = retry.next(self.try_put(item.clone()).await?).await? {
                return Ok(written);
            }
        }
    }

    /// Writes all items, or none.
    pub(super) async fn write_all(&self, writes: Vec<TransactWriteItem>) -> anyhow::Result<Written> {
        let mut retry = WriteRetry::default();
        loop {
            if let Some(written) = retry.next(self.try_transaction(writes.clone()).await?).await? {
                return Ok(written);
            }
        }
    }

    async fn try_put(&self, item: Item) -> anyhow::Result<Attempt> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put =
            put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk");
        let Err(error) = put.send().await else {
            return Ok(Attempt::Over(Written::Done));
        };
        classify(WriteError::of(&error)).ok_or(error).context("cannot record a notice")
    }

    async fn try_transaction(&self, writes: Vec<TransactWriteItem>) -> anyhow::Result<Attempt> {
        let write = self.client.transact_write_items().set_transact_items(Some(writes));
        let Err(error) = write.send().await else {
            return Ok(Attempt::Over(Written::Done));
        };
        classify(WriteError::of_transaction(&error)).ok_or(error).context("cannot record a notice")
    }
}

/// Classifies a failed write; `None` when DynamoDB itself fails.
fn classify(refusal: WriteError) -> Option<Attempt> {
    match refusal {
        WriteError::Condition(before) => Some(Attempt::Over(Written::Exists(before))),
        WriteError::Unfit(code) => Some(Attempt::Over(Written::Unfit(code))),
        WriteError::Conflict(code) | WriteError::Busy(code) => {
            Some(Attempt::Busy(anyhow::anyhow!("DynamoDB is busy: {code}")))
        }
        WriteError::Denied(_) | WriteError::Unanswered => None,
    }
}
