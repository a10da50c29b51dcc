//! The summaries of calls, which their owners write.

use crate::Store;
use crate::error::{Context, Result};
use crate::items::{Item, text};
use crate::keys;
use crate::table::all;
use call::{CallRef, Fence};

impl Store {
    /// Returns the summary of a call: that of the owner whose line opened, else that of the last owner.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn summary(&self, call_ref: &CallRef) -> Result<Option<Item>> {
        let query = self.partition(keys::call(call_ref)).consistent_read(true);
        let query = query
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :summaries)")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":summaries", text(keys::SUMMARY));
        let found = all(query).await.context("cannot read a call's summary")?;
        Ok(found.into_iter().max_by_key(rank))
    }
}

/// Ranks the summaries of a call's owners. They are not added up: readers want the call in which people talked.
fn rank(item: &Item) -> Option<Fence> {
    let sk = item.get("sk")?.as_s().ok()?;
    if sk == keys::SUMMARY { Some(Fence(u64::MAX)) } else { keys::fence_of_summary(sk) }
}
