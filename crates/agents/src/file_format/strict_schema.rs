//! JSON Schemas of what a model extracts: checked against the subset that OpenAI takes with `strict`, and completed.
//!
//! In a strict schema every property is required and no other is allowed, which is added here; what may be missing has
//! a type such as `["string", "null"]`.

use crate::after::strict_object;
use crate::error::{Fault, quoted};
use crate::key_positions::join;
use crate::rules;
use serde_json::{Map, Value};

/// The maximum number of properties on all levels.
const MAX_PROPERTIES: usize = 20;
/// The maximum depth of objects and lists; the reply's own two levels stay within OpenAI's oldest limit of five.
const MAX_DEPTH: usize = 3;
/// The maximum number of values of an `enum`.
const MAX_ENUM: usize = 100;

const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

const KEYWORDS: [&str; 15] = [
    "type",
    "description",
    "enum",
    "properties",
    "items",
    "anyOf",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
];

/// Checks and completes schemas, and counts their properties.
#[derive(Default)]
pub(super) struct StrictSchema {
    properties: usize,
    depth: usize,
}

impl StrictSchema {
    /// Checks and completes the properties of an object.
    pub(super) fn properties(
        &mut self,
        at: &str,
        written: Map<String, Value>,
    ) -> Result<Map<String, Value>, Fault> {
        self.properties += written.len();
        if self.properties > MAX_PROPERTIES {
            return Err(Fault::new(at, format!("has more than {MAX_PROPERTIES} properties")));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(at, format!("is nested more than {MAX_DEPTH} levels deep")));
        }
        let mut completed = Map::new();
        for (name, schema) in written {
            let field = join(at, &name);
            rules::name(&field, &name)?;
            completed.insert(name, self.schema(&field, schema)?);
        }
        self.depth -= 1;
        Ok(completed)
    }

    fn schema(&mut self, at: &str, written: Value) -> Result<Value, Fault> {
        let Value::Object(mut schema) = written else {
            return Err(Fault::new(at, "must be a table with a type, such as { type = \"string\" }"));
        };
        keywords(at, &schema)?;
        if let Some(Value::String(description)) = schema.get("description") {
            rules::text(&format!("{at}.description"), description, 500)?;
        }
        if let Some(choices) = schema.remove("anyOf") {
            return self.any_of(at, schema, choices);
        }
        let types = types(at, schema.get("type"))?;
        let has = |name: &str| types.iter().any(|it| it == name);
        if let Some(choices) = schema.get_mut("enum") {
            complete_enum(&format!("{at}.enum"), choices, has("null"))?;
        }
        match (schema.remove("properties"), has("object")) {
            (Some(Value::Object(properties)), true) if !properties.is_empty() => {
                let properties = self.properties(&format!("{at}.properties"), properties)?;
                if let Value::Object(strict) = strict_object(properties) {
                    schema.extend(strict.into_iter().filter(|(key, _)| key != "type"));
                }
            }
            (None, false) => {}
            (_, true) => return Err(Fault::new(at, "is an object and needs properties")),
            (Some(_), false) => {
                return Err(Fault::new(format!("{at}.properties"), "needs type = \"object\""));
            }
        }
        match (schema.remove("items"), has("array")) {
            (Some(items), true) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(Fault::new(at, format!("is nested more than {MAX_DEPTH} levels deep")));
                }
                let items = self.schema(&format!("{at}.items"), items)?;
                self.depth -= 1;
                schema.insert("items".to_owned(), items);
            }
            (None, false) => {}
            (None, true) => return Err(Fault::new(at, "is an array and needs items")),
            (Some(_), false) => return Err(Fault::new(format!("{at}.items"), "needs type = \"array\"")),
        }
        valid(at, Value::Object(schema))
    }

    fn any_of(&mut self, at: &str, mut schema: Map<String, Value>, choices: Value) -> Result<Value, Fault> {
        if let Some(key) = schema.keys().find(|key| *key != "description") {
            return Err(Fault::new(
                format!("{at}.{key}"),
                "does not go with anyOf: move it into the choices",
            ));
        }
        let field = format!("{at}.anyOf");
        let Value::Array(choices) = choices else { return Err(Fault::new(field, "must be a list in [ ]")) };
        if !(2..=8).contains(&choices.len()) {
            return Err(Fault::new(field, "must have 2 to 8 choices"));
        }
        let choices = choices.into_iter().enumerate();
        let choices = choices.map(|(index, choice)| self.schema(&format!("{field}[{index}]"), choice));
        schema.insert("anyOf".to_owned(), Value::Array(choices.collect::<Result<_, _>>()?));
        Ok(Value::Object(schema))
    }
}

fn keywords(at: &str, schema: &Map<String, Value>) -> Result<(), Fault> {
    for key in schema.keys() {
        let reason = match key.as_str() {
            "required" | "additionalProperties" => {
                "is set by ahoy: every property is required, and one that may be missing has \
                 type = [\"string\", \"null\"]"
            }
            key if KEYWORDS.contains(&key) => continue,
            _ => "is not in OpenAI's strict subset of JSON Schema",
        };
        return Err(Fault::new(join(at, key), reason));
    }
    Ok(())
}

/// Returns the type names of a schema.
fn types(at: &str, written: Option<&Value>) -> Result<Vec<String>, Fault> {
    let names: Vec<&Value> = match written {
        Some(Value::Array(names)) => names.iter().collect(),
        Some(name) => vec![name],
        None => return Err(Fault::new(at, "needs a type, such as type = \"string\"")),
    };
    let known = |name: &&Value| name.as_str().filter(|name| TYPES.contains(name)).map(str::to_owned);
    let types: Option<Vec<String>> = names.iter().map(known).collect();
    types.filter(|types| !types.is_empty()).ok_or_else(|| {
        Fault::new(format!("{at}.type"), format!("must be of {}", TYPES.map(quoted).join(", ")))
    })
}

/// Checks the values of an `enum`, and adds the null that TOML cannot write.
fn complete_enum(field: &str, choices: &mut Value, is_nullable: bool) -> Result<(), Fault> {
    let Value::Array(choices) = choices else { return Err(Fault::new(field, "must be a list in [ ]")) };
    if choices.is_empty() {
        return Err(Fault::new(field, "is empty"));
    }
    rules::at_most(field, choices.len(), MAX_ENUM)?;
    if choices.iter().any(|choice| choice.is_object() || choice.is_array()) {
        return Err(Fault::new(field, "must list texts, numbers, true or false"));
    }
    if is_nullable && !choices.contains(&Value::Null) {
        choices.push(Value::Null);
    }
    Ok(())
}

/// Checks that a completed schema is a valid one.
fn valid(at: &str, schema: Value) -> Result<Value, Fault> {
    match jsonschema::validator_for(&schema) {
        Ok(_) => Ok(schema),
        Err(error) => {
            let path = error.instance_path().to_string();
            let key = path.trim_start_matches('/').split('/').next().unwrap_or_default();
            let field = if key.is_empty() { at.to_owned() } else { join(at, key) };
            Err(Fault::new(field, "is not valid JSON Schema"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn completed(properties: Value) -> Result<Value, String> {
        let Value::Object(properties) = properties else { unreachable!("a test writes objects") };
        let completed = StrictSchema::default().properties("p", properties);
        completed.map(Value::Object).map_err(|fault| format!("{}: {}", fault.field, fault.reason))
    }

    #[test]
    fn every_object_gets_its_required_properties_and_no_others() {
        let inner =
            json!({"type": ["object", "null"], "properties": {"at": {"type": "string", "format": "date"}}});

        let strict =
            completed(json!({"visit": inner, "list": {"type": "array", "items": {"type": "number"}}}))
                .unwrap();

        assert_eq!(strict["visit"]["required"], json!(["at"]));
        assert_eq!(strict["visit"]["additionalProperties"], json!(false));
        assert_eq!(strict["visit"]["type"], json!(["object", "null"]));
        assert_eq!(strict["list"]["items"], json!({"type": "number"}));
    }

    #[test]
    fn a_nullable_enum_gets_its_null() {
        let strict = completed(json!({"a": {"type": ["string", "null"], "enum": ["x"]}})).unwrap();
        assert_eq!(strict["a"]["enum"], json!(["x", null]));

        let strict = completed(json!({"a": {"type": "string", "enum": ["x"]}})).unwrap();
        assert_eq!(strict["a"]["enum"], json!(["x"]));
    }

    #[test]
    fn choices_are_completed_too() {
        let object = json!({"type": "object", "properties": {"b": {"type": "null"}}});
        let strict = completed(json!({"a": {"anyOf": [{"type": "string"}, object]}})).unwrap();
        assert_eq!(strict["a"]["anyOf"][1]["required"], json!(["b"]));
    }

    #[test]
    fn what_strict_schemas_may_not_have_is_refused() {
        let deep = |inner: Value| json!({"type": "object", "properties": {"x": inner}});
        let many: Map<String, Value> = (0..21).map(|n| (format!("p{n}"), json!({"type": "null"}))).collect();
        for (properties, wrong) in [
            (json!({"a": 1}), "p.a: must be a table"),
            (json!({"a": {}}), "p.a: needs a type"),
            (json!({"a b": {"type": "string"}}), "p.\"…\": must be 1 to 64 letters"),
            (json!({"a": {"type": "text"}}), "p.a.type: must be of"),
            (json!({"a": {"type": []}}), "p.a.type: must be of"),
            (
                json!({"a": {"type": "string", "default": "x"}}),
                "p.a.default: is not in OpenAI's strict subset",
            ),
            (json!({"a": {"type": "string", "required": []}}), "p.a.required: is set by ahoy"),
            (json!({"a": {"type": "string", "pattern": "("}}), "p.a"),
            (json!({"a": {"type": "number", "minimum": "x"}}), "p.a.minimum: is not valid JSON Schema"),
            (json!({"a": {"type": "string", "enum": []}}), "p.a.enum: is empty"),
            (json!({"a": {"type": "string", "enum": [[]]}}), "p.a.enum: must list"),
            (json!({"a": {"type": "object"}}), "p.a: is an object and needs properties"),
            (json!({"a": {"type": "object", "properties": {}}}), "p.a: is an object and needs properties"),
            (json!({"a": {"type": "string", "properties": {}}}), "p.a.properties: needs type = \"object\""),
            (json!({"a": {"type": "array"}}), "p.a: is an array and needs items"),
            (json!({"a": {"type": "string", "items": {}}}), "p.a.items: needs type = \"array\""),
            (json!({"a": {"anyOf": [{"type": "string"}]}}), "p.a.anyOf: must have 2 to 8"),
            (json!({"a": {"anyOf": [], "type": "string"}}), "p.a.type: does not go with anyOf"),
            (
                json!({"a": deep(deep(deep(json!({"type": "null"}))))}),
                "p.a.properties.x.properties.x.properties: is nested",
            ),
            (Value::Object(many), "p: has more than 20 properties"),
        ] {
            let told = completed(properties).unwrap_err();
            assert!(told.starts_with(wrong), "{told}");
        }
    }
}
