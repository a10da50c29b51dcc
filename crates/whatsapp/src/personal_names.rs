//! Finds personal names in Meta's JSON and texts: whole phone numbers and user ids.

use serde_json::Value;
use std::collections::BTreeSet;

/// Whether a text is a phone number as Meta writes it: digits with the country code.
pub fn is_number(text: &str) -> bool {
    (7..=15).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_digit())
}

/// Whether a text is a user id: a country's letters, a dot, and more.
pub fn is_user_id(text: &str) -> bool {
    let is_country = |country: &str| country.len() == 2 && country.bytes().all(|it| it.is_ascii_uppercase());
    text.split_once('.').is_some_and(|(country, rest)| is_country(country) && rest.len() > 4)
}

/// Returns every name in a text, or in the values of the JSON document that the text is.
///
/// A name must not touch another letter or digit, so that one person's number is not found inside another's.
pub fn in_text(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => collect(&value, &mut names),
        Ok(_) | Err(_) => collect_words(text, &mut names),
    }
    names
}

/// Keys of values that are the business's own, or that only look like names.
const NOT_NAMES: [&str; 4] = ["metadata", "timestamp", "code", "phone_number_id"];

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(key, _)| !NOT_NAMES.contains(&key.as_str()));
            fields.for_each(|(_, value)| collect(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::String(text) => collect_words(text, names),
        Value::Number(number) => collect_words(&number.to_string(), names),
        Value::Null | Value::Bool(_) => {}
    }
}

fn collect_words(text: &str, names: &mut BTreeSet<String>) {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '.');
    for word in words.map(|word| word.trim_matches('.')).filter(|word| !word.is_empty()) {
        if is_user_id(word) {
            names.insert(word.to_owned());
        } else {
            names.extend(word.split('.').filter(|part| is_number(part)).map(str::to_owned));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_in_values_and_in_prose() {
        let notice = r#"{"from":"919900000001","body":"\n+919900000002 is IN.99990000000000000001 now.",
            "contacts":[{"wa_id":919900000003}],"id":"US.ENT.11815799212886844830"}"#;

        let found = in_text(notice);

        let wanted = [
            "919900000001",
            "919900000002",
            "919900000003",
            "IN.99990000000000000001",
            "US.ENT.11815799212886844830",
        ];
        assert_eq!(found.into_iter().collect::<Vec<_>>(), wanted);
        assert!(in_text("call 919900000001.").contains("919900000001"));
    }

    #[test]
    fn a_part_of_a_longer_name_is_no_name() {
        assert_eq!(in_text(r#"{"from":"9199000000019199000000"}"#).len(), 0);
        assert_eq!(in_text("wacid.HBgM919900000001A, 12345").len(), 0);
        assert!(!in_text("5511977771234").contains("11977771234"));
    }

    #[test]
    fn codes_times_and_the_businesss_own_numbers_are_no_names() {
        let notice = r#"{"timestamp":"1795305600","metadata":{"display_phone_number":"15550783881"},
            "errors":[{"code":13800000}]}"#;

        assert_eq!(in_text(notice).len(), 0);
    }
}
