//! The subset of JSON Schema that `strict: true` takes. What is wrong is said as the service says it, with the place.

use serde_json::{Map, Value};

/// Keywords that a schema may have, whatever its type.
const KEYWORDS: [&str; 24] = [
    "type",
    "title",
    "description",
    "enum",
    "const",
    "anyOf",
    "$ref",
    "$defs",
    "definitions",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "pattern",
    "format",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "$schema",
    "$id",
];

const FORMATS: [&str; 9] =
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

const MOST_PROPERTIES: usize = 5_000;
const MOST_ENUM_VALUES: usize = 1_000;
const MOST_LETTERS: usize = 120_000;
const DEEPEST: usize = 10;

/// Checks a schema as a whole.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    if schema["type"] != "object" {
        let shown = schema["type"].as_str().unwrap_or("None");
        return Err(format!("schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{shown}\"'."));
    }
    if schema.get("anyOf").is_some() {
        return Err("In context=(), 'anyOf' is not permitted at the root.".to_owned());
    }
    let mut sizes = Sizes::default();
    sizes.check(schema, &mut vec![], 1)?;
    match sizes {
        Sizes { properties, .. } if properties > MOST_PROPERTIES => {
            Err(format!("Too many properties: {properties} of {MOST_PROPERTIES}."))
        }
        Sizes { values, .. } if values > MOST_ENUM_VALUES => {
            Err(format!("Too many enum values: {values} of {MOST_ENUM_VALUES}."))
        }
        Sizes { letters, .. } if letters > MOST_LETTERS => Err("The schema's names are too long.".to_owned()),
        Sizes { .. } => Ok(()),
    }
}

#[derive(Default)]
struct Sizes {
    properties: usize,
    values: usize,
    letters: usize,
}

impl Sizes {
    fn check(&mut self, schema: &Value, place: &mut Vec<String>, depth: usize) -> Result<(), String> {
        let Some(keywords) = schema.as_object() else {
            return Err(format!(
                "In context={}, {schema} is not of type 'object', 'boolean'.",
                context(place)
            ));
        };
        let here = context(place);
        let wrong = |what: &str| Err(format!("In context={here}, {what}"));
        if let Some(unknown) = keywords.keys().find(|keyword| !KEYWORDS.contains(&keyword.as_str())) {
            return wrong(&format!("'{unknown}' is not permitted."));
        }
        if depth > DEEPEST {
            return wrong("the schema is nested too deep.");
        }
        let types = types(&keywords.get("type").cloned().unwrap_or_default());
        if types.is_empty() && !["anyOf", "$ref", "enum", "const"].iter().any(|it| keywords.contains_key(*it))
        {
            return wrong("schema must have a 'type' key.");
        }
        if let Some(unknown) = types.iter().find(|kind| !TYPES.contains(&kind.as_str())) {
            return wrong(&format!("'{unknown}' is not a known type."));
        }
        let format = keywords.get("format").and_then(Value::as_str);
        if let Some(unknown) = format.filter(|format| !FORMATS.contains(format)) {
            return wrong(&format!("'{unknown}' is not a valid format."));
        }
        let values = keywords.get("enum").and_then(Value::as_array);
        self.values += values.map_or(0, Vec::len);
        self.letters += values.into_iter().flatten().filter_map(Value::as_str).map(str::len).sum::<usize>();
        if types.iter().any(|kind| kind == "object") {
            self.check_object(keywords, place, depth)?;
        }
        if types.iter().any(|kind| kind == "array") {
            let Some(items) = keywords.get("items") else { return wrong("array schema missing items.") };
            self.within(items, place, &["items"], depth)?;
        }
        for (n, one) in keywords.get("anyOf").and_then(Value::as_array).into_iter().flatten().enumerate() {
            self.within(one, place, &["anyOf", &n.to_string()], depth)?;
        }
        for group in ["$defs", "definitions"] {
            for (name, one) in keywords.get(group).and_then(Value::as_object).into_iter().flatten() {
                self.letters += name.len();
                self.within(one, place, &[group, name], depth)?;
            }
        }
        Ok(())
    }

    fn check_object(
        &mut self,
        keywords: &Map<String, Value>,
        place: &mut Vec<String>,
        depth: usize,
    ) -> Result<(), String> {
        let here = context(place);
        let wrong = |what: &str| Err(format!("In context={here}, {what}"));
        if keywords.get("additionalProperties") != Some(&Value::Bool(false)) {
            return wrong("'additionalProperties' is required to be supplied and to be false.");
        }
        let empty = Map::new();
        let properties = keywords.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required = keywords.get("required").and_then(Value::as_array);
        let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(missing) = properties.keys().find(|name| !required.contains(&name.as_str())) {
            return wrong(&format!(
                "'required' is required to be supplied and to be an array including every key in properties. Missing '{missing}'."
            ));
        }
        if let Some(extra) = required.iter().find(|name| !properties.contains_key(**name)) {
            return wrong(&format!("'required' has an extra key '{extra}'."));
        }
        self.properties += properties.len();
        self.letters += properties.keys().map(String::len).sum::<usize>();
        for (name, property) in properties {
            self.within(property, place, &["properties", name], depth + 1)?;
        }
        Ok(())
    }

    fn within(
        &mut self,
        schema: &Value,
        place: &mut Vec<String>,
        at: &[&str],
        depth: usize,
    ) -> Result<(), String> {
        let outer = place.len();
        place.extend(at.iter().map(|&name| name.to_owned()));
        let checked = self.check(schema, place, depth);
        place.truncate(outer);
        checked
    }
}

fn types(kind: &Value) -> Vec<String> {
    match kind {
        Value::String(one) => vec![one.clone()],
        Value::Array(several) => several.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => vec![],
    }
}

/// A place as a tuple of Python: `('properties', 'order')`, `('items',)`, `()`.
fn context(place: &[String]) -> String {
    let quoted: Vec<String> = place.iter().map(|name| format!("'{name}'")).collect();
    let comma = if quoted.len() == 1 { "," } else { "" };
    format!("({}{comma})", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn takes_the_strict_subset() {
        let schema = object(json!({
            "order": {"type": ["string", "null"], "description": "Its number.", "pattern": "^[0-9]{3}$"},
            "mood": {"type": "string", "enum": ["glad", "cross"]},
            "score": {"type": "integer", "minimum": 1, "maximum": 5},
            "wishes": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
            "visit": {"anyOf": [object(json!({"day": {"type": "string", "format": "date"}})), {"type": "null"}]},
        }));

        assert_eq!(check(&schema), Ok(()));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let mut open = object(json!({"a": {"type": "string"}}));
        open["additionalProperties"] = json!(true);
        let mut optional = object(json!({"a": {"type": "string"}}));
        optional["required"] = json!([]);
        for (schema, wrong) in [
            (json!({"type": "array", "items": {"type": "string"}}), "got 'type: \"array\"'"),
            (open, "In context=(), 'additionalProperties' is required to be supplied and to be false."),
            (optional, "Missing 'a'."),
            (object(json!({"a": {"type": "string", "minLength": 1}})), "('properties', 'a'), 'minLength'"),
            (object(json!({"a": {"type": "string", "default": "x"}})), "'default' is not permitted"),
            (object(json!({"a": {"oneOf": []}})), "'oneOf' is not permitted"),
            (object(json!({"a": {"description": "x"}})), "must have a 'type' key"),
            (object(json!({"a": {"type": "array"}})), "array schema missing items"),
            (object(json!({"a": {"type": "object", "properties": {}}})), "additionalProperties"),
            (object(json!({"a": {"type": "string", "format": "telephone"}})), "not a valid format"),
        ] {
            let said = check(&schema).expect_err("it is not of the subset");
            assert!(said.contains(wrong), "{said} instead of {wrong}");
        }
    }

    #[test]
    fn nesting_ends_at_ten() {
        let nested =
            |levels: usize| (1..levels).fold(object(json!({})), |inner, _| object(json!({"a": inner})));

        assert_eq!(check(&nested(DEEPEST)), Ok(()));
        assert!(check(&nested(DEEPEST + 1)).is_err());
    }

    fn object(properties: Value) -> Value {
        let required: Vec<&String> = properties.as_object().expect("it is one").keys().collect();
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    }
}
