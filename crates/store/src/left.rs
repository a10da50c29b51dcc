//! What callers left for people: messages, and requests to be called back.

use crate::error::{Context, Result};
use crate::items::{Item, number, number_of};
use crate::{Store, keys};
use call::CallRef;
use std::fmt;

/// The attribute with what kind it is.
const KIND: &str = "kind";

/// The attribute with when it was left, ms since 1970.
const LEFT_AT: &str = "left_at_ms";

/// The attribute with when a person was done with it, ms since 1970.
const DONE_AT: &str = "done_at_ms";

/// A message or a request that a caller left.
#[derive(Clone, PartialEq)]
pub struct LeftItem {
    /// Its number in the call.
    pub n: u64,
    /// `message` or `callback`, or a word of a later release.
    pub kind: String,
    /// When it was left, ms since 1970.
    pub left_at_ms: u64,
    /// When it was marked as done, ms since 1970.
    pub done_at_ms: Option<u64>,
    /// All its attributes, with what the caller said.
    pub content: Item,
}

impl fmt::Debug for LeftItem {
    /// Leaves out what the caller said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeftItem").field("n", &self.n).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Store {
    /// Returns what the caller left in a call, in the order of its numbers.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn left_in(&self, call_ref: &CallRef) -> Result<Vec<LeftItem>> {
        let items = self.items_with_prefix(&keys::call(call_ref), keys::LEFT).await?;
        Ok(items.into_iter().filter_map(LeftItem::read).collect())
    }

    /// Marks what a caller left as done, and returns false if there is no such item.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn mark_left_done(&self, call_ref: &CallRef, n: u64, now_ms: u64) -> Result<bool> {
        let update = self.update_of(keys::call(call_ref), keys::left(n));
        let update = update
            .update_expression("SET #done = if_not_exists(#done, :now)")
            .condition_expression("attribute_exists(#kind)")
            .expression_attribute_names("#done", DONE_AT)
            .expression_attribute_names("#kind", KIND)
            .expression_attribute_values(":now", number(now_ms));
        let marked = update.send().await.if_condition_holds("cannot mark what a caller left as done")?;
        Ok(marked.is_some())
    }
}

impl LeftItem {
    fn read(content: Item) -> Option<Self> {
        let n = content.get("sk")?.as_s().ok()?.strip_prefix(keys::LEFT)?.parse().ok()?;
        let kind = content.get(KIND)?.as_s().ok()?.clone();
        let left_at_ms = number_of(&content, LEFT_AT).unwrap_or_default();
        let done_at_ms = number_of(&content, DONE_AT);
        Some(Self { n, kind, left_at_ms, done_at_ms, content })
    }
}
