//! The two events that carry audio, fifty times a second for each call, read without their schemas.
//!
//! Dev builds have an unoptimised validator, which is too slow for that. What these functions do not take goes to the schema, which
//! alone refuses, in the service's words.

use serde_json::{Map, Value};

/// Whether this certainly is a right `input_audio_buffer.append`.
pub(super) fn is_plain_append(event: &Value) -> bool {
    event["type"] == "input_audio_buffer.append"
        && has_only(event, &["type", "audio", "event_id"])
        && event["audio"].is_string()
        && event.get("event_id").is_none_or(Value::is_string)
}

/// Whether this certainly is a right `response.output_audio.delta`.
pub(super) fn is_plain_delta(event: &Map<String, Value>) -> bool {
    const TEXTS: [&str; 5] = ["type", "delta", "event_id", "item_id", "response_id"];
    const INDICES: [&str; 2] = ["content_index", "output_index"];
    let all = |names: &[&str], is_right: fn(&Value) -> bool| {
        names.iter().all(|name| event.get(*name).is_some_and(is_right))
    };
    event.get("type").is_some_and(|kind| kind == "response.output_audio.delta")
        && event.len() == TEXTS.len() + INDICES.len()
        && all(&TEXTS, Value::is_string)
        && all(&INDICES, Value::is_u64)
}

fn has_only(event: &Value, names: &[&str]) -> bool {
    event.as_object().is_some_and(|event| event.keys().all(|name| names.contains(&name.as_str())))
}

#[cfg(test)]
mod tests {
    use super::super::{CLIENT, SERVER, schema};
    use super::*;
    use include_dir::Dir;
    use serde_json::json;

    #[test]
    fn plain_audio_is_taken_without_the_schema() {
        assert!(is_plain_append(&append()) && is_plain_delta(delta().as_object().unwrap()));
    }

    #[test]
    fn what_is_taken_is_right_by_the_schema() {
        agree(&append(), &CLIENT, is_plain_append);
        agree(&delta(), &SERVER, |event| is_plain_delta(event.as_object().unwrap()));
    }

    /// Changes each field to each kind of value, leaves each out and adds one: what is taken then must be right.
    fn agree(event: &Value, side: &'static Dir<'_>, is_plain: impl Fn(&Value) -> bool) {
        let schema = schema(side, event["type"].as_str().unwrap()).unwrap();
        let names = event.as_object().unwrap().keys().cloned().chain(["another".to_owned()]);
        for name in names {
            let mut left_out = event.clone();
            left_out.as_object_mut().unwrap().remove(&name);
            let values =
                [json!(null), json!(1), json!(-1), json!(0.5), json!("x"), json!(true), json!([]), json!({})];
            let changed = values.map(|value| {
                let mut changed = event.clone();
                changed[&name] = value;
                changed
            });
            for variant in changed.iter().chain([&left_out]) {
                assert!(!is_plain(variant) || schema.is_valid(variant), "{variant}");
            }
        }
    }

    fn append() -> Value {
        json!({"type": "input_audio_buffer.append", "audio": "AAAA", "event_id": "e"})
    }

    fn delta() -> Value {
        json!({"type": "response.output_audio.delta", "delta": "AAAA", "event_id": "e", "item_id": "i",
            "response_id": "r", "content_index": 0, "output_index": 0})
    }
}
