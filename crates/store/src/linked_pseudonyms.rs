//! Links between the pseudonyms of one person, whose user id or phone number at Meta has changed.

use crate::Store;
use crate::error::{Context, Result};
use crate::items::{number, text};
use crate::keys;
use crate::table::all;
use std::collections::BTreeSet;

impl Store {
    /// Links these pseudonyms as one person's, until `forget_at_ms`.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn link_pseudonyms(&self, pseudonyms: &[String], forget_at_ms: u64) -> Result<()> {
        let pairs = pseudonyms.iter().flat_map(|one| pseudonyms.iter().map(move |other| (one, other)));
        for (one, other) in pairs.filter(|(one, other)| one != other) {
            self.link(one, other, forget_at_ms).await?;
        }
        Ok(())
    }

    /// Links these pseudonyms, and all that any of them is linked to, until `forget_at_ms`.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn keep_linked(&self, pseudonyms: &[String], forget_at_ms: u64) -> Result<()> {
        let mut all: BTreeSet<String> = pseudonyms.iter().cloned().collect();
        let mut new: Vec<String> = pseudonyms.to_vec();
        while let Some(pseudonym) = new.pop() {
            let others = self.other_pseudonyms(&pseudonym).await?;
            new.extend(others.into_iter().filter(|other| all.insert(other.clone())));
        }
        self.link_pseudonyms(&all.into_iter().collect::<Vec<_>>(), forget_at_ms).await
    }

    /// Writes one link, unless it is kept for longer already.
    async fn link(&self, one: &str, other: &str, forget_at_ms: u64) -> Result<()> {
        let update = self.update_of(keys::user(one), keys::also(other));
        let update = update
            .update_expression("SET #ttl = :until")
            .condition_expression("attribute_not_exists(#ttl) OR #ttl < :until")
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":until", number(forget_at_ms / 1_000));
        update.send().await.if_condition_holds("cannot link two pseudonyms")?;
        Ok(())
    }

    /// Whether one of these pseudonyms has calls, or is linked to one that had.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn is_any_known(&self, pseudonyms: &[String]) -> Result<bool> {
        for pseudonym in pseudonyms {
            let query = self.partition(keys::user(pseudonym)).consistent_read(true);
            let query = query.key_condition_expression("#pk = :pk").limit(1);
            let found = query.send().await.context("cannot look up a pseudonym")?;
            if found.count() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the other pseudonyms of a person.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn other_pseudonyms(&self, pseudonym: &str) -> Result<Vec<String>> {
        let query = self.partition(keys::user(pseudonym)).consistent_read(true);
        let query = query
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :also)")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":also", text(keys::ALSO));
        let found = all(query).await.context("cannot read the links of a pseudonym")?;
        let pseudonyms =
            found.iter().filter_map(|item| item.get("sk")?.as_s().ok()?.strip_prefix(keys::ALSO));
        Ok(pseudonyms.map(str::to_owned).collect())
    }
}
