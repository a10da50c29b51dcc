//! Where in the file each field stands.

use crate::error::{AgentFileError, Fault, WHOLE};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The fields of a file, in the order of the tree.
#[derive(Debug)]
pub(crate) struct KeyPositions<'a> {
    text: &'a str,
    places: Vec<KeyPosition>,
}

#[derive(Debug)]
struct KeyPosition {
    /// `tools.http[0].url`
    field: String,
    /// Where its name stands, bytes. Of an element of an array, where the element stands.
    name: Range<usize>,
    value: Range<usize>,
}

impl<'a> KeyPositions<'a> {
    /// The fields of this file, as far as it is TOML.
    pub(crate) fn of(text: &'a str) -> Self {
        let mut places = Self { text, places: vec![] };
        let (table, _) = DeTable::parse_recoverable(text);
        places.add_table("", table.get_ref());
        places
    }

    /// The fault with its line: that of its field, or of the nearest table around it that is there.
    pub(crate) fn wrong(&self, fault: Fault) -> AgentFileError {
        let line = ancestors(&fault.field).find_map(|field| self.line_of(field)).unwrap_or(1);
        AgentFileError { line, field: fault.field, reason: fault.reason }
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    /// The innermost field around these bytes.
    pub(crate) fn field(&self, bytes: &Range<usize>) -> Option<&str> {
        let holds = |range: &Range<usize>| range.start <= bytes.start && bytes.end <= range.end;
        let size =
            |place: &KeyPosition| if holds(&place.name) { place.name.len() } else { place.value.len() };
        self.places
            .iter()
            .rev() // of two alike the inner one, which is added later
            .filter(|place| holds(&place.name) || holds(&place.value))
            .min_by_key(|place| size(place))
            .map(|place| place.field.as_str())
    }

    /// The field that stands at these bytes, or the file.
    pub(crate) fn field_or_file(&self, bytes: &Range<usize>) -> String {
        self.field(bytes).unwrap_or(WHOLE).to_owned()
    }

    /// The line of a field that is there.
    pub(crate) fn line_of(&self, field: &str) -> Option<usize> {
        let place = self.places.iter().find(|place| place.field == field)?;
        Some(self.line(place.name.start))
    }

    fn add_table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let field = join(prefix, key.get_ref());
            self.add(field, key.span(), value.span(), value.get_ref());
        }
    }

    fn add(&mut self, field: String, name: Range<usize>, value: Range<usize>, inner: &DeValue<'_>) {
        self.places.push(KeyPosition { field: field.clone(), name, value });
        match inner {
            DeValue::Table(table) => self.add_table(&field, table),
            DeValue::Array(array) => {
                for (index, element) in array.iter().enumerate() {
                    let span = element.span();
                    self.add(format!("{field}[{index}]"), span.clone(), span, element.get_ref());
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }
}

/// A key under its table. A key that is no plain word is not repeated: nobody knows what it holds.
pub(crate) fn join(prefix: &str, key: &str) -> String {
    let is_plain = key.len() <= 40
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let key = if is_plain { key } else { "\"…\"" };
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

/// The field itself, then each table around it.
fn ancestors(field: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(field), |field| field.rfind(['.', '[']).map(|end| &field[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "name = 'a'\n\n[greeting]\nsay = 'b'\n\n[[tools.http]]\nname = 'c'\n[[tools.http]]\nname = 'd'\n";

    fn line_of(field: &str) -> usize {
        KeyPositions::of(FILE).wrong(Fault::new(field, "")).line
    }

    #[test]
    fn a_field_is_on_the_line_of_its_name() {
        assert_eq!([line_of("name"), line_of("greeting.say"), line_of("tools.http[1].name")], [1, 4, 9]);
    }

    #[test]
    fn a_missing_field_is_on_the_line_of_its_table() {
        assert_eq!(
            [line_of("greeting.prompt"), line_of("tools.http[1].url"), line_of("hours.zone")],
            [3, 8, 1]
        );
    }

    #[test]
    fn a_key_that_is_no_plain_word_is_not_repeated() {
        for key in ["", "two words", "+250788000111", "250788000111", &"long".repeat(11)] {
            assert_eq!(join("a", key), "a.\"…\"");
        }
        assert_eq!((join("a", "X-Shop"), join("", "b_2")), ("a.X-Shop".to_owned(), "b_2".to_owned()));
    }
}
