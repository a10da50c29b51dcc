//! Deserializers for fields that Meta writes in more than one form.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// Reads an id, which may be a string or a number.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

/// Reads null as the default: Meta writes null for an empty field where it does not omit it.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

pub(super) fn addresses<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let all: BTreeMap<String, Option<String>> = or_default(from)?;
    Ok(all.into_iter().filter_map(|(level, url)| Some((level, url?))).collect())
}

/// Reads subscribed fields: objects with name and version, or names alone in older replies.
pub(super) fn names<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let fields: Vec<Value> = or_default(from)?;
    let name = |field: Value| field.as_str().or_else(|| field["name"].as_str()).map(str::to_owned);
    Ok(fields.into_iter().filter_map(name).collect())
}
