//! Links between the marks of one person, whose user id or number at Meta has changed.

use crate::items::{number, text};
use crate::table::all;
use crate::{Store, WriteError};
use anyhow::Context;
use internal_api::keys;
use std::collections::BTreeSet;

impl Store {
    /// Keeps that these marks are one person's, until `forget_at_ms`.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn link_marks(&self, marks: &[String], forget_at_ms: u64) -> anyhow::Result<()> {
        let pairs = marks.iter().flat_map(|one| marks.iter().map(move |other| (one, other)));
        for (one, other) in pairs.filter(|(one, other)| one != other) {
            self.link(one, other, forget_at_ms)
                .await
                .context("cannot keep that two marks are one person's")?;
        }
        Ok(())
    }

    /// Keeps until `forget_at_ms` that these marks are one person's, and those that any of them is linked to.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn keep_linked(&self, marks: &[String], forget_at_ms: u64) -> anyhow::Result<()> {
        let mut all: BTreeSet<String> = marks.iter().cloned().collect();
        let mut new: Vec<String> = marks.to_vec();
        while let Some(mark) = new.pop() {
            let others = self.other_marks(&mark).await?;
            new.extend(others.into_iter().filter(|other| all.insert(other.clone())));
        }
        self.link_marks(&all.into_iter().collect::<Vec<_>>(), forget_at_ms).await
    }

    /// A link that is kept for longer already stays so.
    async fn link(&self, one: &str, other: &str, forget_at_ms: u64) -> anyhow::Result<()> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update
            .key("pk", text(keys::user(one)))
            .key("sk", text(keys::also(other)))
            .update_expression("SET #ttl = :until")
            .condition_expression("attribute_not_exists(#ttl) OR #ttl < :until")
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":until", number(forget_at_ms / 1_000));
        match update.send().await {
            Err(error) if !matches!(WriteError::of(&error), WriteError::Condition(_)) => Err(error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Whether one of these marks has calls, or is linked to one that had.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn is_any_known(&self, marks: &[String]) -> anyhow::Result<bool> {
        for mark in marks {
            let query = self.partition(keys::user(mark)).consistent_read(true);
            let query = query.key_condition_expression("#pk = :pk").limit(1);
            let found = query.send().await.context("cannot ask whether a mark is known")?;
            if found.count() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Drops a notice about a number, once what it says is kept otherwise.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn drop_notice(&self, number: &str, notice: &str) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        delete
            .key("pk", text(number))
            .key("sk", text(notice))
            .send()
            .await
            .context("cannot drop a notice")?;
        Ok(())
    }

    /// The other marks of a person.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn other_marks(&self, mark: &str) -> anyhow::Result<Vec<String>> {
        let query = self.partition(keys::user(mark)).consistent_read(true);
        let query = query
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :also)")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":also", text(keys::ALSO));
        let found = all(query).await.context("cannot ask for the other marks of a person")?;
        let marks = found.iter().filter_map(|item| item.get("sk")?.as_s().ok()?.strip_prefix(keys::ALSO));
        Ok(marks.map(str::to_owned).collect())
    }
}
