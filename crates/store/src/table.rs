//! The DynamoDB table: due calls, leases of media tasks, journals, and single items.

use crate::items::{Item, entry_item, from_item, text, to_item};
use crate::keys;
use crate::lease::Lease;
use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use journal::JournalEntry;

/// The DynamoDB table.
#[derive(Debug, Clone)]
pub struct Store {
    /// The client of DynamoDB.
    pub client: Client,
    /// The name of the table.
    pub table: String,
}

impl Store {
    /// Returns the table with this name.
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.to_owned() }
    }

    /// Returns all calls that are due for a tick by `now_ms`, the longest due first.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn due(&self, now_ms: u64) -> anyhow::Result<Vec<String>> {
        let query = self.index(keys::DUE).key_condition_expression("#pk = :pk AND #sk <= :now");
        let query = query
            .expression_attribute_names("#sk", "gsi1sk")
            .expression_attribute_values(":now", text(keys::sortable(now_ms)));
        let items = all(query).await.context("cannot query the due calls")?;
        let partitions = items.iter().filter_map(|item| item.get("pk")?.as_s().ok());
        Ok(partitions.filter_map(|pk| keys::call_ref(pk)).map(str::to_owned).collect())
    }

    /// Returns the leases of media tasks that take calls, expired ones included.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn ready_tasks(&self) -> anyhow::Result<Vec<Lease>> {
        let query = self.index(keys::READY).key_condition_expression("#pk = :pk");
        let items = all(query).await.context("cannot query the ready media tasks")?;
        // A lease that cannot be read, of a newer release for example, must not hide the others.
        Ok(items.into_iter().filter_map(|item| from_item(item).ok()).collect())
    }

    /// Returns the leases of all media tasks, those that take no calls included.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn tasks(&self) -> anyhow::Result<Vec<Lease>> {
        let closed = self.index(keys::CLOSED).key_condition_expression("#pk = :pk");
        let (mut tasks, closed) = tokio::try_join!(self.ready_tasks(), async {
            all(closed).await.context("cannot query the closed media tasks")
        })?;
        tasks.extend(closed.into_iter().filter_map(|item| from_item(item).ok()));
        Ok(tasks)
    }

    /// Returns the lease of a media task, if it has one.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn lease(&self, task: &str) -> anyhow::Result<Option<Lease>> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", text(keys::task(task))).key("sk", text(keys::LEASE));
        let item = get.send().await.context("cannot read a media task's lease")?.item;
        item.map(from_item).transpose()
    }

    /// Writes the lease of a media task, which only that task does.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn renew(&self, lease: &Lease) -> anyhow::Result<()> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(to_item(lease)));
        put.send().await.context("cannot write a media task's lease")?;
        Ok(())
    }

    /// Deletes the lease of a media task.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn delete_lease(&self, task: &str) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("pk", text(keys::task(task))).key("sk", text(keys::LEASE));
        delete.send().await.context("cannot delete a media task's lease")?;
        Ok(())
    }

    /// Writes a journal entry. Writing it twice is the same as writing it once.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn write(&self, entry: &JournalEntry) -> anyhow::Result<()> {
        self.put(entry_item(entry)).await.context("cannot write a journal entry")
    }

    /// Writes an item, replacing the one with its keys.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn put(&self, item: Item) -> anyhow::Result<()> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.context("cannot write an item")?;
        Ok(())
    }

    /// Returns the item with these keys, by a consistent read.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn item(&self, pk: &str, sk: &str) -> anyhow::Result<Option<Item>> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", text(pk)).key("sk", text(sk));
        Ok(get.send().await.context("cannot read an item")?.item)
    }

    /// Returns a query of a partition, whose key condition refers to it as `#pk = :pk`.
    pub fn partition(&self, pk: impl Into<String>) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table);
        query.expression_attribute_names("#pk", "pk").expression_attribute_values(":pk", text(pk))
    }

    pub(crate) fn index(&self, partition: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).index_name(keys::INDEX);
        query.expression_attribute_names("#pk", "gsi1pk").expression_attribute_values(":pk", text(partition))
    }
}

/// Returns the items that a query finds, on all its pages.
///
/// # Errors
/// Returns an error when DynamoDB cannot be reached or refuses the request.
pub async fn all(query: QueryFluentBuilder) -> anyhow::Result<Vec<Item>> {
    let mut pages = query.into_paginator().items().send();
    let mut items = vec![];
    while let Some(item) = pages.next().await {
        items.push(item?);
    }
    Ok(items)
}
