//! Reads what Meta writes in more than one way.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// Ids come as text, and sometimes as numbers.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

/// Meta writes null for what there is none of, where it does not leave it out.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

pub(super) fn addresses<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let all: BTreeMap<String, Option<String>> = or_default(from)?;
    Ok(all.into_iter().filter_map(|(level, url)| Some((level, url?))).collect())
}

/// Fields come as objects with a name and a version; in older replies as names alone.
pub(super) fn names<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let fields: Vec<Value> = or_default(from)?;
    let name = |field: Value| field.as_str().or_else(|| field["name"].as_str()).map(str::to_owned);
    Ok(fields.into_iter().filter_map(name).collect())
}
