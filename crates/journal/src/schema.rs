//! The schema of the journal events, derived from the enum, and the page that is generated from it.

mod page;

pub use page::page;

use crate::{JournalEvent, Level};
use serde_json::{Map, Value, json};

/// An event, as the schema describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSchema {
    /// The event's name: `WA_CALL_…`.
    pub name: String,
    /// The event's doc comment.
    pub meaning: String,
    /// The severity; where it depends on fields, that of an event whose fields are empty or zero.
    pub level: Level,
    /// The event's fields.
    pub fields: Vec<FieldSchema>,
}

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSchema {
    /// The field's name.
    pub name: String,
    /// The unit of a number, or the kind of another value.
    pub unit: &'static str,
    /// Whether the field may be missing.
    pub is_optional: bool,
    /// The field's doc comment.
    pub meaning: String,
}

/// The fields that every line has: name, unit, meaning.
pub const COMMON: [(&str, &str, &str); 12] = [
    (
        "timestamp",
        "text",
        "The time of `at_ms` in RFC 3339: Lambda takes the level only of lines that have one.",
    ),
    ("level", "text", "The severity: `INFO`, `WARN` (handled) or `ERROR` (an operator should look)."),
    ("call_ref", "text", "The call: hex SHA-256 of Meta's call id. Missing where there is no call."),
    ("at_ms", "ms", "When the event happened, since 1970, by the writer's clock."),
    (
        "since_ring_ms",
        "ms",
        "The time since the call began to ring. Missing where the writer does not know it.",
    ),
    (
        "phase",
        "text",
        "The call's phase: `ringing`, `answering`, `talking` or `over`, if the writer knows it.",
    ),
    (
        "line",
        "text",
        "The line that the call came in on: `sip`. Missing on WhatsApp, and where there is no call.",
    ),
    (
        "number",
        "text",
        "The business number: Meta's phone number id; on the telephone line, the name that it was given.",
    ),
    ("task", "text", "The media task that had the call, or that the event is about."),
    ("version", "number", "The version of the call's state that the writer knew. Events sort by it first,"),
    ("writer", "text", "then by the process that wrote them,"),
    ("sequence", "number", "then by their position among what it wrote at that version."),
];

/// Returns the schema of every event, in the order of the enum.
pub fn events() -> Vec<EventSchema> {
    let schema = schemars::schema_for!(JournalEvent);
    tagged_variants(schema.as_value()).map(event_schema).collect()
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    schema["oneOf"].as_array().or(schema["anyOf"].as_array())
}

/// Returns the tagged variants, without the one that takes every unknown event.
fn tagged_variants(schema: &Value) -> impl Iterator<Item = &Value> {
    let outer = alternatives(schema).expect("an enum is one of its variants").iter();
    let all = outer
        .flat_map(move |variant| alternatives(variant).map_or(std::slice::from_ref(variant), Vec::as_slice));
    all.filter(|variant| variant["properties"]["event"]["const"].is_string())
}

fn event_schema(variant: &Value) -> EventSchema {
    let name = variant["properties"]["event"]["const"].as_str().expect("the tag has the event's name");
    EventSchema {
        name: name.to_owned(),
        meaning: meaning(variant),
        level: empty_event(name, variant).level(),
        fields: properties(variant).map(|(name, field)| self::field(name, field, variant)).collect(),
    }
}

fn field(name: &str, field: &Value, variant: &Value) -> FieldSchema {
    let is_required = variant["required"].as_array().is_some_and(|names| names.contains(&json!(name)));
    FieldSchema {
        name: name.to_owned(),
        unit: unit(name, field),
        is_optional: !is_required,
        meaning: meaning(field),
    }
}

/// Returns the unit of a field, which its name ends with.
fn unit(name: &str, field: &Value) -> &'static str {
    match (name.rsplit('_').next(), kind(field)) {
        (_, "string") => "text",
        (_, "boolean") => "true or false",
        (_, "array") => "numbers",
        (Some("ms"), _) => "ms",
        (Some("s"), _) => "s",
        (Some("permille"), _) => "of a thousand",
        (Some("dollars"), _) => "millionths of a dollar",
        (Some("up" | "down"), _) => "hundredths",
        (Some(_) | None, _) => "number",
    }
}

/// Returns the event of this name with empty texts and zero numbers.
fn empty_event(name: &str, variant: &Value) -> JournalEvent {
    let mut event = Map::from_iter([("event".to_owned(), json!(name))]);
    event.extend(properties(variant).map(|(name, field)| {
        let nothing = match kind(field) {
            "string" => json!(""),
            "boolean" => json!(false),
            "array" => json!([]),
            _ => json!(0),
        };
        (name.to_owned(), nothing)
    }));
    serde_json::from_value(Value::Object(event)).expect("the schema says what the event is read from")
}

fn properties(variant: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let properties = variant["properties"].as_object().into_iter().flatten();
    properties.map(|(name, field)| (name.as_str(), field)).filter(|(name, _)| *name != "event")
}

/// Returns the first of the field's types: the second of an optional field is `null`.
fn kind(field: &Value) -> &str {
    field["type"].as_str().or(field["type"][0].as_str()).unwrap_or_default()
}

fn meaning(described: &Value) -> String {
    let text = described["description"].as_str().expect("every event and field has a doc comment");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_has_names_units_and_levels() {
        let events = events();

        assert!(events.iter().all(|event| event.name.starts_with("WA_CALL_")), "{events:?}");
        let turn = events.iter().find(|event| event.name == "WA_CALL_TURN").expect("there are turns");
        let took = turn.fields.iter().find(|field| field.name == "took_ms").expect("they take time");
        assert_eq!((turn.level, took.unit, took.is_optional), (Level::Info, "ms", false));
    }

    #[test]
    fn no_event_field_shadows_a_common_field() {
        let common = |name: &str| COMMON.iter().any(|(common, ..)| *common == name);
        let hides =
            |field: &&FieldSchema| common(&field.name) && !["number", "task"].contains(&field.name.as_str());
        let events = events();

        let hidden: Vec<_> = events.iter().flat_map(|event| &event.fields).filter(hides).collect();

        assert_eq!(hidden, [] as [&FieldSchema; 0]);
    }
}
