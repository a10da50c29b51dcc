//! The journal of a call: its events, in the order of the versions of its state.

use crate::error::{Context, Result};
use crate::items::{Item, from_item, number, text, to_item};
use crate::table::all;
use crate::{Store, keys};
use call::CallRef;
use journal::JournalEntry;

impl Store {
    /// Writes a journal entry. Writing it twice is the same as writing it once.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn write(&self, entry: &JournalEntry) -> Result<()> {
        self.put(entry_item(entry)).await.context("cannot write a journal entry")
    }

    /// Returns all items of a call but its state and its summaries, which sort after them: journal, transcript, what its caller left.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn items_before_state(&self, call_ref: &CallRef) -> Result<Vec<Item>> {
        let query =
            self.partition(keys::call(call_ref)).key_condition_expression("#pk = :pk AND #sk < :state");
        let query = query
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":state", text(keys::STATE));
        all(query).await.context("cannot read the call")
    }

    /// Returns the journal of a call, in order, without entries that this release cannot parse.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn journal_of(&self, call_ref: &CallRef) -> Result<Vec<JournalEntry>> {
        let query = self.partition(keys::call(call_ref));
        let query = query
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :events)")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":events", text(keys::EVENTS));
        let items = all(query).await.context("cannot read a call's journal")?;
        Ok(items.into_iter().filter_map(|item| from_item(item).ok()).collect())
    }
}

/// Returns the item of a journal entry, with its keys.
pub fn entry_item(entry: &JournalEntry) -> Item {
    let mut item = to_item(entry);
    item.insert("pk".to_owned(), text(keys::call(&entry.call_ref)));
    item.insert("sk".to_owned(), text(keys::event(entry.version, &entry.writer, entry.sequence)));
    item.insert(keys::TTL.to_owned(), number(keys::forget_at(entry.at_ms)));
    item
}
