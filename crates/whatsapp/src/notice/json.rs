//! Takes what it can from JSON that may be otherwise than expected.

use serde_json::Value;

/// Parses a body. One bad escape in somebody's name must not cost a call: what strict JSON does not allow inside a
/// text is replaced, as U+FFFD.
///
/// # Errors
/// When it is not JSON even so.
pub(super) fn parse(body: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(body).or_else(|strict| {
        let mended = mended(&String::from_utf8_lossy(body));
        serde_json::from_str(&mended).map_err(|_| strict)
    })
}

/// The items of an array; one object where an array should be counts as one item.
pub(super) fn items<'a>(holder: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let (many, one) = match holder.get(name) {
        Some(Value::Array(items)) => (items.as_slice(), None),
        Some(one @ Value::Object(_)) => (&[][..], Some(one)),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => (&[][..], None),
    };
    many.iter().chain(one)
}

/// A text, or a number as text: Meta writes ids and times as either.
pub(super) fn text(holder: &Value, name: &str) -> Option<String> {
    match holder.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A word of Meta's, whose case differs from page to page; empty when there is none.
pub(super) fn lower(holder: &Value, name: &str) -> String {
    text(holder, name).unwrap_or_default().to_lowercase()
}

/// Seconds since 1970, or a duration in seconds.
pub(super) fn seconds(holder: &Value, name: &str) -> Option<u64> {
    text(holder, name)?.trim().parse().ok()
}

/// The codes of Meta's errors.
pub(super) fn error_codes(holder: &Value) -> Vec<u64> {
    items(holder, "errors").filter_map(|error| text(error, "code")?.parse().ok()).collect()
}

/// A half of a surrogate pair is left when a name is cut inside an emoji; serde_json takes it for an error.
fn mended(body: &str) -> String {
    let mut mended = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let (kept, length) = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&escape[..12], 12),
            (Some(_), _) => ("\\ufffd", 6),
            (None, _) => {
                let length = escape.chars().take(2).map(char::len_utf8).sum();
                (&escape[..length], length)
            }
        };
        mended.push_str(kept);
        rest = &escape[length..];
    }
    mended + rest
}

fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..=0xdfff).contains(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cut_inside_an_emoji_costs_only_itself() {
        let body = br#"{"cut":"Zo\u00eb \ud83d","low":"\ude42!","whole":"\ud83d\ude42","slash":"\\ud83d"}"#;

        let value = parse(body).expect("it can be mended");

        assert_eq!(value["cut"], "Zoë \u{fffd}");
        assert_eq!(value["low"], "\u{fffd}!");
        assert_eq!(value["whole"], "🙂");
        assert_eq!(value["slash"], "\\ud83d");
    }

    #[test]
    fn bytes_that_are_not_utf_8_cost_only_themselves() {
        assert_eq!(parse(b"{\"name\":\"\xff\"}").expect("it can be mended")["name"], "\u{fffd}");
    }

    #[test]
    fn what_is_not_json_stays_so() {
        for body in [&b"{"[..], b"", b"hello", b"\"\\", b"\\\xff\xfe", b"\"\\ud8"] {
            assert!(parse(body).is_err(), "{body:?}");
        }
    }
}
