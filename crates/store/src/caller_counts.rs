//! How often one caller rings, counted so that it can be capped.

use crate::Store;
use crate::items::{number, text};
use crate::table::all;
use anyhow::Context;
use internal_api::keys;
use std::time::Duration;

/// So long a caller's calls count.
const WINDOW: Duration = Duration::from_secs(60 * 60);

impl Store {
    /// Counts a caller's call, once however often it is asked for. How many others they made within the hour before it.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn count_call(&self, of: &CallerCall<'_>) -> anyhow::Result<usize> {
        let until_s = (of.rang_at_ms + 2 * WINDOW.as_millis() as u64) / 1_000;
        let put = self.client.put_item().table_name(&self.table);
        let put = put.item("pk", text(of.partition())).item("sk", text(of.place()));
        put.item(keys::TTL, number(until_s)).send().await.context("cannot count a caller's call")?;
        let since = keys::rang(of.rang_at_ms.saturating_sub(WINDOW.as_millis() as u64), "");
        let query = self.partition(of.partition()).consistent_read(true);
        let query = query
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :since AND :now")
            .projection_expression("#sk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":since", text(since))
            .expression_attribute_values(":now", text(of.place()));
        let counted = all(query).await.context("cannot count a caller's calls")?;
        // Its own may be gone again: it was turned away meanwhile, on another order.
        let own = text(of.place());
        Ok(counted.iter().filter(|call| call.get("sk") != Some(&own)).count())
    }

    /// Does not count a caller's call any more: it was turned away.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn uncount_call(&self, of: &CallerCall<'_>) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("pk", text(of.partition())).key("sk", text(of.place()));
        delete.send().await.context("cannot uncount a caller's call")?;
        Ok(())
    }
}

/// A caller's call to a number.
#[derive(Debug, Clone, Copy)]
pub struct CallerCall<'a> {
    /// The number's id.
    pub number: &'a str,
    /// The caller's mark.
    pub mark: &'a str,
    /// The call.
    pub call_ref: &'a str,
    /// When it rang, ms since 1970: always the same for the same call.
    pub rang_at_ms: u64,
}

impl CallerCall<'_> {
    fn partition(&self) -> String {
        keys::caller(self.number, self.mark)
    }

    fn place(&self) -> String {
        keys::rang(self.rang_at_ms, self.call_ref)
    }
}
