//! What the business gets after a call: which events, and what is extracted from the transcript.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt;
use url::Url;

/// The business's endpoint that gets the outcome of calls.
#[derive(Clone, PartialEq)]
pub struct After {
    /// The URL: https, or http to a loopback host.
    pub url: Url,
    /// The name of the secret that signs each delivery, never the secret itself.
    pub sign_with: String,
    /// The events that are delivered; the end of a call by default.
    pub on: Vec<AfterEvent>,
    /// Whether the transcript is delivered; off by default.
    pub transcript: bool,
    /// Whether the caller's number, user id and name are delivered; off by default.
    pub tells_caller: bool,
    /// What a text model extracts from the transcript.
    pub extract: Option<Extract>,
}

impl fmt::Debug for After {
    /// Leaves out path and query, which belong to the operator.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("After")
            .field("host", &self.url.host_str())
            .field("on", &self.on)
            .field("transcript", &self.transcript)
            .field("tells_caller", &self.tells_caller)
            .field("extracts", &self.extract.is_some())
            .finish_non_exhaustive()
    }
}

/// An event that is delivered to the business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum AfterEvent {
    /// A call is over that was not turned away, answered or not.
    #[serde(rename = "call.ended")]
    CallEnded,
    /// A call was turned away.
    #[serde(rename = "call.rejected")]
    CallRejected,
    /// The caller left a message.
    #[serde(rename = "message.taken")]
    MessageTaken,
    /// The caller wants to be called back.
    #[serde(rename = "callback.requested")]
    CallbackRequested,
    /// The agent asks for a transfer to a person.
    #[serde(rename = "call.person_wanted")]
    PersonWanted,
    /// Four fifths of the day's spending cap are reached.
    #[serde(rename = "spending.near_cap")]
    NearCap,
}

impl AfterEvent {
    /// Every event.
    pub const ALL: [Self; 6] = [
        Self::CallEnded,
        Self::CallRejected,
        Self::MessageTaken,
        Self::CallbackRequested,
        Self::PersonWanted,
        Self::NearCap,
    ];

    /// Returns the name that agent files and deliveries use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CallEnded => "call.ended",
            Self::CallRejected => "call.rejected",
            Self::MessageTaken => "message.taken",
            Self::CallbackRequested => "callback.requested",
            Self::PersonWanted => "call.person_wanted",
            Self::NearCap => "spending.near_cap",
        }
    }
}

impl fmt::Display for AfterEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a text model extracts from the transcript.
#[derive(Debug, Clone, PartialEq)]
pub struct Extract {
    /// The text model, by OpenAI's name.
    pub model: String,
    /// Whether a summary is written; off by default.
    pub summary: bool,
    /// The JSON Schema of each field, completed to OpenAI's strict subset.
    pub properties: Map<String, Value>,
}

impl Extract {
    /// Returns the strict JSON Schema of the model's reply: an object with `summary` and `extracted`, each only if the
    /// file asks for it.
    pub fn schema(&self) -> Value {
        let mut parts = Map::new();
        if self.summary {
            let description = "What the caller wanted and what came of it, in at most 60 words.";
            parts.insert("summary".to_owned(), json!({"type": "string", "description": description}));
        }
        if !self.properties.is_empty() {
            parts.insert("extracted".to_owned(), strict_object(self.properties.clone()));
        }
        strict_object(parts)
    }
}

/// Returns the schema of an object in which every property is required and no other is allowed.
pub(crate) fn strict_object(properties: Map<String, Value>) -> Value {
    let required: Vec<&String> = properties.keys().collect();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_read_by_its_name() {
        for event in AfterEvent::ALL {
            assert_eq!(serde_json::from_value::<AfterEvent>(json!(event.as_str())).ok(), Some(event));
        }
    }

    #[test]
    fn the_schema_has_only_what_the_file_asks_for() {
        let extract = |summary, properties: Value| {
            let properties = serde_json::from_value(properties).expect("an object");
            Extract { model: "m".to_owned(), summary, properties }.schema()
        };
        let required = |schema: Value| schema["required"].clone();

        assert_eq!(required(extract(true, json!({}))), json!(["summary"]));
        assert_eq!(required(extract(false, json!({"a": {}}))), json!(["extracted"]));
        let both = extract(true, json!({"b": {"type": "string"}, "a": {"type": "integer"}}));
        assert_eq!(both["properties"]["extracted"]["required"], json!(["a", "b"]));
        assert_eq!(both["additionalProperties"], json!(false));
    }
}
