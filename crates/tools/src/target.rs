//! The URL of an HTTP tool, with placeholders in its path that the model's arguments fill.
//!
//! An argument fills a part of one path segment and can never become more than that: it is percent-encoded, and
//! refused where servers are known to differ on what an encoding means.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};
use url::Url;

/// All but what RFC 3986 calls unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How `url` writes `{` and `}` in a path.
const OPEN: &str = "%7B";
const CLOSE: &str = "%7D";

/// A URL with placeholders.
pub(crate) struct Target {
    url: Url,
    segments: Vec<Vec<Part>>,
}

/// A part of a path segment.
enum Part {
    Fixed(String),
    Argument(String),
}

impl Target {
    /// Reads a URL such as `https://shop.example/orders/{order}`. `None` if it has a placeholder outside its path,
    /// an unfinished one, or a user's name in it.
    pub fn read(url: &Url) -> Option<Self> {
        let has_user = !url.username().is_empty() || url.password().is_some();
        let is_plain = !url.query().unwrap_or_default().contains(['{', '}']) && url.fragment().is_none();
        let segments = url.path().strip_prefix('/')?.split('/').map(parts).collect::<Option<_>>()?;
        (!has_user && is_plain).then(|| Self { url: url.clone(), segments })
    }

    /// The names of the arguments that fill it.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flatten().filter_map(|part| match part {
            Part::Fixed(_) => None,
            Part::Argument(name) => Some(name.as_str()),
        })
    }

    /// The URL with its placeholders filled. `Err` says in words which argument cannot.
    pub fn fill(&self, arguments: &Map<String, Value>) -> Result<Url, String> {
        let mut path = String::new();
        for parts in &self.segments {
            let mut segment = String::new();
            for part in parts {
                match part {
                    Part::Fixed(text) => segment.push_str(text),
                    Part::Argument(name) => segment.push_str(&encoded(name, arguments.get(name))?),
                }
            }
            if is_dots(&segment) && parts.iter().any(|part| matches!(part, Part::Argument(_))) {
                return Err("An argument that becomes part of an address cannot be dots alone.".to_owned());
            }
            path.push('/');
            path.push_str(&segment);
        }
        let mut url = self.url.clone();
        url.set_path(&path);
        Ok(url)
    }
}

/// Adds arguments to a URL's query: plain values as they are, lists as repeated names, anything deeper as JSON.
pub(crate) fn ask<'a>(url: &mut Url, arguments: impl Iterator<Item = (&'a String, &'a Value)>) {
    for (name, value) in arguments {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values.iter().filter(|value| !value.is_null()) {
            url.query_pairs_mut().append_pair(name, &plain(value).unwrap_or_else(|| value.to_string()));
        }
    }
}

fn parts(segment: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (name, after) = after.split_once(CLOSE)?;
        let name = percent_decode_str(name).decode_utf8().ok()?.into_owned();
        parts.extend([Part::Fixed(before.to_owned()), Part::Argument(name)]);
        rest = after;
    }
    parts.push(Part::Fixed(rest.to_owned()));
    Some(parts)
}

/// An argument as a part of a path segment.
fn encoded(name: &str, value: Option<&Value>) -> Result<String, String> {
    let text = value.and_then(plain).filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| format!("\"{name}\" must be there, as text or a number."))?;
    // Many servers take an encoded slash for a slash.
    if text.contains(['/', '\\']) || text.contains(char::is_control) {
        return Err(format!("\"{name}\" must not contain slashes or line breaks."));
    }
    Ok(utf8_percent_encode(&text, ENCODED).to_string())
}

/// Whether a segment, which may be `%2e`, would lead upwards or nowhere.
fn is_dots(segment: &str) -> bool {
    segment.replace("%2e", ".").replace("%2E", ".").chars().all(|letter| letter == '.')
}

fn plain(value: &Value) -> Option<String> {
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
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn placeholders_are_filled_in_the_path() {
        let url = filled(
            "https://shop.example/a/{shop}/order-{order}.json?v=1",
            &json!({"shop": 2, "order": "A 17"}),
        );

        assert_eq!(url.as_deref(), Ok("https://shop.example/a/2/order-A%2017.json?v=1"));
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
        ] {
            let url = filled("https://shop.example/orders/{order}/state", &json!({"order": argument}));

            assert_eq!(url, Ok(format!("https://shop.example/orders/{segment}/state")), "{argument}");
        }
    }

    #[test]
    fn an_argument_that_could_lead_elsewhere_is_refused() {
        let texts = ["../admin", "..", ".", "...", "7/8", "\\\\evil", "..\\", "7\r\nx: y", "\0", "", "  "];
        let others = [json!(null), json!(["7"]), json!({"a": 7})];

        for argument in texts.map(Value::from).into_iter().chain(others) {
            let url = filled("https://shop.example/orders/{order}/state", &json!({"order": argument}));

            assert!(url.is_err(), "{argument}: {url:?}");
        }
        assert!(filled("https://shop.example/orders/{order}", &json!({})).is_err());
    }

    #[test]
    fn dots_that_meet_in_a_segment_are_refused() {
        assert!(filled("https://shop.example/a/.{more}/b", &json!({"more": "."})).is_err());
        assert!(filled("https://shop.example/a/{one}{two}/b", &json!({"one": ".", "two": "."})).is_err());
        assert!(filled("https://shop.example/a/{one}%2e/b", &json!({"one": "."})).is_err());
    }

    #[test]
    fn placeholders_belong_in_the_path() {
        for url in [
            "https://shop.example/?order={order}",
            "https://shop.example/{order",
            "https://a:b@shop.example/",
        ] {
            assert!(Target::read(&url.parse().unwrap()).is_none(), "{url}");
        }
    }

    #[test]
    fn a_query_holds_any_argument() {
        let mut url = "https://shop.example/orders?v=1".parse().unwrap();
        let arguments = json!({"a": "x&y=z", "b": [1, 2], "c": {"d": true}, "e": null});

        ask(&mut url, arguments.as_object().unwrap().iter());

        let pairs: Vec<_> = url.query_pairs().map(|(name, value)| format!("{name} is {value}")).collect();
        assert_eq!(pairs, ["v is 1", "a is x&y=z", "b is 1", "b is 2", "c is {\"d\":true}"]);
    }

    proptest! {
        #[test]
        fn whatever_an_argument_says_it_is_one_segment_or_refused(argument: String) {
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
