//! Events of later releases: kept as they were written, and shown by name alone.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// An event that this release does not know: its name, and its fields as they were read.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct OtherEvent(Map<String, Value>);

impl OtherEvent {
    /// Returns the event's name.
    pub fn name(&self) -> &str {
        self.0["event"].as_str().expect("it was read with a name")
    }

    /// Returns the event without its fields: which of them are personal is not known.
    pub(crate) fn without_fields(&self) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(name, _)| *name == "event")
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }

    /// Removes a field that is not the event's own.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }
}

impl TryFrom<Map<String, Value>> for OtherEvent {
    type Error = &'static str;

    fn try_from(fields: Map<String, Value>) -> Result<Self, Self::Error> {
        match fields.get("event") {
            Some(Value::String(_)) => Ok(Self(fields)),
            Some(_) | None => Err("an event has a name"),
        }
    }
}

impl fmt::Debug for OtherEvent {
    /// Writes the name without the fields.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OtherEvent").field(&self.name()).finish()
    }
}
