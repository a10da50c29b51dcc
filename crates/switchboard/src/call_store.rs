//! The state items of calls in DynamoDB, with optimistic locking: a save succeeds only against the version that was read.

use crate::stored_call::StoredCall;
use crate::unreadable_calls::UnreadableCalls;
use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use journal::JournalEntry;
use std::time::Duration;
use store::WriteError;
use store::items::{Item, entry_item, from_item, number, text, to_item};
use store::keys;

/// The pauses before each retry of a throttled write, ms.
const PAUSES_MS: [u64; 4] = [20, 60, 150, 400];

/// The calls' items in the table.
#[derive(Debug, Clone)]
pub struct CallStore {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// The result of reading a call.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadedCall {
    /// The call's state item.
    Found(Box<StoredCall>),
    /// No item with this key.
    Missing,
    /// A call whose `terminate` arrived before its `connect`.
    EndOnly,
}

/// The reason why a call was not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveError {
    /// Another process changed the call since it was read, or is changing it.
    Conflict,
    /// DynamoDB will never accept the item; holds its error code.
    Unfit(String),
}

impl CallStore {
    /// Returns the calls in `table`.
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.to_owned() }
    }

    /// Reads a call with a strongly consistent read.
    ///
    /// # Errors
    /// When DynamoDB fails; [`UnreadableCalls`] when the item cannot be parsed.
    pub async fn load(&self, call_ref: &str) -> anyhow::Result<LoadedCall> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", text(keys::call(call_ref))).key("sk", text(keys::STATE));
        let Some(item) = get.send().await.context("cannot read the call")?.item else {
            return Ok(LoadedCall::Missing);
        };
        if !item.contains_key("call") {
            return Ok(LoadedCall::EndOnly);
        }
        let unreadable = |error: anyhow::Error| UnreadableCalls::unreadable(call_ref, &item, &error);
        Ok(LoadedCall::Found(Box::new(from_item(item.clone()).map_err(unreadable)?)))
    }

    /// Saves a call that was read at `record.version` with its journal entries, and increments the version.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn save(
        &self,
        record: &mut StoredCall,
        entries: &[JournalEntry],
    ) -> anyhow::Result<Result<(), SaveError>> {
        self.save_with(record, entries, vec![]).await
    }

    /// Saves a call like [`save`](Self::save), together with `more` items, which overwrite those with their keys.
    pub(crate) async fn save_with(
        &self,
        record: &mut StoredCall,
        entries: &[JournalEntry],
        more: Vec<Item>,
    ) -> anyhow::Result<Result<(), SaveError>> {
        let read_at = record.version;
        let mut next = record.clone();
        next.version += 1;
        next.update_index();
        let state = self.put(to_item(&next)).condition_expression("#version = :read");
        let state = state
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":read", number(read_at));
        let mut write = self.client.transact_write_items().transact_items(transact_put(state));
        for entry in entries {
            write = write.transact_items(transact_put(self.put(entry_item(entry))));
        }
        for item in more {
            write = write.transact_items(transact_put(self.put(item)));
        }
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            let Err(error) = write.clone().send().await else {
                *record = next;
                return Ok(Ok(()));
            };
            match (WriteError::of_transaction(&error), pauses.next()) {
                (WriteError::Condition(_) | WriteError::Conflict(_), _) => {
                    return Ok(Err(SaveError::Conflict));
                }
                (WriteError::Unfit(code), _) => return Ok(Err(SaveError::Unfit(code))),
                (WriteError::Busy(_), Some(pause)) => tokio::time::sleep(Duration::from_millis(pause)).await,
                (WriteError::Busy(_) | WriteError::Denied(_) | WriteError::Unanswered, _) => {
                    return Err(error).context("cannot save the call");
                }
            }
        }
    }

    /// Returns the calls assigned to a media task. Every call that is not over is in the index of due calls.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub(crate) async fn held_by(&self, task: &str) -> anyhow::Result<Vec<String>> {
        let query = self.client.query().table_name(&self.table).index_name(keys::INDEX);
        let mut pages = query
            .key_condition_expression("#due = :due")
            .expression_attribute_names("#due", "gsi1pk")
            .expression_attribute_values(":due", text(keys::DUE))
            .into_paginator()
            .items()
            .send();
        let mut held = vec![];
        while let Some(item) = pages.next().await {
            let item = item.context("cannot query the calls of a media task")?;
            if holding_task(&item) != Some(task) {
                continue;
            }
            let call_ref = item.get("pk").and_then(|pk| keys::call_ref(pk.as_s().ok()?));
            held.extend(call_ref.map(str::to_owned));
        }
        Ok(held)
    }

    /// Removes a call of which only the `terminate` is known from the index of due calls.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub(crate) async fn retire(&self, call_ref: &str) -> anyhow::Result<()> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update.key("pk", text(keys::call(call_ref))).key("sk", text(keys::STATE));
        let update = update
            .update_expression("REMOVE #due, #when")
            .condition_expression("attribute_not_exists(#call)")
            .expression_attribute_names("#due", "gsi1pk")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#call", "call");
        match update.send().await {
            Err(error) if !matches!(WriteError::of(&error), WriteError::Condition(_)) => {
                Err(error).context("cannot remove a call from the index of due calls")
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    pub(crate) fn put(&self, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item))
    }
}

/// Returns the task that holds a call, from an item of the index. The previous release stored it inside `call`, which a table's narrow
/// index does not project, so DynamoDB cannot filter by it.
fn holding_task(item: &Item) -> Option<&str> {
    let nested = || item.get("call")?.as_m().ok()?.get("seat")?.as_m().ok()?.get("task");
    item.get("held_by").or_else(nested)?.as_s().ok().map(String::as_str)
}

pub(crate) fn transact_put(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> TransactWriteItem {
    let put = put.build().expect("the table's name and the item are set");
    TransactWriteItem::builder().put(put).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_the_holding_task_from_either_index() {
        let call = json!({"phase": "live", "seat": {"task": "t1", "fence": 1}});

        for (item, task) in [
            (json!({"pk": "CALL#a", "held_by": "t1"}), Some("t1")),
            (json!({"pk": "CALL#a", "call": call}), Some("t1")),
            (json!({"pk": "CALL#a", "held_by": "t2", "call": call}), Some("t2")),
            (json!({"pk": "CALL#a", "call": {"phase": "ringing", "seat": null}}), None),
        ] {
            assert_eq!(holding_task(&to_item(&item)), task, "{item}");
        }
    }
}
