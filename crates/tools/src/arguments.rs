//! Checks a tool's arguments, as the model wrote them, against the tool's JSON Schema.

use crate::outcome::{Refused, ToolError};
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};

/// The longest arguments, in bytes of JSON.
pub const LARGEST_ARGUMENTS: usize = 64 * 1024;

/// How many mistakes the model is told of at once.
const MISTAKES: usize = 3;

/// What a tool takes.
pub(crate) struct Arguments(Validator);

impl Arguments {
    /// Compiles the schema; `None` if it is not one. Nothing is fetched: a `$ref` to elsewhere is not one.
    pub fn of(schema: &Value) -> Option<Self> {
        jsonschema::options().should_validate_formats(true).build(schema).ok().map(Self)
    }

    /// The arguments, if they are what the tool takes. Nothing at all counts as `{}`: models write that for
    /// tools that need nothing.
    pub fn read(&self, text: &str) -> Result<Map<String, Value>, Refused> {
        if text.len() > LARGEST_ARGUMENTS {
            return Err(refused("The arguments are too long."));
        }
        let text = if text.trim().is_empty() { "{}" } else { text };
        let Ok(arguments) = serde_json::from_str::<Value>(text) else {
            return Err(refused("The arguments are not valid JSON."));
        };
        let mistakes: Vec<_> =
            self.0.iter_errors(&arguments).take(MISTAKES).map(|error| words(&error)).collect();
        match arguments {
            _ if !mistakes.is_empty() => Err(refused(&mistakes.join(" "))),
            Value::Object(arguments) => Ok(arguments),
            _ => Err(refused("The arguments must be a JSON object.")),
        }
    }
}

/// A refusal of arguments, for the reason given.
pub(crate) fn refused(reason: &str) -> Refused {
    let for_the_model = format!(
        "Nothing was done, because the arguments are wrong. {reason} Correct them and try again; if something is \
         missing, ask the caller for it."
    );
    Refused { trouble: ToolError::Arguments, for_the_model }
}

/// One mistake in words, without the value.
fn words(error: &ValidationError<'_>) -> String {
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
    fn arguments_may_have_any_white_space() {
        let read = order().read("\n {\"order\"\t:\r\n \"A-17\" } ").unwrap();

        assert_eq!(Value::from(read), json!({"order": "A-17"}));
    }

    #[test]
    fn nothing_at_all_is_no_arguments() {
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
    fn what_is_not_an_object_of_sensible_size_is_refused() {
        let anything = Arguments::of(&json!({})).unwrap();
        let long = format!(r#"{{"order": "{}"}}"#, "7".repeat(LARGEST_ARGUMENTS));
        let deep = "[".repeat(10_000);

        for text in ["[]", "7", "{", "{} {}", &long, &deep] {
            assert_eq!(anything.read(text).unwrap_err().trouble, ToolError::Arguments, "{:.20}", text);
        }
    }

    #[test]
    fn a_schema_that_refers_elsewhere_is_not_one() {
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
