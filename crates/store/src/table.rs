//! The one table, as far as functions and media tasks share it.

use crate::items::{Item, entry_item, from_item, text, to_item};
use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use internal_api::keys;
use internal_api::lease::Lease;
use journal::JournalEntry;

/// The table.
#[derive(Debug, Clone)]
pub struct Store {
    /// DynamoDB.
    pub client: Client,
    /// The table's name.
    pub table: String,
}

impl Store {
    /// The table of this name.
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.to_owned() }
    }

    /// All calls that want a tick by `now_ms`, the longest due first.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn due(&self, now_ms: u64) -> anyhow::Result<Vec<String>> {
        let query = self.index(keys::DUE).key_condition_expression("#pk = :pk AND #sk <= :now");
        let query = query
            .expression_attribute_names("#sk", "gsi1sk")
            .expression_attribute_values(":now", text(keys::sortable(now_ms)));
        let items = all(query).await.context("cannot ask which calls are due")?;
        let partitions = items.iter().filter_map(|item| item.get("pk")?.as_s().ok());
        Ok(partitions.filter_map(|pk| keys::call_ref(pk)).map(str::to_owned).collect())
    }

    /// The media tasks that say they take calls.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn ready_tasks(&self) -> anyhow::Result<Vec<Lease>> {
        let query = self.index(keys::READY).key_condition_expression("#pk = :pk");
        let items = all(query).await.context("cannot ask which media tasks are ready")?;
        // One that cannot be read, of a newer release say, must not hide the others.
        Ok(items.into_iter().filter_map(|item| from_item(item).ok()).collect())
    }

    /// The media tasks in the registry, those that take no calls included.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn tasks(&self) -> anyhow::Result<Vec<Lease>> {
        let closed = self.index(keys::CLOSED).key_condition_expression("#pk = :pk");
        let (mut tasks, closed) = tokio::try_join!(self.ready_tasks(), async {
            all(closed).await.context("cannot ask which media tasks take no calls")
        })?;
        tasks.extend(closed.into_iter().filter_map(|item| from_item(item).ok()));
        Ok(tasks)
    }

    /// The lease of a media task, if it has one.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn lease(&self, task: &str) -> anyhow::Result<Option<Lease>> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", text(keys::task(task))).key("sk", text(keys::LEASE));
        let item = get.send().await.context("cannot read a media task's lease")?.item;
        item.map(from_item).transpose()
    }

    /// Writes a media task's lease: it is the only one who does.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn renew(&self, lease: &Lease) -> anyhow::Result<()> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(to_item(lease)));
        put.send().await.context("cannot renew the lease")?;
        Ok(())
    }

    /// Takes a media task out of the registry.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn give_up_lease(&self, task: &str) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("pk", text(keys::task(task))).key("sk", text(keys::LEASE));
        delete.send().await.context("cannot give up the lease")?;
        Ok(())
    }

    /// Writes an entry of a call's journal. Writing it twice is writing it once.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn write(&self, entry: &JournalEntry) -> anyhow::Result<()> {
        self.put(entry_item(entry)).await.context("cannot write to a call's journal")
    }

    /// Writes an item, in place of the one with its keys.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn put(&self, item: Item) -> anyhow::Result<()> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.context("cannot write to the table")?;
        Ok(())
    }

    /// An item by its keys, as it is now.
    ///
    /// # Errors
    /// When DynamoDB cannot be asked.
    pub async fn item(&self, pk: &str, sk: &str) -> anyhow::Result<Option<Item>> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", text(pk)).key("sk", text(sk));
        Ok(get.send().await.context("cannot read an item")?.item)
    }

    /// A query of a partition; its key condition knows it as `#pk = :pk`.
    pub fn partition(&self, pk: impl Into<String>) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table);
        query.expression_attribute_names("#pk", "pk").expression_attribute_values(":pk", text(pk))
    }

    pub(crate) fn index(&self, partition: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).index_name(keys::INDEX);
        query.expression_attribute_names("#pk", "gsi1pk").expression_attribute_values(":pk", text(partition))
    }
}

/// What a query finds, on every page of it.
///
/// # Errors
/// When DynamoDB cannot be asked.
pub async fn all(query: QueryFluentBuilder) -> anyhow::Result<Vec<Item>> {
    let mut pages = query.into_paginator().items().send();
    let mut items = vec![];
    while let Some(item) = pages.next().await {
        items.push(item?);
    }
    Ok(items)
}
