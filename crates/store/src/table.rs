//! The DynamoDB table: its client, and the requests that modules of several kinds of item share.

use crate::error::{Context, ErrorKind, Result};
use crate::items::{Item, text};
use crate::{keys, retry};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{DeleteRequest, Put, TransactWriteItem, WriteRequest};
use std::time::Duration;

/// BatchWriteItem's limit of requests.
const BATCH: usize = 25;

/// The pause before unprocessed deletes are sent again.
const UNPROCESSED_PAUSE: Duration = Duration::from_millis(100);

/// An item's partition key and sort key.
pub type Key = (String, String);

/// The DynamoDB table.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl Store {
    /// Returns the table with this name.
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.to_owned() }
    }

    /// Returns the table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Writes an item, replacing the one with its keys.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn put(&self, item: Item) -> Result<()> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.context("cannot write an item")?;
        Ok(())
    }

    /// Returns the item with these keys, by a consistent read.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn item(&self, pk: &str, sk: &str) -> Result<Option<Item>> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", text(pk)).key("sk", text(sk));
        Ok(get.send().await.context("cannot read an item")?.item)
    }

    /// Returns the items of a partition with their keys alone, by a consistent read.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn keys_in_partition(&self, pk: &str) -> Result<Vec<Key>> {
        let query = self.partition(pk).consistent_read(true).key_condition_expression("#pk = :pk");
        let query = query.projection_expression("#pk, #sk").expression_attribute_names("#sk", "sk");
        let found = all(query).await.context("cannot query stored items")?;
        Ok(found.iter().filter_map(key_of).collect())
    }

    /// Returns the items of a partition whose sort keys begin with a prefix, in their order, by a consistent read.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn items_with_prefix(&self, pk: &str, prefix: &str) -> Result<Vec<Item>> {
        let query = self.partition(pk).consistent_read(true);
        if prefix.is_empty() {
            return all(query.key_condition_expression("#pk = :pk")).await;
        }
        let query = query
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":prefix", text(prefix));
        all(query).await
    }

    /// Hands every item of the table to `each`: only what no list leads to is worth reading the whole table.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn scan(&self, mut each: impl FnMut(Item)) -> Result<()> {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        let mut pages = scan.into_paginator().items().send();
        while let Some(item) = pages.next().await {
            each(item.context("cannot scan the table")?);
        }
        Ok(())
    }

    /// Deletes the items with these keys, twenty-five at a time.
    ///
    /// # Errors
    /// Returns an error when DynamoDB cannot be reached or refuses the request.
    pub async fn delete_items(&self, keys: impl IntoIterator<Item = &Key>) -> Result<()> {
        let keys: Vec<_> = keys.into_iter().collect();
        for some in keys.chunks(BATCH) {
            let requests = some.iter().map(|(pk, sk)| {
                let delete = DeleteRequest::builder().key("pk", text(pk)).key("sk", text(sk));
                let delete = delete.build().expect("the key is set");
                WriteRequest::builder().delete_request(delete).build()
            });
            let mut rest = Some([(self.table.clone(), requests.collect())].into());
            while let Some(asked) = rest.take() {
                let write = self.client.batch_write_item().set_request_items(Some(asked)).send().await;
                let left = write.context("cannot delete items")?.unprocessed_items;
                rest = left.filter(|left| !left.is_empty());
                if rest.is_some() {
                    tokio::time::sleep(UNPROCESSED_PAUSE).await;
                }
            }
        }
        Ok(())
    }

    /// Puts an item if none has its key, again while DynamoDB throttles or another transaction holds the key.
    pub(crate) async fn put_once(&self, item: Item, operation: &'static str) -> Result<Written> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put =
            put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", "pk");
        let put = retry::while_contended(retry::WAITED_FOR, || {
            let put = put.clone();
            async { put.send().await.context(operation) }
        });
        Written::of(put.await.map(drop))
    }

    /// Writes all items or none, again while DynamoDB throttles or another transaction holds a key.
    pub(crate) async fn write_all(
        &self,
        writes: Vec<TransactWriteItem>,
        operation: &'static str,
    ) -> Result<Written> {
        let write = retry::while_contended(retry::WAITED_FOR, || self.transact(writes.clone()));
        Written::of(write.await.context(operation))
    }

    /// Writes all items or none, once.
    pub(crate) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<()> {
        let write = self.client.transact_write_items().set_transact_items(Some(writes));
        write.send().await.context("cannot write items")?;
        Ok(())
    }

    /// Returns an update of the item with these keys.
    pub(crate) fn update_of(&self, pk: impl Into<String>, sk: impl Into<String>) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk))
    }

    /// Returns the deletion of the item with these keys.
    pub(crate) fn delete_of(&self, pk: impl Into<String>, sk: impl Into<String>) -> DeleteItemFluentBuilder {
        self.client.delete_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk))
    }

    /// Returns the put of an item, as part of a transaction.
    pub(crate) fn put_of(&self, item: Item) -> PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item))
    }

    /// Returns the put of an item where none has its key, as part of a transaction.
    pub(crate) fn put_if_absent(&self, item: Item) -> TransactWriteItem {
        let put = self.put_of(item).condition_expression("attribute_not_exists(#pk)");
        transact_put(put.expression_attribute_names("#pk", "pk"))
    }

    /// Returns a query of a partition, whose key condition refers to it as `#pk = :pk`.
    pub(crate) fn partition(&self, pk: impl Into<String>) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table);
        query.expression_attribute_names("#pk", "pk").expression_attribute_values(":pk", text(pk))
    }

    /// Returns a query of a partition of the index, whose key condition refers to it as `#pk = :pk`.
    pub(crate) fn index(&self, partition: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).index_name(keys::INDEX);
        query.expression_attribute_names("#pk", "gsi1pk").expression_attribute_values(":pk", text(partition))
    }
}

/// The result of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Everything is written.
    Done,
    /// Nothing is written, because some items exist already: which ones, in the order of the writes.
    Exists(Vec<bool>),
    /// Nothing is written, and never will be; holds DynamoDB's error code.
    Permanent(String),
}

impl Written {
    fn of(result: Result<()>) -> Result<Self> {
        let Err(error) = result else { return Ok(Self::Done) };
        match error.kind() {
            ErrorKind::Condition(exist) => Ok(Self::Exists(exist.clone())),
            ErrorKind::Permanent(code) => Ok(Self::Permanent(code.clone())),
            _ => Err(error),
        }
    }
}

pub(crate) fn transact_put(put: PutBuilder) -> TransactWriteItem {
    TransactWriteItem::builder().put(put.build().expect("the table's name and the item are set")).build()
}

/// Returns the items that a query finds, on all its pages.
pub(crate) async fn all(query: QueryFluentBuilder) -> Result<Vec<Item>> {
    let mut pages = query.into_paginator().items().send();
    let mut items = vec![];
    while let Some(item) = pages.next().await {
        items.push(item.context("cannot query items")?);
    }
    Ok(items)
}

/// Returns the keys of an item.
pub fn key_of(item: &Item) -> Option<Key> {
    let part = |name| Some(item.get(name)?.as_s().ok()?.clone());
    Some((part("pk")?, part("sk")?))
}
