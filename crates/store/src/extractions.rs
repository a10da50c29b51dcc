//! What a text model extracted from a call's transcript: kept once, with its cost counted to the number's day.

use crate::error::{Context, Result};
use crate::items::{Item, number, text};
use crate::table::Written;
use crate::{Store, keys};
use call::{CallRef, NumberId};

impl Store {
    /// Keeps what was extracted from a call until `forget_at`, seconds since 1970, and counts its cost to the number's day, `yyyy-mm-dd`;
    /// returns false, and does neither, if it was kept before.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn keep_extraction(
        &self,
        call_ref: &CallRef,
        extraction: Item,
        forget_at: u64,
        of: &NumberId,
        day: &str,
        micro_dollars: u64,
    ) -> Result<bool> {
        let mut item = extraction;
        item.insert("pk".to_owned(), text(keys::call(call_ref)));
        item.insert("sk".to_owned(), text(keys::EXTRACT));
        item.insert(keys::TTL.to_owned(), number(forget_at));
        let writes = vec![self.put_if_absent(item), self.add_spent(of, day, micro_dollars)];
        match self.write_all(writes, "cannot keep what was extracted from a call").await? {
            Written::Done => Ok(true),
            Written::Exists(_) | Written::Permanent(_) => Ok(false),
        }
    }

    /// Deletes what was extracted from a call.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn delete_extraction(&self, call_ref: &CallRef) -> Result<()> {
        let delete = self.delete_of(keys::call(call_ref), keys::EXTRACT);
        delete.send().await.context("cannot delete what was extracted from a call")?;
        Ok(())
    }

    /// Deletes what was kept of a call whose model gave nothing.
    pub(crate) async fn delete_failed_extraction(&self, call_ref: &CallRef) -> Result<()> {
        let delete = self.delete_of(keys::call(call_ref), keys::EXTRACT);
        let delete = delete
            .condition_expression("#outcome = :failed")
            .expression_attribute_names("#outcome", "outcome")
            .expression_attribute_values(":failed", text("failed"));
        delete.send().await.if_condition_holds("cannot delete that nothing was extracted from a call")?;
        Ok(())
    }
}
