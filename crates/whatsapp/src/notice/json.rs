//! Lenient access to JSON that may differ from what Meta documents.

use serde_json::Value;

/// Parses a body, replacing invalid escapes and bytes with U+FFFD: one in a person's name must not cost a call.
///
/// # Errors
/// When the body is not JSON even so.
pub(super) fn parse(body: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(body).or_else(|strict| {
        let repaired = repaired(&String::from_utf8_lossy(body));
        serde_json::from_str(&repaired).map_err(|_| strict)
    })
}

/// Returns the items of an array; an object in place of an array counts as one item.
pub(super) fn items<'a>(holder: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let (many, one) = match holder.get(name) {
        Some(Value::Array(items)) => (items.as_slice(), None),
        Some(one @ Value::Object(_)) => (&[][..], Some(one)),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => (&[][..], None),
    };
    many.iter().chain(one)
}

/// Returns a string, or a number as a string: Meta writes ids and times as either.
pub(super) fn text(holder: &Value, name: &str) -> Option<String> {
    match holder.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns a string in lower case, because the case of Meta's words differs from page to page; empty without one.
pub(super) fn lower(holder: &Value, name: &str) -> String {
    text(holder, name).unwrap_or_default().to_lowercase()
}

/// Returns seconds: since 1970, or a duration.
pub(super) fn seconds(holder: &Value, name: &str) -> Option<u64> {
    text(holder, name)?.trim().parse().ok()
}

/// Returns the codes of Meta's errors.
pub(super) fn error_codes(holder: &Value) -> Vec<u64> {
    items(holder, "errors").filter_map(|error| text(error, "code")?.parse().ok()).collect()
}

/// Replaces lone surrogate escapes, which remain when a name is cut inside an emoji and which serde_json rejects.
fn repaired(body: &str) -> String {
    let mut repaired = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        repaired.push_str(before);
        let (kept, length) = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&escape[..12], 12),
            (Some(_), _) => ("\\ufffd", 6),
            (None, _) => {
                let length = escape.chars().take(2).map(char::len_utf8).sum();
                (&escape[..length], length)
            }
        };
        repaired.push_str(kept);
        rest = &escape[length..];
    }
    repaired + rest
}

fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..=0xdfff).contains(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_a_name_cut_inside_an_emoji() {
        let body = br#"{"cut":"Zo\u00eb \ud83d","low":"\ude42!","whole":"\ud83d\ude42","slash":"\\ud83d"}"#;

        let value = parse(body).expect("it can be repaired");

        assert_eq!(value["cut"], "Zoë \u{fffd}");
        assert_eq!(value["low"], "\u{fffd}!");
        assert_eq!(value["whole"], "🙂");
        assert_eq!(value["slash"], "\\ud83d");
    }

    #[test]
    fn replaces_bytes_that_are_not_utf_8() {
        assert_eq!(parse(b"{\"name\":\"\xff\"}").expect("it can be repaired")["name"], "\u{fffd}");
    }

    #[test]
    fn rejects_text_that_is_not_json() {
        for body in [&b"{"[..], b"", b"hello", b"\"\\", b"\\\xff\xfe", b"\"\\ud8"] {
            assert!(parse(body).is_err(), "{body:?}");
        }
    }
}
