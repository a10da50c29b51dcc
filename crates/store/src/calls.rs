//! The state items of calls, with optimistic locking: a save succeeds only against the version that was read.

use crate::error::{Context, ErrorKind, Result};
use crate::items::{Item, from_item, number, text, to_item};
use crate::journal_entries::entry_item;
use crate::table::{all, transact_put};
use crate::{OutboxItem, Store, StoredCall, UnreadableCall, keys, retry};
use call::{CallRef, TaskId};
use journal::JournalEntry;

/// The result of reading a call.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadedCall {
    /// The call's state item.
    Found(Box<StoredCall>),
    /// No item with this key.
    Missing,
    /// A call whose `terminate` arrived before its `connect`.
    EndOnly,
    /// An item that does not parse, of a newer release for instance.
    Unreadable(UnreadableCall),
}

/// The reason why a call was not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveError {
    /// Another process changed the call since it was read, or is changing it.
    Conflict,
    /// DynamoDB will never accept the item; holds its error code.
    Permanent(String),
}

impl Store {
    /// Reads a call with a strongly consistent read.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn load_call(&self, call_ref: &CallRef) -> Result<LoadedCall> {
        let item = self.item(&keys::call(call_ref), keys::STATE).await.context("cannot read the call")?;
        let Some(item) = item else { return Ok(LoadedCall::Missing) };
        if !item.contains_key("call") {
            return Ok(LoadedCall::EndOnly);
        }
        Ok(match from_item(item.clone()) {
            Ok(call) => LoadedCall::Found(Box::new(call)),
            Err(error) => LoadedCall::Unreadable(UnreadableCall::unreadable(call_ref, &item, &error)),
        })
    }

    /// Saves a call that was read at `record.version`, with its journal entries and `more` items, which overwrite those with their keys,
    /// and, if this save ends it, with its outcome for the business; increments the version.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request for a cause outside the call.
    pub async fn save_call(
        &self,
        record: &mut StoredCall,
        entries: &[JournalEntry],
        more: Vec<Item>,
        outcome: Option<&OutboxItem>,
    ) -> Result<Result<(), SaveError>> {
        let read_at = record.version;
        let mut next = record.clone();
        next.version += 1;
        next.update_index();
        let state = self.put_of(to_item(&next)).condition_expression("#version = :read");
        let state = state
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":read", number(read_at));
        let others = entries.iter().map(entry_item).chain(more).map(|item| transact_put(self.put_of(item)));
        let outcome = outcome.map(|outcome| self.outcome_write(outcome));
        let writes: Vec<_> = std::iter::once(transact_put(state)).chain(others).chain(outcome).collect();
        let Err(error) = retry::while_throttled(retry::WAITED_FOR, || self.transact(writes.clone())).await
        else {
            *record = next;
            return Ok(Ok(()));
        };
        match error.kind() {
            ErrorKind::Condition(_) | ErrorKind::Conflict(_) => Ok(Err(SaveError::Conflict)),
            ErrorKind::Permanent(code) => Ok(Err(SaveError::Permanent(code.clone()))),
            ErrorKind::Throttled(_)
            | ErrorKind::Denied(_)
            | ErrorKind::Unavailable
            | ErrorKind::Unreadable
            | ErrorKind::SpendingConflict => Err(error).context("cannot save the call"),
        }
    }

    /// Returns all calls that are due for a tick by `now_ms`, the longest due first.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn due(&self, now_ms: u64) -> Result<Vec<CallRef>> {
        let query = self.index(keys::DUE).key_condition_expression("#pk = :pk AND #sk <= :now");
        let query = query
            .expression_attribute_names("#sk", "gsi1sk")
            .expression_attribute_values(":now", text(keys::sortable(now_ms)));
        let items = all(query).await.context("cannot query the due calls")?;
        let partitions = items.iter().filter_map(|item| item.get("pk")?.as_s().ok());
        Ok(partitions.filter_map(|pk| keys::call_ref(pk)).collect())
    }

    /// Returns the calls assigned to a media task. Every call that is not over is in the index of due calls.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn calls_of_task(&self, task: &TaskId) -> Result<Vec<CallRef>> {
        let query = self.index(keys::DUE).key_condition_expression("#pk = :pk");
        let due = all(query).await.context("cannot query the calls of a media task")?;
        let held = due.iter().filter(|item| holding_task(item) == Some(task.as_str()));
        Ok(held.filter_map(|item| keys::call_ref(item.get("pk")?.as_s().ok()?)).collect())
    }

    /// Removes a call of which only the `terminate` is known from the index of due calls.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn retire_call(&self, call_ref: &CallRef) -> Result<()> {
        let update = self.update_of(keys::call(call_ref), keys::STATE);
        let update = update
            .update_expression("REMOVE #due, #when")
            .condition_expression("attribute_not_exists(#call)")
            .expression_attribute_names("#due", "gsi1pk")
            .expression_attribute_names("#when", "gsi1sk")
            .expression_attribute_names("#call", "call");
        update.send().await.if_condition_holds("cannot remove a call from the index of due calls")?;
        Ok(())
    }
}

/// Returns the task that holds a call, from an item of the index. The previous release stored it inside `call`, which a table's narrow
/// index does not project, so DynamoDB cannot filter by it.
fn holding_task(item: &Item) -> Option<&str> {
    let nested = || item.get("call")?.as_m().ok()?.get("seat")?.as_m().ok()?.get("task");
    item.get("held_by").or_else(nested)?.as_s().ok().map(String::as_str)
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
