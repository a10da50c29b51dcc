//! Writes once: one conditional put, or one transaction of them, tried again while DynamoDB is busy.

use crate::store::Store;
use anyhow::Context;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use ledger::items::Item;
use std::time::Duration;

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
struct Patience {
    tries: usize,
}

impl Patience {
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

impl Store {
    /// Puts an item where none is.
    pub(super) async fn put_once(&self, item: Item) -> anyhow::Result<Written> {
        let mut patience = Patience::default();
        loop {
            if let Some(written) = patience.with(self.try_put(item.clone()).await?).await? {
                return Ok(written);
            }
        }
    }

    /// Writes all or nothing.
    pub(super) async fn write_all(&self, writes: Vec<TransactWriteItem>) -> anyhow::Result<Written> {
        let mut patience = Patience::default();
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
        let code = error.code().unwrap_or_default().to_owned();
        tried(&[code]).unwrap_or_else(|| Err(error.into())).context("cannot record a notice")
    }

    async fn try_all(&self, writes: Vec<TransactWriteItem>) -> anyhow::Result<Tried> {
        let write = self.client.transact_write_items().set_transact_items(Some(writes));
        let Err(error) = write.send().await else {
            return Ok(Tried::Over(Written::Now));
        };
        let codes = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                cancelled.cancellation_reasons().iter().map(code_of).collect()
            }
            _ => vec![error.code().unwrap_or_default().to_owned()],
        };
        tried(&codes).unwrap_or_else(|| Err(error.into())).context("cannot record a notice")
    }
}

fn code_of(reason: &CancellationReason) -> String {
    reason.code().unwrap_or_default().to_owned()
}

/// What the codes of the items, or the one of the whole request, mean. `None`: something is wrong with DynamoDB.
///
/// A conflict says nothing about a repeat: whoever was at the item may yet fail.
fn tried(codes: &[String]) -> Option<anyhow::Result<Tried>> {
    let find = |known: &[&str]| codes.iter().find(|code| known.iter().any(|known| code.starts_with(known)));
    let never = ["ValidationE", "ItemCollectionSizeLimitExceeded"];
    let busy = [
        "TransactionConflict",
        "TransactionInProgress",
        "Throttling",
        "ProvisionedThroughput",
        "RequestLimit",
    ];
    if let Some(code) = find(&never) {
        return Some(Ok(Tried::Over(Written::Unfit(code.clone()))));
    }
    if let Some(code) = find(&busy) {
        return Some(Ok(Tried::Busy(anyhow::anyhow!("DynamoDB is busy: {code}"))));
    }
    let before: Vec<bool> = codes.iter().map(|code| code.starts_with("ConditionalCheckFailed")).collect();
    before.contains(&true).then_some(Ok(Tried::Over(Written::Before(before))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failed_condition_is_a_repeat() {
        assert_eq!(over(&["None", "ConditionalCheckFailed"]), Some(Written::Before(vec![false, true])));
        assert_eq!(over(&["ConditionalCheckFailedException"]), Some(Written::Before(vec![true])));
        assert!(is_busy(&["ConditionalCheckFailed", "TransactionConflict"]));
        assert!(is_busy(&["ThrottlingError", "None"]));
        assert!(is_busy(&["TransactionConflictException"]));
    }

    #[test]
    fn what_dynamodb_will_never_take_is_told_from_trouble_with_it() {
        assert_eq!(over(&["None", "ValidationError"]), Some(Written::Unfit("ValidationError".into())));
        assert_eq!(over(&["ValidationException"]), Some(Written::Unfit("ValidationException".into())));
        assert!(tried(&["AccessDeniedException".to_owned()]).is_none());
        assert!(tried(&[String::new()]).is_none());
    }

    fn over(codes: &[&str]) -> Option<Written> {
        match read(codes)? {
            Tried::Over(written) => Some(written),
            Tried::Busy(_) => None,
        }
    }

    fn is_busy(codes: &[&str]) -> bool {
        matches!(read(codes), Some(Tried::Busy(_)))
    }

    fn read(codes: &[&str]) -> Option<Tried> {
        let codes: Vec<_> = codes.iter().map(|code| (*code).to_owned()).collect();
        tried(&codes)?.ok()
    }
}
