//! Counts the calls of one caller within an hour, for the limit on them.

use crate::error::{Context, Result};
use crate::items::{from_item, number, text};
use crate::table::all;
use crate::{CallListing, Store, keys};
use call::{CallRef, Line, NumberId};
use futures_util::future::try_join_all;
use std::time::Duration;

/// How long a call counts.
const COUNTED_FOR: Duration = Duration::from_secs(60 * 60);

/// The most calls that are looked at of a caller on other lines, the newest: one who is turned away again and again has many.
const LOOKED_AT: i32 = 50;

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
        let since = keys::rang_bound(an_hour_before(of.rang_at_ms), "");
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

    /// Returns the calls that a caller, by one of their pseudonyms, made on other lines than this one within the hour before `rang_at_ms`,
    /// without those that were turned away.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached, refuses the request, or holds an item that cannot be read.
    pub async fn calls_on_other_lines(
        &self,
        pseudonym: &str,
        line: Line,
        rang_at_ms: u64,
    ) -> Result<Vec<CallListing>> {
        let query = self.partition(keys::user(pseudonym)).consistent_read(true);
        let query = query
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :since AND :now")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":since", text(keys::rang_bound(an_hour_before(rang_at_ms), "")))
            .expression_attribute_values(":now", text(keys::rang_bound(rang_at_ms, "~")))
            .scan_index_forward(false)
            .limit(LOOKED_AT);
        let found = query.send().await.context("cannot query a caller's calls on other lines")?.items;
        let found = found.unwrap_or_default().into_iter().map(from_item::<CallListing>);
        let found: Vec<_> = found.collect::<Result<_, _>>().context("cannot parse a call of a caller")?;
        let others = found.into_iter().filter(|call| call.line != line.into());
        let listed = try_join_all(others.map(|call| self.listed(call))).await?;
        Ok(listed.into_iter().filter(|call| !call.is_turned_away()).collect())
    }

    /// Returns a call as its number's list has it: an item of its caller's list does not say how it ended.
    async fn listed(&self, call: CallListing) -> Result<CallListing> {
        let item = self.item(&keys::calls(&call.number), &call.place()).await?;
        let listed = item.map(from_item).transpose().context("cannot parse a call in the list")?;
        Ok(listed.unwrap_or(call))
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

fn an_hour_before(at_ms: u64) -> u64 {
    at_ms.saturating_sub(COUNTED_FOR.as_millis() as u64)
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
