//! Finds the line of each field in an agent file.

use crate::error::{AgentFileError, Fault, WHOLE};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The fields of a file, in the order of the TOML tree.
#[derive(Debug)]
pub(crate) struct KeyPositions<'a> {
    text: &'a str,
    positions: Vec<KeyPosition>,
}

#[derive(Debug)]
struct KeyPosition {
    /// The dotted path, such as `tools.http[0].url`.
    field: String,
    /// The byte range of the key, or of the element in an array.
    name: Range<usize>,
    value: Range<usize>,
}

impl<'a> KeyPositions<'a> {
    /// Indexes the fields of a file as far as it is TOML.
    pub(crate) fn of(text: &'a str) -> Self {
        let mut positions = Self { text, positions: vec![] };
        let (table, _) = DeTable::parse_recoverable(text);
        positions.add_table("", table.get_ref());
        positions
    }

    /// Adds the line to a fault: that of its field, or of the nearest enclosing table in the file.
    pub(crate) fn locate(&self, fault: Fault) -> AgentFileError {
        let line = ancestors(&fault.field).find_map(|field| self.line_of(field)).unwrap_or(1);
        AgentFileError { line, field: fault.field, reason: fault.reason }
    }

    /// Returns the line of a byte, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    /// Returns the innermost field around a byte range.
    pub(crate) fn field(&self, bytes: &Range<usize>) -> Option<&str> {
        let holds = |range: &Range<usize>| range.start <= bytes.start && bytes.end <= range.end;
        let size = |position: &KeyPosition| {
            if holds(&position.name) { position.name.len() } else { position.value.len() }
        };
        self.positions
            .iter()
            .rev() // of two alike the inner one, which is added later
            .filter(|position| holds(&position.name) || holds(&position.value))
            .min_by_key(|position| size(position))
            .map(|position| position.field.as_str())
    }

    /// Returns the field around a byte range, or `the file`.
    pub(crate) fn field_or_file(&self, bytes: &Range<usize>) -> String {
        self.field(bytes).unwrap_or(WHOLE).to_owned()
    }

    pub(crate) fn line_of(&self, field: &str) -> Option<usize> {
        let position = self.positions.iter().find(|position| position.field == field)?;
        Some(self.line(position.name.start))
    }

    fn add_table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let field = join(prefix, key.get_ref());
            self.add(field, key.span(), value.span(), value.get_ref());
        }
    }

    fn add(&mut self, field: String, name: Range<usize>, value: Range<usize>, inner: &DeValue<'_>) {
        self.positions.push(KeyPosition { field: field.clone(), name, value });
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

/// Joins a table and a key. A key that is not a plain word is replaced, since it may hold a secret or personal data.
pub(crate) fn join(prefix: &str, key: &str) -> String {
    let is_plain = key.len() <= 40
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let key = if is_plain { key } else { "\"…\"" };
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

/// Returns the field and the tables around it, from the inside out.
fn ancestors(field: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(field), |field| field.rfind(['.', '[']).map(|end| &field[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "name = 'a'\n\n[greeting]\nsay = 'b'\n\n[[tools.http]]\nname = 'c'\n[[tools.http]]\nname = 'd'\n";

    fn line_of(field: &str) -> usize {
        KeyPositions::of(FILE).locate(Fault::new(field, "")).line
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
    fn a_key_that_is_not_a_plain_word_is_not_repeated() {
        for key in ["", "two words", "+250788000111", "250788000111", &"long".repeat(11)] {
            assert_eq!(join("a", key), "a.\"…\"");
        }
        assert_eq!((join("a", "X-Shop"), join("", "b_2")), ("a.X-Shop".to_owned(), "b_2".to_owned()));
    }
}
