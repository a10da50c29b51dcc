//! Counts the calls of one caller within an hour, for the limit on them.

use crate::Store;
use crate::error::{Context, Result};
use crate::items::{number, text};
use crate::keys;
use crate::table::all;
use call::{CallRef, NumberId};
use std::time::Duration;

/// How long a call counts.
const COUNTED_FOR: Duration = Duration::from_secs(60 * 60);

impl Store {
    /// Counts a caller's call, once even if repeated, and returns how many other calls they made within the hour before it.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn count_call(&self, of: &CallerCall<'_>) -> Result<usize> {
        let until_s = (of.rang_at_ms + 2 * COUNTED_FOR.as_millis() as u64) / 1_000;
        let put = self.client.put_item().table_name(&self.table);
        let put = put.item("pk", text(of.partition())).item("sk", text(of.sort_key()));
        put.item(keys::TTL, number(until_s)).send().await.context("cannot count a caller's call")?;
        let since = keys::rang_bound(of.rang_at_ms.saturating_sub(COUNTED_FOR.as_millis() as u64), "");
        let query = self.partition(of.partition()).consistent_read(true);
        let query = query
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :since AND :now")
            .projection_expression("#sk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":since", text(since))
            .expression_attribute_values(":now", text(of.sort_key()));
        let counted = all(query).await.context("cannot count a caller's calls")?;
        // This call may be uncounted again: another order turned it away meanwhile.
        let own = text(of.sort_key());
        Ok(counted.iter().filter(|call| call.get("sk") != Some(&own)).count())
    }

    /// Removes a caller's call from the count: it was turned away.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn uncount_call(&self, of: &CallerCall<'_>) -> Result<()> {
        let delete = self.delete_of(of.partition(), of.sort_key());
        delete.send().await.context("cannot uncount a caller's call")?;
        Ok(())
    }
}

/// A caller's call to a number.
#[derive(Debug, Clone, Copy)]
pub struct CallerCall<'a> {
    /// The phone number id of the business number.
    pub number: &'a NumberId,
    /// The caller's pseudonym.
    pub pseudonym: &'a str,
    /// The hex SHA-256 of Meta's call id.
    pub call_ref: &'a CallRef,
    /// When the call rang, ms since 1970: always the same for the same call.
    pub rang_at_ms: u64,
}

impl CallerCall<'_> {
    fn partition(&self) -> String {
        keys::caller(self.number, self.pseudonym)
    }

    fn sort_key(&self) -> String {
        keys::rang(self.rang_at_ms, self.call_ref)
    }
}
