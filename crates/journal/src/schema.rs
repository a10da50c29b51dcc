//! The list of events as data, read off the enum itself; and the page that is made from it.

mod page;

pub use page::page;

use crate::{JournalEvent, Level};
use serde_json::{Map, Value, json};

/// An event of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSchema {
    /// Its name: `WA_CALL_…`.
    pub name: String,
    /// What happened.
    pub meaning: String,
    /// How much somebody should care. Where that depends on what the event says: of one that says nothing good.
    pub level: Level,
    /// What it says.
    pub fields: Vec<FieldSchema>,
}

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSchema {
    /// Its name.
    pub name: String,
    /// What it is counted in, or what kind of thing it is.
    pub unit: &'static str,
    /// Whether it can be missing.
    pub is_optional: bool,
    /// What it says.
    pub meaning: String,
}

/// What every line says, whatever happened.
pub const COMMON: [(&str, &str, &str); 11] = [
    (
        "timestamp",
        "text",
        "The same time as `at_ms`, as RFC 3339 writes it: Lambda keeps the level of lines that have one.",
    ),
    ("level", "text", "How much somebody should care: `INFO`, `WARN` (dealt with) or `ERROR` (look)."),
    ("call_ref", "text", "The call: hex SHA-256 of Meta's id of it. Missing where there is no call."),
    ("at_ms", "ms", "When it happened, since 1970, by the writer's clock."),
    ("since_ring_ms", "ms", "Since the call began to ring. Missing where the writer does not know."),
    (
        "phase",
        "text",
        "How far the call had come: `ringing`, `answering`, `talking` or `over`, if the writer knows.",
    ),
    ("number", "text", "The business number, as Meta's id of it."),
    ("task", "text", "The media task that had the call, or that the event is about, once there is one."),
    ("version", "number", "The version of the call's state that the writer knew: events sort by it first,"),
    ("writer", "text", "then by the process that wrote them,"),
    ("sequence", "number", "then by their place among what it wrote at that version."),
];

/// Every event there is, in the order of the enum.
pub fn events() -> Vec<EventSchema> {
    let schema = schemars::schema_for!(JournalEvent);
    variants(schema.as_value()).map(listed).collect()
}

fn among(schema: &Value) -> Option<&Vec<Value>> {
    schema["oneOf"].as_array().or(schema["anyOf"].as_array())
}

/// The tagged variants: they stand apart from the one that takes every other event.
fn variants(schema: &Value) -> impl Iterator<Item = &Value> {
    let outer = among(schema).expect("an enum is one of its variants").iter();
    let all =
        outer.flat_map(move |variant| among(variant).map_or(std::slice::from_ref(variant), Vec::as_slice));
    all.filter(|variant| variant["properties"]["event"]["const"].is_string())
}

fn listed(variant: &Value) -> EventSchema {
    let name = variant["properties"]["event"]["const"].as_str().expect("the tag has the event's name");
    EventSchema {
        name: name.to_owned(),
        meaning: meaning(variant),
        level: blank(name, variant).level(),
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

/// Units are in the names, as everywhere in this project.
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

/// An event of this name that says nothing: texts are empty, numbers zero.
fn blank(name: &str, variant: &Value) -> JournalEvent {
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

/// The first of its types: the second of an optional one is `null`.
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
    fn every_event_is_listed_by_its_name_with_unit_and_level() {
        let events = events();

        assert!(events.iter().all(|event| event.name.starts_with("WA_CALL_")), "{events:?}");
        let turn = events.iter().find(|event| event.name == "WA_CALL_TURN").expect("there are turns");
        let took = turn.fields.iter().find(|field| field.name == "took_ms").expect("they take time");
        assert_eq!((turn.level, took.unit, took.is_optional), (Level::Info, "ms", false));
    }

    #[test]
    fn no_field_of_an_event_hides_one_that_every_line_has() {
        let common = |name: &str| COMMON.iter().any(|(common, ..)| *common == name);
        let hides =
            |field: &&FieldSchema| common(&field.name) && !["number", "task"].contains(&field.name.as_str());
        let events = events();

        let hidden: Vec<_> = events.iter().flat_map(|event| &event.fields).filter(hides).collect();

        assert_eq!(hidden, [] as [&FieldSchema; 0]);
    }
}
