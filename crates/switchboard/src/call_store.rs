//! Calls in DynamoDB: read whole, written only by those who read the latest version.

use crate::stored_call::StoredCall;
use crate::unreadable_calls::UnreadableCalls;
use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use internal_api::keys;
use journal::JournalEntry;
use std::time::Duration;
use store::WriteError;
use store::items::{Item, entry_item, from_item, number, text, to_item};

/// How long to wait before each further try of a write that was throttled, ms.
const PAUSES_MS: [u64; 4] = [20, 60, 150, 400];

/// The table, as far as it holds calls.
#[derive(Debug, Clone)]
pub struct CallStore {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// What is known of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Its state.
    Call(Box<StoredCall>),
    /// Nothing.
    Nothing,
    /// That it ended, before we heard that it began.
    OnlyItsEnd,
}

/// Why a call was not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveError {
    /// It was changed since it was read, or is being changed.
    Conflict,
    /// DynamoDB will never take what was to be written: its code.
    Unfit(String),
}

impl CallStore {
    /// The calls in `table`.
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.to_owned() }
    }

    /// What is known of a call.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked; [`Poisoned`] when it holds what we cannot read.
    pub async fn load(&self, call_ref: &str) -> anyhow::Result<Known> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", text(keys::call(call_ref))).key("sk", text(keys::STATE));
        let Some(item) = get.send().await.context("cannot read the call")?.item else {
            return Ok(Known::Nothing);
        };
        if !item.contains_key("call") {
            return Ok(Known::OnlyItsEnd);
        }
        let poisoned = |error: anyhow::Error| UnreadableCalls::unreadable(call_ref, &item, &error);
        Ok(Known::Call(Box::new(from_item(item.clone()).map_err(poisoned)?)))
    }

    /// Saves a call that was read at `record.version`, together with what happened. On success it is one version on.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn save(
        &self,
        record: &mut StoredCall,
        entries: &[JournalEntry],
    ) -> anyhow::Result<Result<(), SaveError>> {
        self.save_beside(record, entries, vec![]).await
    }

    /// The same, with more items that are written in place of those with their keys.
    pub(crate) async fn save_beside(
        &self,
        record: &mut StoredCall,
        entries: &[JournalEntry],
        beside: Vec<Item>,
    ) -> anyhow::Result<Result<(), SaveError>> {
        let read_at = record.version;
        let mut next = record.clone();
        next.version += 1;
        next.index();
        let state = self.put(to_item(&next)).condition_expression("#version = :read");
        let state = state
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":read", number(read_at));
        let mut write = self.client.transact_write_items().transact_items(item(state));
        for entry in entries {
            write = write.transact_items(item(self.put(entry_item(entry))));
        }
        for more in beside {
            write = write.transact_items(item(self.put(more)));
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

    /// The calls that a media task holds. Every call that is not over is in the index of what is due.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn held_by(&self, task: &str) -> anyhow::Result<Vec<String>> {
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
            let item = item.context("cannot ask which calls a media task holds")?;
            if holder(&item) != Some(task) {
                continue;
            }
            let call_ref = item.get("pk").and_then(|pk| keys::call_ref(pk.as_s().ok()?));
            held.extend(call_ref.map(str::to_owned));
        }
        Ok(held)
    }

    /// Takes a call of which only the end is known out of the index of what is due.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn lay_to_rest(&self, call_ref: &str) -> anyhow::Result<()> {
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
                Err(error).context("cannot lay a call to rest")
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    pub(crate) fn put(&self, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item))
    }
}

/// The task that has a call, as the index has it. What a release before wrote has it within the call, which a table's narrow index does
/// not hold; DynamoDB is not asked to filter by what an index may lack.
fn holder(item: &Item) -> Option<&str> {
    let within = || item.get("call")?.as_m().ok()?.get("seat")?.as_m().ok()?.get("task");
    item.get("held_by").or_else(within)?.as_s().ok().map(String::as_str)
}

pub(crate) fn item(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> TransactWriteItem {
    let put = put.build().expect("the table's name and the item are set");
    TransactWriteItem::builder().put(put).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_task_of_a_call_is_read_from_either_index() {
        let call = json!({"phase": "live", "seat": {"task": "t1", "fence": 1}});

        for (item, task) in [
            (json!({"pk": "CALL#a", "held_by": "t1"}), Some("t1")),
            (json!({"pk": "CALL#a", "call": call}), Some("t1")),
            (json!({"pk": "CALL#a", "held_by": "t2", "call": call}), Some("t2")),
            (json!({"pk": "CALL#a", "call": {"phase": "ringing", "seat": null}}), None),
        ] {
            assert_eq!(holder(&to_item(&item)), task, "{item}");
        }
    }
}
