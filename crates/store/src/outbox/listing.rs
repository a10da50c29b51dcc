//! Reads the outbox: of a call, and by how far deliveries are.

use super::{OutboxItem, OutboxKey};
use crate::error::{Context, Result};
use crate::items::{Item, from_item, text};
use crate::table::key_of;
use crate::{Store, keys};
use call::CallRef;

impl Store {
    /// Returns the events of a call that this release can read.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn outbox_of(&self, call_ref: &CallRef) -> Result<Vec<OutboxItem>> {
        Ok(readable(self.items_with_prefix(&keys::call(call_ref), keys::AFTER).await?))
    }

    /// Returns the events that wait, the next due first, as many as `at_most`.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn waiting_in_outbox(&self, at_most: u32) -> Result<Vec<OutboxItem>> {
        self.outbox_page(keys::OUTBOX, 0, true, at_most).await
    }

    /// Returns the events that were refused or given up since a time, ms since 1970, the latest first, as many as `at_most`.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn failed_in_outbox(&self, since_ms: u64, at_most: u32) -> Result<Vec<OutboxItem>> {
        self.outbox_page(keys::OUTBOX_FAILED, since_ms, false, at_most).await
    }

    /// Returns the events that were delivered since a time, ms since 1970, the latest first, as many as `at_most`.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn delivered_from_outbox(&self, since_ms: u64, at_most: u32) -> Result<Vec<OutboxItem>> {
        self.outbox_page(keys::OUTBOX_DELIVERED, since_ms, false, at_most).await
    }

    /// Reads a partition of the index, which projects the keys alone, and then the items.
    async fn outbox_page(
        &self,
        partition: &str,
        since_ms: u64,
        is_forward: bool,
        at_most: u32,
    ) -> Result<Vec<OutboxItem>> {
        let query = self.index(partition).key_condition_expression("#pk = :pk AND #sk >= :since");
        let query = query
            .expression_attribute_names("#sk", "gsi1sk")
            .expression_attribute_values(":since", text(keys::sortable(since_ms)))
            .scan_index_forward(is_forward)
            .limit(i32::try_from(at_most).unwrap_or(i32::MAX));
        let page = query.send().await.context("cannot query the outbox")?;
        let wanted: Vec<_> = page.items.unwrap_or_default().iter().filter_map(key_of).collect();
        let mut found = readable(self.items(&wanted).await?);
        let place =
            |item: &OutboxItem| wanted.iter().position(|key| *key == (item.pk.clone(), item.sk.clone()));
        found.sort_by_key(place);
        Ok(found)
    }
}

/// Returns the names of the items of the outbox among these.
pub(super) fn keys_of(items: &[Item]) -> Vec<OutboxKey> {
    items.iter().filter_map(key_of).filter_map(|(pk, sk)| OutboxKey::read(&pk, &sk)).collect()
}

fn readable(items: Vec<Item>) -> Vec<OutboxItem> {
    items.into_iter().filter_map(|item| from_item(item).ok()).collect()
}
