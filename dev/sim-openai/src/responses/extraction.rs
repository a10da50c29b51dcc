//! Finds in a text what a schema asks for: no understanding, and always the same.

use serde_json::{Map, Value, json};

/// The words of a summary.
const SUMMARY_WORDS: usize = 30;

const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// Fills in a schema from a text: numbers are found in digits or words, a `summary` is how the text begins, a boolean says whether
/// thanks are in it, and what is not found is null where it may be.
pub(super) fn extract(schema: &Value, text: &str) -> Value {
    fill(schema, "", text)
}

fn fill(schema: &Value, name: &str, text: &str) -> Value {
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    if let Some(values) = schema["enum"].as_array() {
        return chosen(values, text);
    }
    if let Some(first) = schema["anyOf"].as_array().and_then(|all| all.first()) {
        return fill(first, name, text);
    }
    let is = |kind: &str| match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        one => one == kind,
    };
    let or_null = |found: Option<Value>, otherwise: Value| match found {
        Some(found) => found,
        None if is("null") => Value::Null,
        None => otherwise,
    };
    if is("object") {
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let filled = properties.iter().map(|(name, one)| (name.clone(), fill(one, name, text)));
        return Value::Object(filled.collect::<Map<_, _>>());
    }
    if is("array") {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        return (0..least).map(|_| fill(&schema["items"], name, text)).collect();
    }
    if is("string") {
        return or_null(word(schema, name, text).map(Value::String), json!("unknown"));
    }
    if is("integer") || is("number") {
        let found = numbers(text).into_iter().find_map(|digits| digits.parse::<i64>().ok());
        return or_null(found.map(|number| within(schema, number)), within(schema, 0));
    }
    if is("boolean") {
        return json!(text.to_lowercase().contains("thank"));
    }
    Value::Null
}

/// The text of a property: a number where its name or description is about one, the beginning where it is a summary.
fn word(schema: &Value, name: &str, text: &str) -> Option<String> {
    if name == "summary" {
        let words: Vec<&str> = text.split_whitespace().take(SUMMARY_WORDS).collect();
        return Some(words.join(" "));
    }
    let about = format!("{name} {}", schema["description"].as_str().unwrap_or_default()).to_lowercase();
    let is_number = ["order", "number", "reference"].iter().any(|word| about.contains(word));
    if is_number { numbers(text).into_iter().find(|digits| digits.len() >= 3) } else { None }
}

/// The value that the text has, else null where it may be, else the first.
fn chosen(values: &[Value], text: &str) -> Value {
    let text = text.to_lowercase();
    let is_said = |value: &&Value| value.as_str().is_some_and(|one| text.contains(&one.to_lowercase()));
    let null = values.iter().find(|value| value.is_null());
    values.iter().find(is_said).or(null).or(values.first()).cloned().unwrap_or_default()
}

fn within(schema: &Value, number: i64) -> Value {
    let least = schema["minimum"].as_i64().unwrap_or(i64::MIN);
    let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
    json!(number.max(least).min(most))
}

/// The numbers in a text, in order: runs of digits, or of their names.
fn numbers(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let mut found = vec![String::new()];
    for word in words.filter(|word| !word.is_empty()) {
        let lower = word.to_lowercase();
        let spoken = DIGITS.iter().position(|digit| *digit == lower).map(|digit| digit.to_string());
        let digits = spoken.or_else(|| word.chars().all(|it| it.is_ascii_digit()).then(|| word.to_owned()));
        match (digits, found.last_mut()) {
            (Some(digits), Some(run)) => run.push_str(&digits),
            _ => found.push(String::new()),
        }
    }
    found.retain(|run| !run.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "caller: Can you look up my order, please? It is number four two seven.\n\
                        agent: Order four two seven is ready. You can pick it up until six.\n\
                        caller: That is all, thank you.";

    #[test]
    fn an_order_is_found_in_words_and_in_digits() {
        let schema = json!({"type": "object", "properties": {"order": {"type": ["string", "null"]}}});

        assert_eq!(extract(&schema, TEXT), json!({"order": "427"}));
        assert_eq!(extract(&schema, "caller: it is 1 2 3, I think"), json!({"order": "123"}));
        assert_eq!(extract(&schema, "caller: hello"), json!({"order": null}));
    }

    #[test]
    fn each_type_gets_a_value_of_it() {
        let schema = json!({"type": "object", "properties": {
            "summary": {"type": "string"}, "solved": {"type": "boolean"}, "score": {"type": "integer", "maximum": 5},
            "mood": {"enum": ["cross", "ready"]}, "wishes": {"type": "array", "items": {"type": "string"}},
            "day": {"type": ["string", "null"], "format": "date"}, "topic": {"type": "string"},
        }});

        let found = extract(&schema, TEXT);

        assert!(found["summary"].as_str().is_some_and(|words| words.starts_with("caller: Can you")));
        assert_eq!((&found["solved"], &found["score"]), (&json!(true), &json!(5)));
        assert_eq!((&found["mood"], &found["wishes"]), (&json!("ready"), &json!([])));
        assert_eq!((&found["day"], &found["topic"]), (&Value::Null, &json!("unknown")));
    }

    #[test]
    fn what_is_found_is_valid() {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["summary", "order"],
            "properties": {"summary": {"type": "string"}, "order": {"type": ["string", "null"]}},
        });
        let validator = jsonschema::validator_for(&schema).expect("it is a schema");

        assert!(validator.is_valid(&extract(&schema, TEXT)));
    }
}
