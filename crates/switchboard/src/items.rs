//! Between our types and DynamoDB's items.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashMap;

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn to_item<T: Serialize>(value: &T) -> Item {
    serde_dynamo::to_item(value).expect("our items are maps with text keys")
}

pub(crate) fn from_item<T: DeserializeOwned>(item: Item) -> anyhow::Result<T> {
    Ok(serde_dynamo::from_item(item)?)
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An entry of a call's journal, as an item.
pub(crate) fn entry_item(entry: &journal::Entry) -> Item {
    let mut item = to_item(entry);
    item.insert("pk".to_owned(), text(protocol::keys::call(&entry.call_ref)));
    item.insert("sk".to_owned(), text(protocol::keys::event(entry.version, &entry.writer, entry.sequence)));
    item
}
