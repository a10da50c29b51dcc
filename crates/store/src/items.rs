//! Conversion between Rust types and DynamoDB items.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};
use std::borrow::Cow;
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
pub fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, ItemError> {
    serde_dynamo::from_item(item).map_err(ItemError)
}

/// An item that does not have the shape of the wanted type.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ItemError(serde_dynamo::Error);

/// Returns every text in an attribute, at any depth; bytes as far as they are UTF-8.
pub fn texts(value: &AttributeValue) -> Vec<Cow<'_, str>> {
    match value {
        AttributeValue::S(text) => vec![text.into()],
        AttributeValue::B(bytes) => vec![String::from_utf8_lossy(bytes.as_ref())],
        AttributeValue::L(values) => values.iter().flat_map(texts).collect(),
        AttributeValue::M(values) => values.values().flat_map(texts).collect(),
        AttributeValue::Ss(texts) => texts.iter().map(Cow::from).collect(),
        _ => vec![],
    }
}

/// Returns a number attribute of an item.
pub fn number_of(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// Returns a string attribute (`S`).
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Returns a number attribute (`N`).
pub fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
