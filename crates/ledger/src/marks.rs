//! Links between the marks of one person, whose user id or number at Meta has changed.

use crate::Ledger;
use crate::items::{Item, number, text};
use crate::table::all;
use anyhow::Context;
use protocol::keys;

impl Ledger {
    /// Keeps that these marks are one person's, until `forget_at_ms`.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn link_marks(&self, marks: &[String], forget_at_ms: u64) -> anyhow::Result<()> {
        let pairs = marks.iter().flat_map(|one| marks.iter().map(move |other| (one, other)));
        for (one, other) in pairs.filter(|(one, other)| one != other) {
            let item = Item::from([
                ("pk".to_owned(), text(keys::user(one))),
                ("sk".to_owned(), text(keys::also(other))),
                (keys::TTL.to_owned(), number(forget_at_ms / 1_000)),
            ]);
            self.put(item).await.context("cannot keep that two marks are one person's")?;
        }
        Ok(())
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
