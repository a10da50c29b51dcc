//! Checks a tool call's arguments, as the model wrote them, against the tool's JSON Schema.

use crate::outcome::{Refused, ToolError};
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};

/// The largest arguments, in bytes of JSON.
const LARGEST_ARGUMENTS: usize = 64 * 1024;

/// How many mistakes the model gets at once.
const MAX_MISTAKES: usize = 3;

/// The validator of a tool's arguments.
pub(crate) struct Arguments(Validator);

impl Arguments {
    /// Compiles a schema; `None` if it is invalid. Nothing is fetched: a remote `$ref` makes it invalid.
    pub(crate) fn of(schema: &Value) -> Option<Self> {
        jsonschema::options().should_validate_formats(true).build(schema).ok().map(Self)
    }

    /// Returns the arguments if they match the schema. An empty text counts as `{}`: models write it for tools that need no
    /// arguments.
    pub(crate) fn read(&self, text: &str) -> Result<Map<String, Value>, Refused> {
        if text.len() > LARGEST_ARGUMENTS {
            return Err(refused("The arguments are too long."));
        }
        let text = if text.trim().is_empty() { "{}" } else { text };
        let Ok(arguments) = serde_json::from_str::<Value>(text) else {
            return Err(refused("The arguments are not valid JSON."));
        };
        let mistakes: Vec<_> =
            self.0.iter_errors(&arguments).take(MAX_MISTAKES).map(|error| describe(&error)).collect();
        match arguments {
            _ if !mistakes.is_empty() => Err(refused(&mistakes.join(" "))),
            Value::Object(arguments) => Ok(arguments),
            _ => Err(refused("The arguments must be a JSON object.")),
        }
    }
}

/// Returns the refusal of wrong arguments, with the reason for the model.
pub(crate) fn refused(reason: &str) -> Refused {
    let for_the_model = format!(
        "Nothing was done, because the arguments are wrong. {reason} Correct them and try again; if something is \
         missing, ask the caller for it."
    );
    Refused { trouble: ToolError::Arguments, for_the_model }
}

/// Returns one mistake in words, without the value.
fn describe(error: &ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    let what = error.masked_with("the value");
    match path.trim_start_matches('/').replace('/', ".") {
        path if path.is_empty() => format!("{what}."),
        path => format!("Argument \"{path}\": {what}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_may_contain_any_white_space() {
        let read = order().read("\n {\"order\"\t:\r\n \"A-17\" } ").unwrap();

        assert_eq!(Value::from(read), json!({"order": "A-17"}));
    }

    #[test]
    fn an_empty_text_is_no_arguments() {
        let anything = Arguments::of(&json!({"type": "object"})).unwrap();

        assert_eq!(anything.read(" \n").unwrap(), Map::new());
    }

    #[test]
    fn a_refusal_names_the_argument_and_not_its_value() {
        let refused = order().read(r#"{"order": "A-17", "lines": [{"quantity": "four"}]}"#).unwrap_err();

        assert!(refused.for_the_model.contains("\"lines.0.quantity\""), "{}", refused.for_the_model);
        assert!(refused.for_the_model.contains("integer"), "{}", refused.for_the_model);
        assert!(!refused.for_the_model.contains("four"), "{}", refused.for_the_model);
        assert!(!format!("{refused:?} {refused}").contains("quantity"));
    }

    #[test]
    fn a_missing_argument_is_named() {
        let refused = order().read("{}").unwrap_err();

        assert!(
            refused.for_the_model.contains("\"order\" is a required property"),
            "{}",
            refused.for_the_model
        );
    }

    #[test]
    fn a_format_is_checked() {
        let day =
            Arguments::of(&json!({"type": "object", "properties": {"day": {"format": "date"}}})).unwrap();

        assert!(day.read(r#"{"day": "2026-11-22"}"#).is_ok());
        assert!(day.read(r#"{"day": "tomorrow"}"#).is_err());
    }

    #[test]
    fn arguments_that_are_no_small_object_are_refused() {
        let anything = Arguments::of(&json!({})).unwrap();
        let long = format!(r#"{{"order": "{}"}}"#, "7".repeat(LARGEST_ARGUMENTS));
        let deep = "[".repeat(10_000);

        for text in ["[]", "7", "{", "{} {}", &long, &deep] {
            assert_eq!(anything.read(text).unwrap_err().trouble, ToolError::Arguments, "{:.20}", text);
        }
    }

    #[test]
    fn a_schema_with_a_remote_reference_is_refused() {
        assert!(Arguments::of(&json!({"$ref": "https://shop.example/order.json"})).is_none());
        assert!(Arguments::of(&json!({"type": "thing"})).is_none());
    }

    fn order() -> Arguments {
        Arguments::of(&json!({
            "type": "object",
            "properties": {
                "order": {"type": "string"},
                "lines": {"type": "array", "items": {"properties": {"quantity": {"type": "integer"}}}},
            },
            "required": ["order"],
        }))
        .unwrap()
    }
}
