//! Redacts an event for the log: long numbers, which may be phone numbers, leave texts that others wrote.

use super::JournalEvent;
use serde_json::Value;

/// Fields with text from outside. Long numbers are redacted from them in the log: they may be phone numbers.
const FREE_TEXT: [&str; 6] = ["reason", "evidence", "status", "notice", "code", "cure"];

/// The fewest digits that may be a phone number.
const PHONE_NUMBER_DIGITS: usize = 8;

impl JournalEvent {
    /// Returns the event as it may be logged.
    pub(crate) fn redacted(&self) -> Self {
        if let Self::Other(other) = self {
            return Self::Other(other.without_fields());
        }
        let mut fields = self.fields();
        for (name, value) in &mut fields {
            if let Value::String(text) = value
                && FREE_TEXT.contains(&name.as_str())
            {
                *text = redact(text);
            }
        }
        serde_json::from_value(Value::Object(fields)).expect("its fields have the types they had")
    }
}

/// Returns the text with "…" in place of each number of eight digits or more, however its digits are grouped.
pub(super) fn redact(text: &str) -> String {
    let (mut redacted, mut number) = (String::new(), String::new());
    for letter in text.chars().chain(['\0']) {
        match letter {
            '0'..='9' | '+' => number.push(letter),
            ' ' | '-' | '(' | ')' if !number.is_empty() => number.push(letter),
            _ => {
                redacted += &redact_if_long(&number);
                number.clear();
                redacted.push(letter);
            }
        }
    }
    redacted.pop();
    redacted
}

fn redact_if_long(number: &str) -> String {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    if digits < PHONE_NUMBER_DIGITS {
        return number.to_owned();
    }
    let after = number.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    format!("…{}", &number[after.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn phone_numbers_are_redacted_in_any_format() {
        for number in ["919900000001", "+91 99000 00001", "+1 (555) 000-1111"] {
            assert_eq!(redact(&format!("To {number}, no.")), "To …, no.");
        }
    }

    #[test]
    fn shorter_numbers_are_kept() {
        for text in ["12 of 3000 packets from 127.0.0.1:50123", "code 138021", "", "20 s - 30 s", "Größe 7"]
        {
            assert_eq!(redact(text), text);
        }
    }

    /// Text fields that hold only words of this system or of the operator's settings.
    const HARMLESS: [(&str, &[&str]); 34] = [
        ("WA_CALL_CONNECT", &["number"]),
        ("WA_CALL_NOT_OURS", &["number"]),
        ("WA_CALL_STALE", &["number"]),
        ("WA_CALL_WEBHOOK_REFUSED", &["why"]),
        ("WA_CALL_MEDIA_AT_META", &["kind", "media", "mime_type"]),
        ("WA_CALL_CLAIMED", &["task"]),
        ("WA_CALL_SEAT_REFUSED", &["task"]),
        ("WA_CALL_TASK_LAUNCHED", &["task"]),
        ("WA_CALL_ANSWERED", &["start"]),
        ("WA_CALL_LOOKUP", &["outcome"]),
        ("WA_CALL_INTERRUPTED", &["item"]),
        ("WA_CALL_TOOL", &["outcome", "tool"]),
        ("WA_CALL_PART_REFUSED", &["part"]),
        ("WA_CALL_TRANSCRIPTION_FAILED", &["model"]),
        ("WA_CALL_USAGE", &["agent", "model", "prices_of"]),
        ("WA_CALL_ACTION_REFUSED", &["action", "budget"]),
        ("WA_CALL_TRANSFERRED", &["target_kind"]),
        ("WA_CALL_TURNED_AWAY", &["why"]),
        ("WA_CALL_AGENT_CHOSEN", &["agent"]),
        ("WA_CALL_REFUSED", &["why"]),
        ("WA_CALL_LOST", &["task"]),
        ("WA_CALL_RESPONSE_LACKING", &["purpose", "then"]),
        ("WA_CALL_TOOLS_MISSING", &["server"]),
        ("WA_CALL_MEDIA_VERDICT", &["verdict"]),
        ("WA_CALL_META_TROUBLE", &["action"]),
        ("WA_CALL_LINE_TROUBLE", &["action"]),
        ("WA_CALL_CALLER_TOLD", &["why"]),
        ("WA_CALL_TASK_SILENT", &["task"]),
        ("WA_CALL_GIVEN_UP", &["what"]),
        ("WA_CALL_AFTER_SENT", &["outcome", "what", "why"]),
        ("WA_CALL_AFTER_GIVEN_UP", &["what", "why"]),
        ("WA_CALL_AFTER_EXTRACTED", &["model", "outcome"]),
        ("WA_CALL_FORGOTTEN", &["number"]),
        ("WA_CALL_ENDED", &["by", "ending"]),
    ];

    #[test]
    fn every_text_field_is_redacted_or_listed_as_harmless() {
        let (mut redacted, mut harmless) = (BTreeSet::new(), BTreeMap::new());
        for event in schema::events() {
            for field in event.fields.into_iter().filter(|field| field.unit == "text") {
                if FREE_TEXT.contains(&field.name.as_str()) {
                    redacted.insert(field.name);
                } else {
                    harmless.entry(event.name.clone()).or_insert_with(BTreeSet::new).insert(field.name);
                }
            }
        }

        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let known = HARMLESS.iter().map(|(event, fields)| ((*event).to_owned(), owned(fields))).collect();
        assert_eq!(harmless, known, "add a new text field to FREE_TEXT, or list it here as harmless");
        assert_eq!(redacted, owned(&FREE_TEXT), "a name in FREE_TEXT is not a field of any event");
    }
}
