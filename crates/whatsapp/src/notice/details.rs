//! Reads what a `connect` says of the caller besides number and user id. The caller chose most of it.

use super::json::text;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// The longest text that is kept, in characters: Meta's limit for a payload.
const LONGEST_TEXT: usize = 512;

/// The most digits of a phone number.
const MOST_DIGITS: usize = 15;

/// What a `connect` says of the caller besides number and user id. It may name people: never log it.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct ConnectDetails {
    /// The name in the caller's profile, which may be just the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The caller's user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The payload of the link that the caller followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deeplink_payload: Option<String>,
    /// The payload of the call button that the caller pressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cta_payload: Option<String>,
    /// The digits of the business number, from Meta's display form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_number: Option<String>,
}

impl ConnectDetails {
    /// Reads the details of a call, from its own fields, its contact and the value that it stands in.
    pub(super) fn read(call: &Value, contact: Option<&Value>, value: &Value) -> Self {
        let profile = contact.and_then(|contact| contact.get("profile")).unwrap_or(&Value::Null);
        Self {
            name: line(profile, "name"),
            username: line(profile, "username"),
            deeplink_payload: line(call, "deeplink_payload"),
            cta_payload: line(call, "cta_payload"),
            called_number: value.get("metadata").and_then(called_number),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Debug for ConnectDetails {
    /// Leaves everything out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectDetails").finish_non_exhaustive()
    }
}

/// Returns a text as one line of at most 512 characters, without control characters and those that change the direction of what follows.
fn line(holder: &Value, name: &str) -> Option<String> {
    let text = text(holder, name)?;
    let kept: String = text.chars().filter(|letter| !is_control(*letter)).take(LONGEST_TEXT).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

fn is_control(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}' | '\u{feff}')
        || letter.is_control()
}

fn called_number(metadata: &Value) -> Option<String> {
    let digits: String =
        text(metadata, "display_phone_number")?.chars().filter(char::is_ascii_digit).collect();
    (1..=MOST_DIGITS).contains(&digits.len()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_text_is_one_line_of_bounded_length() {
        let lines = [
            (json!("campaign-42"), Some("campaign-42".to_owned())),
            (json!(" a\r\nb\u{0}\u{7f}\u{202e}\u{2028}c "), Some("abc".to_owned())),
            (json!("\u{1f338}".repeat(600)), Some("\u{1f338}".repeat(512))),
            (json!(42), Some("42".to_owned())),
            (json!(""), None),
            (json!(" \n"), None),
            (json!(null), None),
            (json!(true), None),
            (json!(["a"]), None),
            (json!({"a": "b"}), None),
        ];

        for (text, kept) in lines {
            assert_eq!(line(&json!({"payload": text}), "payload"), kept, "{text}");
        }
    }

    #[test]
    fn the_called_number_is_its_digits() {
        let read = |shown: Value| called_number(&json!({"display_phone_number": shown}));

        assert_eq!(read(json!("+1 (555) 000-1111")).as_deref(), Some("15550001111"));
        assert_eq!(read(json!(15_550_001_111_u64)).as_deref(), Some("15550001111"));
        assert_eq!(read(json!("")), None);
        assert_eq!(read(json!("1".repeat(16))), None);
    }

    #[test]
    fn debug_output_shows_nothing_of_the_caller() {
        let details = ConnectDetails { name: Some("planted".into()), ..ConnectDetails::default() };

        assert_eq!(format!("{details:?}"), "ConnectDetails { .. }");
    }

    proptest! {
        #[test]
        fn any_json_is_read_as_short_lines(texts in prop::collection::vec("(?s).{0,600}", 5), shape in 0..4usize) {
            let [name, username, deeplink, cta, number] = &texts[..] else { unreachable!("it has five") };
            let profile = [json!({"name": name, "username": username}), json!([name]), json!(name), json!(null)];
            let call = json!({"deeplink_payload": deeplink, "cta_payload": cta});
            let contact = json!({"profile": profile[shape]});
            let value = json!({"metadata": {"display_phone_number": number}});

            let read = ConnectDetails::read(&call, Some(&contact), &value);

            let ConnectDetails { name, username, deeplink_payload, cta_payload, called_number } = read;
            for line in [name, username, deeplink_payload, cta_payload, called_number].into_iter().flatten() {
                prop_assert!((1..=LONGEST_TEXT).contains(&line.chars().count()));
                prop_assert!(!line.contains(is_control), "{line:?}");
            }
        }
    }
}
