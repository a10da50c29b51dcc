//! Conversion between Rust types and DynamoDB items.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashMap;

/// An item of the table, by attribute name.
pub type Item = HashMap<String, AttributeValue>;

/// Converts a value to an item. The value must be a struct or a map.
pub fn to_item<T: Serialize>(value: &T) -> Item {
    serde_dynamo::to_item(value).expect("our items are maps with text keys")
}

/// Converts an item to a value.
///
/// # Errors
/// Returns an error when the item does not have the shape of `T`.
pub fn from_item<T: DeserializeOwned>(item: Item) -> anyhow::Result<T> {
    Ok(serde_dynamo::from_item(item)?)
}

/// Returns a string attribute (`S`).
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Returns a number attribute (`N`).
pub fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Returns the item of a journal entry, with its keys.
pub fn entry_item(entry: &journal::JournalEntry) -> Item {
    let mut item = to_item(entry);
    item.insert("pk".to_owned(), text(crate::keys::call(&entry.call_ref)));
    item.insert("sk".to_owned(), text(crate::keys::event(entry.version, &entry.writer, entry.sequence)));
    item.insert(crate::keys::TTL.to_owned(), number(crate::keys::forget_at(entry.at_ms)));
    item
}
