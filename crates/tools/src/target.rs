//! The URL of an HTTP tool, with placeholders in its path that the model's arguments fill.
//!
//! An argument fills one whole segment and can never become more than that: it is percent-encoded, and refused where
//! servers are known to differ on what an encoding means.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use url::Url;

/// The characters that are percent-encoded: all but RFC 3986's unreserved ones.
const PERCENT_ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How the `url` crate writes `{` and `}` in a path.
const OPEN: &str = "%7B";
const CLOSE: &str = "%7D";

/// A URL whose path has placeholders.
pub(crate) struct Target {
    url: Url,
    segments: Vec<Segment>,
}

enum Segment {
    Fixed(String),
    Argument(String),
}

impl Target {
    /// Reads a URL such as `https://shop.example/orders/{order}`. `None` if it has a placeholder outside its path, one that is
    /// not a whole segment, or user info.
    pub(crate) fn read(url: &Url) -> Option<Self> {
        let has_user = !url.username().is_empty() || url.password().is_some();
        let is_plain = !url.query().unwrap_or_default().contains(['{', '}']) && url.fragment().is_none();
        let segments = url.path().strip_prefix('/')?.split('/').map(segment).collect::<Option<_>>()?;
        (!has_user && is_plain).then(|| Self { url: url.clone(), segments })
    }

    /// Returns the names of the arguments that fill the placeholders.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Fixed(_) => None,
            Segment::Argument(name) => Some(name.as_str()),
        })
    }

    /// Returns the URL with its placeholders filled.
    ///
    /// # Errors
    /// Says in words, for the model, which argument cannot fill its placeholder.
    pub(crate) fn fill(&self, arguments: &Map<String, Value>) -> Result<Url, String> {
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            match segment {
                Segment::Fixed(text) => path.push_str(text),
                Segment::Argument(name) => path.push_str(&encode_segment(name, arguments.get(name))?),
            }
        }
        let mut url = self.url.clone();
        url.set_path(&path);
        Ok(url)
    }
}

/// Appends arguments to a URL's query: scalars as they are, lists as repeated names, anything deeper as JSON.
pub(crate) fn append_query<'a>(url: &mut Url, arguments: impl Iterator<Item = (&'a String, &'a Value)>) {
    for (name, value) in arguments {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values.iter().filter(|value| !value.is_null()) {
            url.query_pairs_mut().append_pair(name, &scalar_text(value).unwrap_or_else(|| value.to_string()));
        }
    }
}

fn segment(text: &str) -> Option<Segment> {
    let placeholder = text.strip_prefix(OPEN).and_then(|rest| rest.strip_suffix(CLOSE));
    let inner = placeholder.unwrap_or(text);
    let is_whole = !inner.contains(OPEN) && !inner.contains(CLOSE);
    let read = if placeholder.is_some() { Segment::Argument } else { Segment::Fixed };
    is_whole.then(|| read(inner.to_owned()))
}

/// Returns an argument as a percent-encoded path segment.
fn encode_segment(name: &str, value: Option<&Value>) -> Result<String, String> {
    let text = value.and_then(scalar_text).filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| format!("\"{name}\" must be there, as text or a number."))?;
    // Many servers decode an encoded slash into a path separator.
    if text.contains(['/', '\\']) || text.contains(char::is_control) {
        return Err(format!("\"{name}\" must not contain slashes or line breaks."));
    }
    // `.` and `..` change the path; longer runs of dots are unusual.
    if text.chars().all(|letter| letter == '.') {
        return Err(format!("\"{name}\" cannot be dots alone."));
    }
    Ok(utf8_percent_encode(&text, PERCENT_ENCODED).to_string())
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn arguments_fill_placeholders_in_the_path() {
        let url =
            filled("https://shop.example/a/{shop}/{order}/state?v=1", &json!({"shop": 2, "order": "A 17"}));

        assert_eq!(url.as_deref(), Ok("https://shop.example/a/2/A%2017/state?v=1"));
    }

    #[test]
    fn an_argument_stays_within_its_segment() {
        for (argument, segment) in [
            ("7?admin=1", "7%3Fadmin%3D1"),
            ("7#x", "7%23x"),
            ("7%2F8", "7%252F8"),
            ("7;x=1", "7%3Bx%3D1"),
            ("a@evil.example:80", "a%40evil.example%3A80"),
            ("ordre né à Kigali", "ordre%20n%C3%A9%20%C3%A0%20Kigali"),
            ("{order}", "%7Border%7D"),
            ("...7", "...7"),
            ("%2e%2E", "%252e%252E"),
        ] {
            let url = filled("https://shop.example/orders/{order}/state", &json!({"order": argument}));

            assert_eq!(url, Ok(format!("https://shop.example/orders/{segment}/state")), "{argument}");
        }
    }

    #[test]
    fn an_argument_that_could_change_the_path_is_refused() {
        let texts = ["../admin", "..", ".", "...", "7/8", "\\\\evil", "..\\", "7\r\nx: y", "\0", "", "  "];
        let others = [json!(null), json!(["7"]), json!({"a": 7})];

        for argument in texts.map(Value::from).into_iter().chain(others) {
            let url = filled("https://shop.example/orders/{order}/state", &json!({"order": argument}));

            assert!(url.is_err(), "{argument}: {url:?}");
        }
        assert!(filled("https://shop.example/orders/{order}", &json!({})).is_err());
    }

    #[test]
    fn placeholders_are_whole_segments_of_the_path() {
        for url in [
            "https://shop.example/?order={order}",
            "https://shop.example/{order",
            "https://shop.example/order-{order}",
            "https://shop.example/{a}{b}",
            "https://a:b@shop.example/",
        ] {
            assert!(Target::read(&url.parse().unwrap()).is_none(), "{url}");
        }
    }

    #[test]
    fn a_query_holds_any_argument() {
        let mut url = "https://shop.example/orders?v=1".parse().unwrap();
        let arguments = json!({"a": "x&y=z", "b": [1, 2], "c": {"d": true}, "e": null});

        append_query(&mut url, arguments.as_object().unwrap().iter());

        let pairs: Vec<_> = url.query_pairs().map(|(name, value)| format!("{name} is {value}")).collect();
        assert_eq!(pairs, ["v is 1", "a is x&y=z", "b is 1", "b is 2", "c is {\"d\":true}"]);
    }

    proptest! {
        #[test]
        fn any_argument_is_one_segment_or_refused(argument: String) {
            if let Ok(url) = filled("https://shop.example/orders/{order}/state?v=1", &json!({"order": argument})) {
                let url = Url::parse(&url).unwrap();
                let segments: Vec<_> = url.path_segments().unwrap().collect();

                prop_assert_eq!(segments.len(), 3);
                prop_assert_eq!(percent_decode_str(segments[1]).decode_utf8().unwrap(), argument);
                prop_assert_eq!((segments[0], segments[2]), ("orders", "state"));
                prop_assert_eq!((url.host_str(), url.query()), (Some("shop.example"), Some("v=1")));
            }
        }
    }

    fn filled(url: &str, arguments: &Value) -> Result<String, String> {
        let target = Target::read(&url.parse().unwrap()).expect("the placeholders are in the path");
        target.fill(arguments.as_object().unwrap()).map(String::from)
    }
}
