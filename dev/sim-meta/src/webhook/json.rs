//! Writes JSON as Meta's webhooks do: pure ASCII, escaped slashes, keys in any order.
//!
//! A receiver that parses and writes again before it checks the signature fails on each of the three.

use fastrand::Rng;
use serde_json::Value;

/// The value as text; the order of keys is drawn from `rng`.
pub(crate) fn write(value: &Value, rng: &mut Rng) -> String {
    let mut text = String::new();
    put(&mut text, value, rng);
    text
}

fn put(text: &mut String, value: &Value, rng: &mut Rng) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
        Value::String(string) => put_string(text, string),
        Value::Array(items) => {
            text.push('[');
            for (n, item) in items.iter().enumerate() {
                put_comma(text, n);
                put(text, item, rng);
            }
            text.push(']');
        }
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            rng.shuffle(&mut entries);
            text.push('{');
            for (n, (key, value)) in entries.into_iter().enumerate() {
                put_comma(text, n);
                put_string(text, key);
                text.push(':');
                put(text, value, rng);
            }
            text.push('}');
        }
    }
}

fn put_comma(text: &mut String, n: usize) {
    if n > 0 {
        text.push(',');
    }
}

fn put_string(text: &mut String, string: &str) {
    text.push('"');
    for unit in string.encode_utf16() {
        match char::from_u32(u32::from(unit)) {
            Some('"') => text.push_str("\\\""),
            Some('\\') => text.push_str("\\\\"),
            Some('/') => text.push_str("\\/"),
            Some('\r') => text.push_str("\\r"),
            Some('\n') => text.push_str("\\n"),
            Some(plain @ ' '..='~') => text.push(plain),
            _ => text.push_str(&format!("\\u{unit:04x}")),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_reads_back_the_same() {
        let value = json!({ "name": "Zoë 🙂 \u{1}", "url": "a/b\\c\"d", "list": [1, true, null, { "sdp": "v=0\r\n" }] });

        let text = write(&value, &mut Rng::with_seed(1));

        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn everything_beyond_ascii_is_escaped_in_lower_case() {
        let text = write(&json!("é/🙂"), &mut Rng::with_seed(1));

        assert_eq!(text, r#""\u00e9\/\ud83d\ude42""#);
    }

    #[test]
    fn keys_come_in_any_order() {
        let value = json!({ "a": 1, "b": 2, "c": 3, "d": 4 });
        let texts: std::collections::BTreeSet<_> =
            (0..20).map(|seed| write(&value, &mut Rng::with_seed(seed))).collect();

        assert!(texts.len() > 5, "{texts:?}");
    }
}
